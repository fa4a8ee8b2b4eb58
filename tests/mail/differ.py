#!/usr/bin/env python3
"""Compares how three readers understand generated messages: Gatepost, Python's `email` and npm's `postal-mime`.

    npm install --prefix /tmp/readers postal-mime
    tests/mail/differ.py --gatepost target/debug/gatepost --modules /tmp/readers/node_modules [--count 2000] [--seed 1]

Each message is made from a known subject, author, text and files, written in a good or a broken way. The script
prints how often each reader returned what was meant, for each way of writing, and an example where Gatepost did
not. It fails if Gatepost misses something that is not in EXPLAINED.

The others return something else than what was meant, and Gatepost does not, for these reasons:

- Encoded words: Python decodes each alone, so it loses a character that is split between two, and it puts spaces
  between the words of a name. It does not decode them in quoted names.
- Raw 8-bit headers: neither uses the charset of the body. Raw ISO-2022-KR and HZ are not recognized.
- Charsets: Python does not know `x-sjis`, `cp-850` and `unicode-1-1-utf-8`; postal-mime does not know CP 437, 850 and
  852, UTF-7, HZ and ISO-2022-KR. To both, `iso-8859-1` is not Windows-1252 as on the web.
- Addresses: a name with an unquoted comma (`Falk, Ines <a@b>`) is two mailboxes or no address. Python ignores a name
  in a comment, and postal-mime keeps the source route in an address.
- Transfer encodings: Python does not understand `base64 (a comment)` and base64 with a stray character in a text.
  postal-mime does not join quoted-printable lines with spaces after the `=`. Both decode the footer that a mailing
  list added after base64.
- File names: Python prefers `filename` to `filename*`.
"""
import argparse
import base64
import collections
import email
import email.policy
import hashlib
import http.client
import json
import os
import quopri
import random
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile

# Pairs of a field and a way of writing, with the reason why Gatepost does not return what was meant.
EXPLAINED = {}

TEXTS = {
    "ascii": ("The ferry leaves at nine.", ["us-ascii", "utf-8", "iso-8859-1"]),
    "german": ("Größe und Übermaß: fünf Öfen für Jörg", ["utf-8", "iso-8859-1", "windows-1252", "cp850", "utf-16le"]),
    "quotes": ("“Grüße” – sagt sie…", ["utf-8", "windows-1252"]),
    "polish": ("Zażółć gęślą jaźń", ["utf-8", "iso-8859-2", "windows-1250", "cp852"]),
    "russian": ("Съешь ещё этих мягких булок", ["utf-8", "koi8-r", "windows-1251", "iso-8859-5", "cp866"]),
    "greek": ("Ξεσκεπάζω την ψυχοφθόρα", ["utf-8", "iso-8859-7", "windows-1253"]),
    "japanese": ("渡し船は九時に出ます", ["utf-8", "iso-2022-jp", "shift_jis", "euc-jp"]),
    "chinese": ("渡轮九点出发", ["utf-8", "gb2312", "gbk", "gb18030", "hz-gb-2312"]),
    "taiwanese": ("渡輪九點出發", ["utf-8", "big5"]),
    "korean": ("배는 아홉 시에 떠납니다", ["utf-8", "euc-kr", "cp949", "iso-2022-kr"]),
    "emoji": ("Ahoy ⛵ 👩\u200d💻 see you 🌊", ["utf-8", "utf-7"]),
}
# Other names of a charset, as programs write them.
LABELS = {
    "utf-8": ["utf-8", "UTF-8", "utf8", '"utf-8"', "unicode-1-1-utf-8"],
    "iso-8859-1": ["iso-8859-1", "ISO8859-1", "latin1"],
    "windows-1252": ["windows-1252", "cp1252", "iso-8859-1"],
    "shift_jis": ["shift_jis", "x-sjis", "Shift-JIS"],
    "cp850": ["cp850", "ibm850", "cp-850"],
    "euc-kr": ["euc-kr", "ks_c_5601-1987"],
    "cp949": ["cp949", "ms949"],
    "gbk": ["gbk", "gb2312", "cp936"],
    "utf-7": ["utf-7", "unicode-1-1-utf-7"],
}
PYTHON_CODECS = {"hz-gb-2312": "hz"}


def encoded(text, charset):
    return text.encode(PYTHON_CODECS.get(charset, charset))


