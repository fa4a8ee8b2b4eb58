//! A browser, with steps that a person would take.

pub mod inspect;
#[expect(dead_code, reason = "shared with the suite, which uses the rest of it")]
#[path = "../../suite/support/process.rs"]
pub mod process;
pub mod session;

use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use session::{Close, Command};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Keys, as WebDriver names them.
pub const ENTER: &str = "\u{E007}";
const TAB: &str = "\u{E004}";

/// The element with the focus, if it is out of view, covered, or without an outline of its own, of its label or of
/// what is drawn over it.
const HIDDEN_FOCUS: &str = "
    const it = document.activeElement;
    if (it === document.body || it.matches('main')) return null;
    const outlined = (element, pseudo) => {
        const {outlineStyle, outlineWidth} = getComputedStyle(element, pseudo);
        return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
    };
    const marked = [it, it.labels?.[0], it.nextElementSibling, it.closest('label')].filter(Boolean);
    const shown = marked.some(each => outlined(each)) || outlined(it, '::after') || outlined(it, '::before')
        || it.querySelector('.c-hit') || it.closest('.palette-input');
    const box = it.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 1);
    const y = Math.min(Math.max(box.top + box.height / 2, 1), innerHeight - 1);
    const inView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    const top = document.elementFromPoint(x, y);
    const covered = !top || !(it.contains(top) || top.contains(it) || it.labels?.[0]?.contains(top));
    if (shown && inView && !covered) return null;
    return JSON.stringify({shown, inView, covered: covered && top?.outerHTML.slice(0, 100), it: it.outerHTML.slice(0, 200)});";

/// A browser, which closes when this is dropped.
pub struct Browser {
    client: Client,
    base: String,
    _close: Close,
}

impl Browser {
    /// Opens `base` with a new profile, a desktop window and the light theme.
    pub async fn open(base: &str) -> Self {
        let (client, close) = session::open().await;
        let browser = Self { client, base: base.to_owned(), _close: close };
        browser.resize(inspect::DESK).await;
        browser.dark(false).await;
        browser
    }

    pub async fn visit(&self, path: &str) {
        let address = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        self.client.goto(&address).await.expect("a page");
    }

    pub async fn back(&self) {
        self.client.back().await.expect("the page before");
    }

    /// Returns path and query of the current page.
    pub async fn path(&self) -> String {
        let address = self.client.current_url().await.expect("an address");
        address.as_str().trim_start_matches(&self.base).to_owned()
    }

    /// Replaces the text of the field with this label.
    pub async fn fill(&self, label: &str, value: &str) {
        let labelled = format!(
            "//*[@id = //label[normalize-space(.) = {0}]/@for] \
             | //label[normalize-space(.) = {0}]//*[self::input or self::textarea] \
             | //*[self::input or self::textarea][@aria-label = {0}]",
            quoted(label),
        );
        // Types again if a page load has replaced the field.
        let typed = async {
            loop {
                let field = self.find_by_xpath(&labelled).await;
                let typed = match field.clear().await {
                    Ok(()) => field.send_keys(value).await,
                    Err(error) => Err(error),
                };
                match typed {
                    Ok(()) => return,
                    Err(error) if error.is_stale_element_reference() => {}
                    Err(error) => panic!("cannot type into {label:?}: {error}"),
                }
            }
        };
        tokio::time::timeout(TIMEOUT, typed).await.expect("a page that stays");
    }

    /// Presses the button or link with this text.
    pub async fn press(&self, words: &str) {
        let pressable = format!(
            "//*[self::button or self::a or self::summary][normalize-space(.) = {0} or @aria-label = {0}]",
            quoted(words),
        );
        self.click(&self.find_shown(&pressable).await).await;
    }

    /// Clicks an element in the middle of the window, because WebDriver would click one that a fixed bar covers.
    /// Waits while a toast covers it.
    pub async fn click(&self, element: &Element) {
        let target = serde_json::to_value(element).expect("a reference");
        self.script("arguments[0].scrollIntoView({block: 'center'})", vec![target.clone()]).await;
        let uncovered = "const box = arguments[0].getBoundingClientRect();
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return !top?.closest('[data-toast]') || arguments[0].closest('[data-toast]') !== null";
        self.poll("a button that no toast covers", uncovered, vec![target]).await;
        element.clone().click().await.expect("a click");
    }

    /// Presses a button or link and waits for the next page to load. Needed if both pages show the same
    /// words.
    pub async fn press_through(&self, words: &str) {
        self.script("document.documentElement.dataset.left = ''", Vec::new()).await;
        self.press(words).await;
        let arrived = "return document.readyState === 'complete' \
                       && !('left' in document.documentElement.dataset)";
        self.eventually(words, arrived).await;
    }

    /// Types into the focused element.
    pub async fn keys(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("something with the focus");
        focused.send_keys(keys).await.expect("typed keys");
    }

    /// Presses Tab until an element that matches has the focus. On the way, each element shows that it has it.
    pub async fn tab_to(&self, css: &str) {
        self.find(css).await;
        for _ in 0..100 {
            let there = "return document.activeElement.matches(arguments[0])";
            if self.script(there, vec![json!(css)]).await == json!(true) {
                return;
            }
            self.keys(TAB).await;
            let hidden = self.script(HIDDEN_FOCUS, Vec::new()).await;
            assert_eq!(hidden, Value::Null, "has the focus, and does not show it");
        }
        panic!("Tab never reaches {css}: {}", self.page_text().await);
    }

