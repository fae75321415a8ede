//! A headless Chromium, driven over WebDriver.

use crate::process::wait_for;
use crate::tools;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// How long one request may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with an empty profile.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// Removed with the browser.
    _profile: TempDir,
}

impl Browser {
    /// Starts it; `None` if it is not installed, see [`tools::installed`].
    pub fn start() -> Option<Browser> {
        if !tools::installed(&["chromium", "chromedriver"], "chromium and chromium-driver") {
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new(tools::find("chromedriver").unwrap())
            .arg(format!("--port={free}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Browser { driver, port: free, session: String::new(), _profile: profile };
        assert!(wait_for(PATIENCE, || TcpStream::connect(("127.0.0.1", free)).is_ok()).is_ok());
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            &folder,
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": args, "binary": tools::find("chromium").unwrap()},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let begun = browser.request("POST", "/session", &wanted);
        browser.session = format!("/session/{}", begun["sessionId"].as_str().unwrap());
        Some(browser)
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n");
        stream.write_all(format!("{head}Content-Type: application/json\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = BufReader::new(stream);
        let (mut line, mut length) = (String::new(), 0);
        while answer.read_line(&mut line).unwrap() > 2 {
            if let Some((_, number)) = line.to_lowercase().split_once("content-length:") {
                length = number.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes).unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer["value"].get("error").is_none(), "{method} {path}: {answer}");
        answer["value"].clone()
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("{}{path}", self.session), body)
    }

    /// Opens a file.
    pub fn open(&self, file: &Path) {
        self.post("/url", &json!({"url": format!("file://{}", file.display())}));
    }

    /// Runs a script in the page, which returns a value.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until a script returns true.
    pub fn wait(&self, script: &str) {
        let held = wait_for(PATIENCE, || self.run(script) == json!(true));
        assert!(held.is_ok(), "never true: {script}");
    }

    /// What the console says.
    pub fn console(&self) -> Vec<Value> {
        self.post("/se/log", &json!({"type": "browser"})).as_array().unwrap().clone()
    }

    /// A picture of the window, as PNG in base64.
    pub fn picture(&self) -> String {
        let path = format!("{}/screenshot", self.session);
        self.request("GET", &path, &Value::Null).as_str().unwrap().to_owned()
    }

    /// Sets the size of the window, and light or dark.
    pub fn look(&self, width: u32, height: u32, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        let commands = [
            ("Emulation.setEmulatedMedia", json!({"features": features})),
            (
                "Emulation.setDeviceMetricsOverride",
                json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
            ),
        ];
        for (command, params) in commands {
            self.post("/goog/cdp/execute", &json!({"cmd": command, "params": params}));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.request("DELETE", &self.session, &Value::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