class Message:
    """A message, what it means, and in which ways it is written: `ways` by field."""

    def __init__(self, number, chance):
        self.chance, self.number = chance, number
        self.ways = {"subject": "plain", "from": "plain", "text": "plain", "files": "plain"}
        self.language = chance.choice(list(TEXTS))
        text, charsets = TEXTS[self.language]
        self.charset = chance.choice(charsets)
        self.subject, self.text, self.name = text, text, text.split()[0].strip("“”,:–…") or "Ada"
        self.files = []
        self.raw = self.written()

    def written(self):
        body_header, body = self.body()
        lines = [
            b"Date: Tue, 11 Nov 2025 08:00:00 +0100",
            b"Message-ID: <%d@differ.test>" % self.number,
            b"To: differ@gatepost.test",
            b"Subject: " + self.header_text(),
            b"From: " + self.author(),
            b"MIME-Version: 1.0",
        ]
        self.chance.shuffle(lines)
        raw = b"\r\n".join(lines) + b"\r\n" + body_header + b"\r\n" + body
        return raw if raw.endswith(b"\r\n") else raw + b"\r\n"

    # --- Headers

    def word(self, octets, charset, kind):
        if kind == "b":
            return b"=?%s?B?%s?=" % (charset.encode(), base64.b64encode(octets))
        q = b"".join(bytes([o]) if chr(o).isalnum() and o < 128 else b"=%02X" % o for o in octets)
        return b"=?%s?Q?%s?=" % (charset.encode(), q)

    def words(self, text):
        """The text as encoded words in some way, and the name of that way."""
        charset = "utf-8" if self.charset in ("utf-16le", "utf-7", "hz-gb-2312") else self.charset
        octets, kind = encoded(text, charset), self.chance.choice("bq")
        way = self.chance.choice(["word", "folded words", "split words", "lower case word"])
        if way == "folded words" and charset not in ("iso-2022-jp", "iso-2022-kr"):
            half = len(text) // 2
            parts = [encoded(text[:half], charset), encoded(text[half:], charset)]
            return b"\r\n ".join(self.word(part, charset, kind) for part in parts if part), way
        if way == "split words" and charset not in ("iso-2022-jp", "iso-2022-kr") and len(octets) > 4:
            at = self.chance.randrange(1, len(octets) - 1)
            return b" ".join(self.word(part, charset, kind) for part in (octets[:at], octets[at:])), way
        word = self.word(octets, charset.upper(), kind)
        if way == "lower case word" and kind == "q":
            return re.sub(rb"=[0-9A-F]{2}|=\?.*\?Q\?", lambda match: match.group(0).lower(), word), way
        return word, "word"

    def header_text(self):
        if self.subject.isascii() and self.chance.random() < 0.5:
            return self.subject.encode()
        draw = self.chance.random()
        if draw < 0.1:
            self.ways["subject"] = "raw utf-8"
            return self.subject.encode()
        if draw < 0.2 and self.charset not in ("utf-16le", "utf-7") and not self.subject.isascii():
            self.ways["subject"] = f"raw {self.charset}"
            return encoded(self.subject, self.charset)
        text, self.ways["subject"] = self.words(self.subject)
        return text

    def author(self):
        address = b"ines@falk.test"
        draw = self.chance.random()
        if draw < 0.15:
            self.name, self.ways["from"] = None, "no name"
            return self.chance.choice([address, b"<%s>" % address, b"<@r.test:%s>" % address])
        if draw < 0.3:
            self.name, self.ways["from"] = "Falk, Ines", self.chance.choice(["quoted comma", "bare comma"])
            return (b'"Falk, Ines" <%s>' if self.ways["from"] == "quoted comma" else b"Falk, Ines <%s>") % address
        if draw < 0.4:
            self.name, self.ways["from"] = "Ines Falk", "comment"
            return b"%s (Ines Falk)" % address
        if draw < 0.5:
            self.name, self.ways["from"] = "ceo@bank.test", "address as name"
            return b'"ceo@bank.test" <%s>' % address
        words, way = self.words(self.name)
        if draw < 0.6 and way == "word":
            self.ways["from"] = "word in quotes"
            return b'"%s" <%s>' % (words, address)
        self.ways["from"] = way
        return b"%s <%s>" % (words, address)

    # --- Bodies

    def boundary(self):
        return self.chance.choice([b"b%d", b"=_b (%d)", b"'b'+_,-./:=?%d", b"b %d x"]) % self.chance.randrange(10**6)

    def part(self, kind, octets, extra=b"", charset=None):
        """A leaf; its header without the empty line, and its body."""
        label = ""
        if charset:
            label = "; charset=" + self.chance.choice(LABELS.get(charset, [charset]))
        way = "base64" if charset in ("utf-16le",) or not kind.startswith("text/") else None
        way = way or self.chance.choice(["base64", "qp", "8bit" if not octets.isascii() else "7bit"])
        if way == "base64":
            body, name = base64.encodebytes(octets).replace(b"\n", b"\r\n"), self.chance.choice(["base64", "BASE64", "base64 (x)"])
            broken = self.chance.random()
            if broken < 0.1:
                body, way = body.rstrip(b"=\r\n") + b"\r\n", "base64 without padding"
            elif broken < 0.2:
                body, way = body[:2] + b"!" + body[2:], "base64 with a stray character"
            elif broken < 0.25 and octets and len(octets) % 3:
                body, way = body + b"_____\r\nA list, its footer\r\n", "base64 with a footer"
        elif way == "qp":
            body = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
            name = self.chance.choice(["quoted-printable", "Quoted-Printable"])
            broken = self.chance.random()
            if broken < 0.1:
                body, way = re.sub(rb"=([0-9A-F]{2})", lambda m: m.group(0).lower(), body), "qp in lower case"
            elif broken < 0.2:
                body, way = body.replace(b"\r\n", b"  \r\n"), "qp with spaces at line ends"
        else:
            body, name = octets, way
        header = f"Content-Type: {kind}{label}\r\n".encode() + extra
        if not (way == "8bit" and self.chance.random() < 0.3):
            header += f"Content-Transfer-Encoding: {name}\r\n".encode()
        return header, body, way

    def text_part(self, kind="text/plain"):
        text = self.text
        if kind == "text/html":
            text = f"<p>{text}</p>"
        header, body, way = self.part(kind, encoded(text + "\r\n", self.charset), charset=self.charset)
        self.ways["text"] = f"{kind}, {way}, {self.charset}"
        return header, body

    def file_part(self):
        octets = bytes(self.chance.randrange(256) for _ in range(self.chance.randrange(1, 200)))
        stem, charset = TEXTS[self.language][0].split()[0].strip("“”,:–…"), "utf-8"
        name = f"{stem} 1.pdf"
        way = self.chance.choice(["plain", "extended", "sections", "word", "raw", "type only", "both"])
        percent = "".join(f"%{o:02X}" for o in name.encode(charset))
        words = self.word(name.encode(charset), charset, "b").decode()
        disposition = {
            "extended": f"attachment; filename*={charset}''{percent}",
            "sections": f"attachment; filename*1*={percent[12:]}; filename*0*={charset}''{percent[:12]}",
            "word": f'attachment; filename="{words}"',
            "raw": f'attachment; filename="{name}"',
            "type only": "attachment",
            "both": f"attachment; filename=x.pdf; filename*={charset}''{percent}",
        }.get(way, 'attachment; filename="plain file.pdf"')
        if way == "plain":
            name = "plain file.pdf"
        kind = f'application/pdf; name="{words}"' if way == "type only" else "application/pdf"
        header, body, how = self.part(kind, octets, f"Content-Disposition: {disposition}\r\n".encode())
        self.files.append((name, hashlib.sha256(octets).hexdigest()))
        self.ways["files"] = f"name {way}, {how}"
        return header, body

    def multipart(self, kind, parts, way=None):
        boundary = self.boundary()
        way = way or self.chance.choice(["closed"] * 6 + ["unclosed", "preamble", "spaces", "likeness"])
        header = b'Content-Type: multipart/%s; boundary="%s"\r\n' % (kind.encode(), boundary)
        body = b"This is MIME.\r\n--%sx\r\n" % boundary if way == "preamble" else b""
        for number, (part_header, part_body) in enumerate(parts):
            if way == "likeness" and number == 0:
                part_body = part_body.rstrip(b"\r\n") + b"\r\n"
            space = b" \t" if way == "spaces" else b""
            body += b"--%s%s\r\n%s\r\n%s\r\n" % (boundary, space, part_header, part_body)
        if way != "unclosed":
            body += b"--%s--\r\n" % boundary
        if way == "preamble":
            body += b"An epilogue\r\n"
        if way != "closed":
            self.ways = {field: f"{how}, {way} {kind}" if field in ("text", "files") else how for field, how in self.ways.items()}
        return header, body

    def body(self):
        draw = self.chance.random()
        if draw < 0.25:
            return self.text_part()
        if draw < 0.35:
            return self.text_part("text/html")
        html = self.text_part("text/html")
        both = self.multipart("alternative", [self.text_part(), html])
        if draw < 0.5:
            return both
        parts = [both if self.chance.random() < 0.5 else self.text_part()]
        parts += [self.file_part() for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]
        whole = self.multipart("mixed", parts)
        for _ in range(self.chance.choice([0, 0, 0, 1, 2, 5])):
            whole = self.multipart("mixed", [whole], "closed")
        return whole


