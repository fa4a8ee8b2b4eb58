//! Mail sent by other software.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use gatepost::smtp::MailServer;
use lettre::message::{Attachment, MultiPart, SinglePart, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::support::mail_server;
use crate::support::{TestApp, both_engines};

const HELLO: &str = "hello@gatepost.localhost";
const TIMEOUT: Duration = Duration::from_secs(60);

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().expect("a program: run tests/run"))
        .await
        .expect("its end")
}

fn subjects(app: &TestApp) -> Vec<String> {
    app.stored().into_iter().map(|(_, subject)| subject).collect()
}

fn opened(app: &TestApp) -> (MailServer, SocketAddr) {
    app.alias("Acme", "hello");
    let server = mail_server::open(&app.app);
    let address = mail_server::smtp(&server);
    (server, address)
}

both_engines! {
    async fn by_swaks(app: TestApp) {
        let (_doors, address) = opened(&app);
        let mut swaks = Command::new("swaks");
        swaks.args(["--server", &address.to_string(), "--to", HELLO, "--from", "bob@example.test"]);
        swaks.args(["--h-Subject", "by swaks"]);
        let output = run(swaks).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("250 2.0.0 Stored as msg_"), "{said}");
        assert_eq!(subjects(&app), ["by swaks"]);
        assert_eq!(app.count("contacts WHERE address_key = 'bob@example.test'"), 1);
    }

    async fn by_smtplib(app: TestApp) {
        let (_doors, address) = opened(&app);
        let script = "import smtplib, sys\n\
            from email.message import EmailMessage\n\
            m = EmailMessage()\n\
            m['From'], m['To'], m['Subject'] = 'j\u{f6}rg@example.test', sys.argv[3], 'by smtplib \u{2713}'\n\
            m.set_content('Gr\u{fc}\u{df}e\\n.\\n..dots\\n')\n\
            m.add_attachment(bytes(range(256)), maintype='application', subtype='octet-stream', filename='a.bin')\n\
            s = smtplib.SMTP(sys.argv[1], int(sys.argv[2]))\n\
            print(s.send_message(m, from_addr='bob@example.test'))\n\
            try:\n    s.sendmail('bob@example.test', 'nobody@gatepost.localhost', 'x')\n\
            except smtplib.SMTPRecipientsRefused as refused:\n    print(refused.recipients)\n\
            s.quit()\n";
        let mut python = Command::new("python3");
        python.args(["-c", script, &address.ip().to_string(), &address.port().to_string(), HELLO]);
        let output = run(python).await;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("550") && said.contains("5.1.1"), "{said}");
        assert_eq!(subjects(&app), ["by smtplib \u{2713}"]);
        assert_eq!(app.count("messages WHERE attachments = 1"), 1);
        let text = &app.database.texts("SELECT text AS t FROM message_contents")[0];
        assert_eq!(text.replace('\r', "").trim_end(), "Gr\u{fc}\u{df}e\n.\n..dots");
    }

    async fn by_lettre(app: TestApp) {
        let (_doors, address) = opened(&app);
        let body = MultiPart::mixed()
            .multipart(MultiPart::alternative_plain_html("Hello".to_owned(), "<p>Hello</p>".to_owned()))
            .singlepart(Attachment::new("a.txt".into()).body("content".to_owned(), ContentType::TEXT_PLAIN));
        let message = Message::builder()
            .from("Bob <bob@example.test>".parse().expect("an address"))
            .to(HELLO.parse().expect("an address"))
            .subject("by lettre")
            .multipart(body)
            .expect("a message");
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string());
        let transport = transport.port(address.port()).build();
        let reply = transport.send(message).await.expect("a reply");
        assert!(reply.is_positive(), "{reply:?}");
        let plain = Message::builder()
            .from("bob@example.test".parse().expect("an address"))
            .to("nobody@gatepost.localhost".parse().expect("an address"))
            .singlepart(SinglePart::plain("x".to_owned()))
            .expect("a message");
        assert!(transport.send(plain).await.expect_err("a refusal").is_permanent());
        assert_eq!(subjects(&app), ["by lettre"]);
    }

    /// Postfix in front of an installation receives mail by SMTP and forwards it by LMTP.
    async fn by_postfix(app: TestApp) {
        let (server, _) = opened(&app);
        app.alias("Globex", "sales");
        let postfix = Postfix::start(mail_server::lmtp(&server));
        let mut swaks = Command::new("swaks");
        swaks.args(["--server", &postfix.address, "--from", "bob@example.test", "--h-Subject", "by Postfix"]);
        swaks.args(["--to", "hello@gatepost.localhost,sales@gatepost.localhost,nobody@gatepost.localhost"]);
        let output = run(swaks).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let since = Instant::now();
        // One message per recipient. The third bounces to its sender, who is unknown here.
        while app.stored().len() < 2 || !postfix.log().contains("status=bounced") {
            assert!(since.elapsed() < TIMEOUT, "{}", postfix.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(subjects(&app), ["by Postfix", "by Postfix"]);
        let raw = String::from_utf8(app.raw("by Postfix")).expect("UTF-8");
        assert!(raw.contains(" (Gatepost) with LMTP id ") && raw.contains(" (Postfix) with ESMTP id "), "{raw}");
        assert!(postfix.log().contains("550 5.1.1 <nobody@gatepost.localhost>"), "{}", postfix.log());
    }
}

/// The test's own Postfix, in a temporary folder. Only root can start it.
struct Postfix {
    folder: tempfile::TempDir,
    address: String,
}

impl Postfix {
    fn start(lmtp: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            free.local_addr().expect("its address").to_string()
        };
        let postfix = Self { folder, address };
        postfix.settle(lmtp);
        postfix.command("start");
        postfix
    }

    fn settle(&self, lmtp: SocketAddr) {
        let at = |name: &str| self.folder.path().join(name);
        for name in ["queue", "data", "conf"] {
            fs::create_dir(at(name)).expect("a folder");
        }
        open_to_all(self.folder.path());
        let owned = Command::new("chown").arg("postfix").arg(at("data")).status().expect("chown");
        assert!(owned.success(), "Postfix is not installed: run tests/run");
        let main = [
            "compatibility_level = 3.6".into(),
            format!("queue_directory = {}", at("queue").display()),
            format!("data_directory = {}", at("data").display()),
            format!("maillog_file = {}", at("log").display()),
            format!("maillog_file_prefixes = {}", self.folder.path().display()),
            "myhostname = relay.test".into(),
            "mydestination =".into(),
            "inet_interfaces = 127.0.0.1".into(),
            "mynetworks = 127.0.0.0/8".into(),
            "alias_maps =".into(),
            "alias_database =".into(),
            "disable_dns_lookups = yes".into(),
            "default_transport = error:there is no way out of this test".into(),
            "relay_domains = gatepost.localhost".into(),
            format!("relay_transport = lmtp:inet:{lmtp}"),
            "smtpd_relay_restrictions = permit_mynetworks, reject".into(),
        ];
        fs::write(at("conf").join("main.cf"), main.join("\n") + "\n").expect("a file");
        fs::write(at("conf").join("master.cf"), self.services()).expect("a file");
    }

    fn services(&self) -> String {
        let (_, port) = self.address.split_once(':').expect("a port");
        let service = |name: &str, kind: &str, private: &str, wake: &str, most: &str, does: &str| {
            format!("{name} {kind} {private} - n {wake} {most} {does}\n")
        };
        [
            service(&format!("127.0.0.1:{port}"), "inet", "n", "-", "-", "smtpd"),
            service("pickup", "unix", "n", "60", "1", "pickup"),
            service("cleanup", "unix", "n", "-", "0", "cleanup"),
            service("qmgr", "unix", "n", "300", "1", "qmgr"),
            service("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
            service("bounce", "unix", "-", "-", "0", "bounce"),
            service("defer", "unix", "-", "-", "0", "bounce"),
            service("trace", "unix", "-", "-", "0", "bounce"),
            service("verify", "unix", "-", "-", "1", "verify"),
            service("proxymap", "unix", "-", "-", "-", "proxymap"),
            service("lmtp", "unix", "-", "-", "-", "lmtp"),
            service("error", "unix", "-", "-", "-", "error"),
            service("retry", "unix", "-", "-", "-", "error"),
            service("anvil", "unix", "-", "-", "1", "anvil"),
            service("scache", "unix", "-", "-", "1", "scache"),
            service("postlog", "unix-dgram", "n", "-", "1", "postlogd"),
        ]
        .concat()
    }

    fn command(&self, what: &str) {
        let mut command = Command::new("postfix");
        command.arg("-c").arg(self.folder.path().join("conf")).arg(what).env("PATH", path());
        let output = command.output().expect("postfix: run tests/run");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "postfix {what}: {said}{}", self.log());
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let conf = self.folder.path().join("conf");
        let _ = Command::new("postfix").arg("-c").arg(conf).arg("stop").env("PATH", path()).output();
    }
}

/// Debian installs administration tools there.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(PathBuf::from(folder), fs::Permissions::from_mode(0o755)).expect("permissions");
}