    /// Presses the button with this text in the open dialog, because the button that opened it can have the same text.
    pub async fn press_in_dialog(&self, words: &str) {
        let button = format!("//dialog[@open]//button[normalize-space(.) = {}]", quoted(words));
        self.find_by_xpath(&button).await.click().await.expect("a click");
    }

    /// Opens the menu with the person's name.
    pub async fn open_menu(&self) {
        self.find(".side-account").await.click().await.expect("a click");
    }

    /// Waits until the page shows these words, and fails after a timeout.
    pub async fn sees(&self, words: &str) {
        self.eventually(words, "return document.body.innerText.includes(arguments[0])").await;
    }

    pub async fn shows(&self, words: &str) -> bool {
        self.text("body").await.contains(words)
    }

    /// Waits for the first element that matches, and returns its text.
    pub async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("its text")
    }

    pub async fn value(&self, css: &str) -> String {
        self.find(css).await.prop("value").await.expect("a property").unwrap_or_default()
    }

    pub async fn find(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css)).await
    }

    /// Runs a function body in the page, whatever its policy forbids.
    pub async fn script(&self, body: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(body, arguments).await.expect("a script's result")
    }

    /// The same for one that passes its result to its last argument.
    pub async fn wait_for_script(&self, body: &str) -> Value {
        self.client.execute_async(body, Vec::new()).await.expect("a script's result")
    }

    /// Presses keys in the focused element.
    pub async fn type_keys(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("an element with the focus");
        focused.send_keys(keys).await.expect("sent keys");
    }

    pub async fn resize(&self, width: u32) {
        self.measure(width, 900).await;
    }

    pub async fn dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({"features": features})).await;
    }

    /// Switches between the print and the screen layout.
    pub async fn paper(&self, on: bool) {
        let media = if on { "print" } else { "" };
        self.devtools("Emulation.setEmulatedMedia", json!({"media": media})).await;
    }

    /// Waits until the browser has this cookie for the current page.
    pub async fn keeps_cookie(&self, name: &str, value: &str) {
        let kept = async {
            let mut pause = tokio::time::interval(Duration::from_millis(50));
            loop {
                pause.tick().await;
                let cookie = self.client.get_named_cookie(name).await;
                if cookie.is_ok_and(|it| it.value() == value) {
                    return;
                }
            }
        };
        tokio::time::timeout(TIMEOUT, kept).await.unwrap_or_else(|_| panic!("no cookie {name}={value}"));
    }

    /// Turns JavaScript on or off, from the next page on.
    pub async fn javascript(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({"value": !on})).await;
    }

    /// Returns the text in the clipboard, after granting the page access to it.
    pub async fn clipboard(&self) -> String {
        let read = "navigator.clipboard.readText().then(arguments[0], it => arguments[0]('' + it))";
        let text = self.client.execute_async(read, Vec::new()).await.expect("the clipboard");
        text.as_str().unwrap_or_default().to_owned()
    }

    pub async fn allow_clipboard(&self) {
        let permissions = json!(["clipboardReadWrite", "clipboardSanitizedWrite"]);
        let grant = json!({"permissions": permissions, "origin": self.base});
        self.devtools("Browser.grantPermissions", grant).await;
    }

    pub async fn measure(&self, width: u32, height: u64) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let command = Command::devtools(command, parameters);
        self.client.issue_cmd(command).await.expect("a response from the browser")
    }

    async fn find_by_xpath(&self, path: &str) -> Element {
        self.wait_for(Locator::XPath(path)).await
    }

    /// Waits for the first visible element that matches, because elements of closed menus are in the page too.
    async fn find_shown(&self, path: &str) -> Element {
        self.find_by_xpath(path).await;
        for element in self.client.find_all(Locator::XPath(path)).await.expect("elements") {
            if element.is_displayed().await.unwrap_or(false) {
                return element;
            }
        }
        panic!("{path} is not shown on {}", self.page_text().await)
    }

    async fn wait_for(&self, what: Locator<'_>) -> Element {
        let found = self.client.wait().at_most(TIMEOUT).for_element(what).await;
        match found {
            Ok(element) => element,
            Err(_) => panic!("never found {what:?} on {}", self.page_text().await),
        }
    }

    /// Polls until the condition is true. While a page is being replaced, the browser returns errors, which
    /// are retried.
    pub async fn eventually(&self, words: &str, question: &str) {
        self.poll(words, question, vec![json!(words)]).await;
    }

    async fn poll(&self, words: &str, question: &str, arguments: Vec<Value>) {
        let asked = async {
            let mut pause = tokio::time::interval(Duration::from_millis(50));
            loop {
                pause.tick().await;
                let answer = self.client.execute(question, arguments.clone()).await;
                if answer.is_ok_and(|it| it == json!(true)) {
                    return;
                }
            }
        };
        if tokio::time::timeout(TIMEOUT, asked).await.is_err() {
            panic!("never saw {words:?}: {question}\n{}", self.page_text().await);
        }
    }

    /// Returns address and text of the page, for a failed test.
    async fn page_text(&self) -> String {
        let seen = "return location.href + '\\n' + document.body.innerText";
        let seen = self.client.execute(seen, Vec::new()).await;
        seen.ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// Returns a text as an XPath literal.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}