# --- Readers: each returns subject, from, text and files


def squeezed(text):
    return " ".join((text or "").split()).strip()


def of_html(html):
    return squeezed(re.sub(r"<[^>]*>", " ", html or "").replace("&nbsp;", " "))


def python_read(raw):
    seen = {"subject": None, "from": None, "text": None, "files": []}
    message = email.message_from_bytes(raw, policy=email.policy.default)
    try:
        seen["subject"] = squeezed(str(message["subject"]))
        addresses = message["from"].addresses
        seen["from"] = [[each.display_name or None, each.addr_spec] for each in addresses]
    except Exception as failure:  # its parser raises many kinds on broken headers
        seen["from"] = repr(failure)
    try:
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        seen["text"] = squeezed(plain.get_content()) if plain else of_html(html.get_content() if html else "")
    except Exception as failure:
        seen["text"] = repr(failure)
    for part in message.walk():
        if not part.is_multipart() and part.get_content_disposition() == "attachment":
            content = part.get_payload(decode=True) or b""
            seen["files"].append([part.get_filename(), hashlib.sha256(content).hexdigest()])
    return seen


POSTAL = """
const { default: PostalMime } = await import(process.argv[1]);
const { createHash } = await import('node:crypto');
const { createInterface } = await import('node:readline');
for await (const line of createInterface({ input: process.stdin })) {
  let seen;
  try {
    const m = await PostalMime.parse(Buffer.from(line, 'base64'));
    const files = m.attachments.filter((a) => a.disposition === 'attachment').map((a) =>
      [a.filename, createHash('sha256').update(Buffer.from(a.content)).digest('hex')]);
    seen = { subject: m.subject, from: m.from && [[m.from.name || null, m.from.address]], text: m.text, html: m.html, files };
  } catch (error) { seen = { subject: String(error), from: null, text: null, files: [] }; }
  console.log(JSON.stringify(seen));
}
"""


