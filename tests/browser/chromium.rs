//! A headless Chromium, driven through a pipe (Chrome's debugging protocol): no port, and it ends when the pipe does.
//!
//! ```text
//! Browser --open(url)--> Page --click, fill, until, text--> what its user sees
//!                          '--popup--> the window that it opened
//! ```

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take; none waits that long unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The first half is for any run of Chromium by root in a container, the second keeps it from calling home.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-breakpad",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
];

/// Resolves to this machine, but is no address and no secure context.
pub const NAME: &str = "page.example";

/// A browser with a profile of its own. Ended when a test drops it.
pub struct Browser {
    wire: RefCell<Wire>,
    child: Child,
    // Removed after the browser has ended, with whatever it put there.
    _profile: TempDir,
}

struct Wire {
    /// Taken when the browser is to end.
    to: Option<ChildStdin>,
    from: Receiver<Value>,
    last: u64,
    /// What was reported and not waited for, oldest first.
    events: Vec<Value>,
}

impl Browser {
    pub fn new() -> Self {
        let profile = tempfile::tempdir().unwrap();
        // Chromium reads file descriptor 3 and writes 4; what it would print is of no use.
        let mut child = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .arg(format!("--host-resolver-rules=MAP {NAME} 127.0.0.1"))
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", profile.path())
            .env("TMPDIR", profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let from = messages(child.stdout.take().unwrap());
        let mut wire = Wire { to: child.stdin.take(), from, last: 0, events: Vec::new() };
        let pages_only = json!([{ "type": "page" }, { "exclude": true }]);
        let attach =
            json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true, "filter": pages_only });
        wire.call(None, "Target.setAutoAttach", &attach);
        Self { wire: RefCell::new(wire), child, _profile: profile }
    }

    /// A new window that shows `url`. It has been somewhere before, so it does not let a page close it.
    pub fn open(&self, url: &str) -> Page<'_> {
        let made = self.wire.borrow_mut().call(None, "Target.createTarget", &json!({ "url": "about:blank" }));
        let page = self.attached(|target| target["targetId"] == made["targetId"]);
        page.call("Page.setLifecycleEventsEnabled", &json!({ "enabled": true }));
        let going = page.call("Page.navigate", &json!({ "url": url }));
        page.wait(|event| event["params"]["name"] == "load" && event["params"]["loaderId"] == going["loaderId"]);
        page
    }

    /// The page that the browser has come to show and that is waited for, let go on.
    fn attached(&self, is_it: impl Fn(&Value) -> bool) -> Page<'_> {
        let event = self
            .wire
            .borrow_mut()
            .wait(|event| event["method"] == "Target.attachedToTarget" && is_it(&event["params"]["targetInfo"]));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let params = &event["params"];
        let page = Page {
            browser: self,
            session: text(&params["sessionId"]),
            target: text(&params["targetInfo"]["targetId"]),
        };
        for method in ["Page.enable", "Log.enable", "Runtime.enable", "Runtime.runIfWaitingForDebugger"] {
            page.call(method, &json!({}));
        }
        page
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let wire = self.wire.get_mut();
        wire.to = None;
        // It closes its own end when it has put its things away.
        while wire.from.recv_timeout(PATIENCE).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the browser says, message by message; each ends with a zero.
fn messages(out: ChildStdout) -> Receiver<Value> {
    let (to, from) = channel();
    thread::spawn(move || {
        for message in BufReader::new(out).split(0) {
            let Ok(message) = message else { break };
            if to.send(serde_json::from_slice(&message).unwrap()).is_err() {
                break;
            }
        }
    });
    from
}

impl Wire {
    fn next(&mut self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("Chromium to answer: is Debian's package `chromium` installed?")
    }

    /// Sends a command; its answer bears the number.
    fn send(&mut self, session: Option<&str>, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.to.as_mut().unwrap().write_all(format!("{message}\0").as_bytes()).unwrap();
        self.last
    }

    /// What a command that was sent led to.
    fn answer(&mut self, id: u64) -> Value {
        let mut said = self.wait(|said| said["id"] == id);
        assert_eq!(said["error"], Value::Null, "{said}");
        said["result"].take()
    }

    fn call(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        let id = self.send(session, method, params);
        self.answer(id)
    }

    /// The first answer or event that `is_it`; it will not be found again.
    fn wait(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.events.iter().position(&is_it) {
            return self.events.remove(place);
        }
        loop {
            let said = self.next();
            if is_it(&said) {
                return said;
            }
            self.events.push(said);
        }
    }
}

/// A window and the page in it.
pub struct Page<'a> {
    browser: &'a Browser,
    session: String,
    target: String,
}