def postal_read(modules, raws):
    path = os.path.join(os.path.abspath(modules), "postal-mime", "dist", "esm", "postal-mime.js")
    command = ["node", "--input-type=module", "-e", POSTAL, path]
    given = "\n".join(base64.b64encode(raw).decode() for raw in raws)
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.strip("\n").split("\n"):
        seen = json.loads(line)
        seen["text"] = squeezed(seen.get("text")) or of_html(seen.pop("html", None))
        seen["subject"] = squeezed(seen.get("subject"))
        yield seen


class Gatepost:
    def __init__(self, binary):
        self.binary, self.folder = os.path.abspath(binary), tempfile.mkdtemp(prefix="differ-")
        ports = []
        for _ in range(2):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                ports.append(probe.getsockname()[1])
        self.http, self.smtp = ports
        others = {key: value for key, value in os.environ.items() if not key.startswith("GATEPOST_")}
        self.environment = {
            **others,
            "GATEPOST_DATA": os.path.join(self.folder, "data"),
            "GATEPOST_LISTEN": f"127.0.0.1:{self.http}",
            "GATEPOST_SMTP_LISTEN": f"127.0.0.1:{self.smtp}",
            "GATEPOST_MAIL_DOMAIN": "gatepost.test",
            "GATEPOST_DNS": "127.0.0.1:9",
            "GATEPOST_PLAN_LIMITS": "free=0,pro=1000,enterprise=100000000",
            "GATEPOST_SMTP_HOURLY_MESSAGES": "off",
            "GATEPOST_SMTP_HOURLY_SIZE": "off",
        }
        self.process = None

    def start(self):
        password = "seven lanterns over the quay\n"
        self.run("setup", "--team", "Differ", "--owner", "owner@differ.test", "--plan", "enterprise", given=password)
        self.run("api", "Differ", "on")
        self.token = self.run("token", "mint", "--team", "Differ", "--name", "differ", "--scopes", "all").strip()
        log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            [self.binary, "serve"], env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        # It says so once mail and requests are accepted.
        if not any(line.startswith("Listening on") for line in self.process.stdout):
            raise RuntimeError(f"the server did not start: see {log.name}")
        self.api("POST", "/aliases", {"localPart": "differ"})

    def run(self, *arguments, given=""):
        return subprocess.run(
            [self.binary, *arguments], input=given, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    def api(self, method, path, given=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.http)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, "/api/v1" + path, json.dumps(given) if given else None, headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (200, 201), (path, answer.status, body)
        connection.close()
        return body

    def read(self, raws):
        smtp = smtplib.SMTP("127.0.0.1", self.smtp)
        smtp.ehlo("differ.test")
        for raw in raws:
            options = [] if raw.isascii() else ["BODY=8BITMIME", "SMTPUTF8"]
            smtp.mail("ines@falk.test", options)
            smtp.rcpt("differ@gatepost.test")
            code, reply = smtp.data(raw)
            found = re.search(rb"msg_[0-9a-f]+", reply)
            assert code == 250 and found, (code, reply, raw)
            yield self.seen(found.group(0).decode())
        smtp.quit()

    def seen(self, message):
        body = json.loads(self.api("GET", f"/messages/{message}"))
        files = []
        for each in body["attachments"]:
            content = self.api("GET", f"/messages/{message}/attachments/{each['id']}")
            files.append([each["name"], hashlib.sha256(content).hexdigest()])
        author = body["from"] and [[body["from"]["name"], body["from"]["address"]]]
        return {"subject": squeezed(body["subject"]), "from": author, "text": squeezed(body["text"]), "files": files}

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gatepost", required=True)
    parser.add_argument("--modules", required=True, help="the node_modules folder with postal-mime")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", help="a folder for the messages that Gatepost misses")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    messages = [Message(number, chance) for number in range(asked.count)]
    raws = [message.raw for message in messages]
    gatepost = Gatepost(asked.gatepost)
    try:
        gatepost.start()
        seen = {"gatepost": list(gatepost.read(raws))}
    finally:
        gatepost.stop()
    seen["python"] = [python_read(raw) for raw in raws]
    seen["postal-mime"] = list(postal_read(asked.modules, raws))
    sys.exit(compare(messages, seen, asked.save))


def compare(messages, seen, save):
    """Prints the table. Returns 1 if Gatepost misses something that is not explained."""
    right, ways, misses = collections.Counter(), collections.Counter(), []
    missed = {reader: collections.Counter() for reader in seen}
    for at, message in enumerate(messages):
        meant = {
            "subject": squeezed(message.subject),
            "from": [[message.name, "ines@falk.test"]],
            "text": squeezed(message.text),
            "files": [list(each) for each in message.files],
        }
        for field, value in meant.items():
            ways[field] += 1
            for reader, results in seen.items():
                if results[at][field] == value:
                    right[field, reader] += 1
                    continue
                missed[reader][field, message.ways[field]] += 1
                if reader == "gatepost" and (field, message.ways[field]) not in EXPLAINED:
                    misses.append((message, field, value, {name: each[at][field] for name, each in seen.items()}))
    print(f"{'':10}" + "".join(f"{reader:>14}" for reader in seen))
    for field, count in ways.items():
        print(f"{field:10}" + "".join(f"{right[field, reader] / count:14.2%}" for reader in seen))
    for reader, counter in missed.items():
        for (field, way), count in counter.most_common(25):
            print(f"{reader} misses {count} × {field}: {way}")
    for message, field, value, results in misses[:20]:
        print(f"\n{message.number} {field} ({message.ways[field]})\n  meant: {value!r}")
        for reader, result in results.items():
            print(f"  {reader}: {result!r}")
        if save:
            os.makedirs(save, exist_ok=True)
            with open(os.path.join(save, f"{message.number}.eml"), "wb") as file:
                file.write(message.raw)
    print(f"\n{len(messages)} messages, {len(misses)} unexplained differences from what was meant")
    return 1 if misses else 0


if __name__ == "__main__":
    main()