impl Page<'_> {
    fn call(&self, method: &str, params: &Value) -> Value {
        self.browser.wire.borrow_mut().call(Some(&self.session), method, params)
    }

    fn wait(&self, is_it: impl Fn(&Value) -> bool) {
        let mut wire = self.browser.wire.borrow_mut();
        wire.wait(|event| event["sessionId"] == *self.session && is_it(event));
    }

    /// The value of a JavaScript expression; of a promise, what it becomes.
    pub fn eval(&self, expression: &str) -> Value {
        self.eval_over(expression, || ())
    }

    /// The same, where `act` comes between the start of the evaluation and its end.
    fn eval_over(&self, expression: &str, act: impl FnOnce()) -> Value {
        let how = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let id = self.browser.wire.borrow_mut().send(Some(&self.session), "Runtime.evaluate", &how);
        act();
        let mut done = self.browser.wire.borrow_mut().answer(id);
        assert_eq!(done["exceptionDetails"], Value::Null, "{expression}");
        done["result"]["value"].take()
    }

    /// Waits until what can be read at an element starts with `text`, after a click that may also close the page soon.
    /// Returns all that can be read on the page then.
    pub fn click_until(&self, button: &str, selector: &str, text: &str) -> String {
        let condition = format!("document.querySelector({}).innerText.startsWith({})", json!(selector), json!(text));
        self.until_over(&condition, || self.click(button))
    }

    /// Waits until a JavaScript condition holds.
    pub fn until(&self, condition: &str) {
        self.until_over(condition, || ());
    }

    fn until_over(&self, condition: &str, act: impl FnOnce()) -> String {
        let patience = PATIENCE.as_millis() / 2;
        let expression = format!(
            "new Promise((done, fail) => {{
               const look = () => {{ if ({condition}) {{ watch.disconnect(); done(document.body.innerText); }} }};
               const watch = new MutationObserver(look);
               watch.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
               setTimeout(() => fail(document.body.innerText), {patience});
               look();
             }})"
        );
        self.eval_over(&expression, act).as_str().unwrap().to_owned()
    }

    /// What can be read at the element that `selector` names.
    pub fn text(&self, selector: &str) -> String {
        self.eval(&format!("document.querySelector({}).innerText", json!(selector))).as_str().unwrap().to_owned()
    }

    /// Clicks with the mouse.
    pub fn click(&self, selector: &str) {
        for press in self.presses(selector) {
            self.call("Input.dispatchMouseEvent", &press);
        }
    }

    /// The window that a click opens.
    pub fn popup(&self, selector: &str) -> Self {
        for press in self.presses(selector) {
            // The click is not answered before the window goes on, which waits for us.
            self.browser.wire.borrow_mut().send(Some(&self.session), "Input.dispatchMouseEvent", &press);
        }
        let page = self.browser.attached(|target| target["openerId"] == *self.target);
        page.wait(|event| event["method"] == "Page.loadEventFired");
        page
    }

    /// A press of the mouse's button on an element, and its release.
    fn presses(&self, selector: &str) -> [Value; 2] {
        let place = self.eval(&format!(
            "(() => {{
               const element = document.querySelector({});
               element.scrollIntoView({{ block: 'center' }});
               const {{ x, y, width, height }} = element.getBoundingClientRect();
               return {{ x: x + width / 2, y: y + height / 2 }};
             }})()",
            json!(selector)
        ));
        ["mousePressed", "mouseReleased"]
            .map(|kind| json!({ "type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1 }))
    }

    /// Presses `Tab` or `Enter`.
    pub fn press(&self, key: &str) {
        let (code, text) = if key == "Enter" { (13, "\r") } else { (9, "") };
        for kind in ["keyDown", "keyUp"] {
            let press = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", &press);
        }
    }

    /// Types over what an input holds.
    pub fn fill(&self, selector: &str, text: &str) {
        self.click(selector);
        self.eval(&format!("document.querySelector({}).select()", json!(selector)));
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Waits until the window is gone.
    pub fn closed(&self) {
        let mut wire = self.browser.wire.borrow_mut();
        wire.wait(|event| {
            event["method"] == "Target.detachedFromTarget" && event["params"]["sessionId"] == *self.session
        });
    }

    /// What the console shows: errors that nobody caught, what the page logged, what the browser has against the page.
    pub fn console(&self) -> Vec<String> {
        let wire = self.browser.wire.borrow();
        let mine = wire.events.iter().filter(|event| event["sessionId"] == *self.session);
        mine.filter_map(|event| {
            let params = &event["params"];
            match event["method"].as_str()? {
                "Log.entryAdded" => Some(params["entry"]["text"].as_str()?.to_owned()),
                "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled" => Some(params["args"].to_string()),
                _ => None,
            }
        })
        .collect()
    }
}
