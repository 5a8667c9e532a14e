//! A headless Chromium with a driver of its own, and what it logged.

use std::io::{BufRead, BufReader};
use std::mem::ManuallyDrop;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::unistd::Uid;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::common::command::Command;
use thirtyfour::{
    CapabilitiesHelper as _, ChromiumLikeCapabilities as _, DesiredCapabilities, TimeoutConfiguration, WebDriver,
};

use crate::support::prepared::PATIENCE;

/// How long one script may take. Whoever waits for longer asks again: a driver that has not noticed that a page was left
/// would wait for ever for what a script in it has to say.
const SCRIPT_PATIENCE: Duration = Duration::from_secs(30);

/// A browser in which nobody has been anywhere.
pub struct Browser {
    process: DriverProcess,
    /// Never dropped: it would wait for an answer to its farewell, on the runtime of a test that has failed.
    driver: ManuallyDrop<WebDriver>,
}

/// The driver and the browser that it started. Both are gone when it is dropped.
struct DriverProcess {
    child: Child,
    profile: TempDir,
}

/// What a browser logged since it was last asked.
#[derive(Debug, Default)]
pub struct Logged {
    /// Errors: of scripts, of the network, and violations of the policy.
    pub errors: Vec<String>,
    /// The addresses of all requests that leave the browser.
    pub requests: Vec<String>,
}

impl Browser {
    /// Starts one.
    pub async fn start() -> Self {
        let (process, port) = DriverProcess::start();
        let mut capabilities = DesiredCapabilities::chrome();
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--force-color-profile=srgb".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--lang=en-GB".to_owned(),
            "--window-size=1280,900".to_owned(),
            // Names lead nowhere: whoever asks for another host is seen to fail.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
            format!("--user-data-dir={}", process.profile.path().display()),
        ];
        if Uid::effective().is_root() {
            arguments.push("--no-sandbox".to_owned());
        }
        for argument in &arguments {
            capabilities.add_arg(argument).unwrap();
        }
        capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL", "performance": "ALL" })).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        let driver = driver.expect("Chromium starts (scripts/browser installs it)");
        let patient = TimeoutConfiguration::new(Some(SCRIPT_PATIENCE), Some(PATIENCE), Some(Duration::ZERO));
        driver.update_timeouts(patient).await.unwrap();
        Self { process, driver: ManuallyDrop::new(driver) }
    }

    /// What WebDriver can do.
    pub fn driver(&self) -> &WebDriver {
        &self.driver
    }

    /// Tells Chromium something in its own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(command, parameters).await.unwrap()
    }

    /// What was logged since this was last asked.
    pub async fn logged(&self) -> Logged {
        let severe = |entry: &Value| entry["level"] == "SEVERE";
        let errors = self.log("browser").await.into_iter().filter(severe);
        let errors = errors.filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect();
        let mut requests = Vec::new();
        for entry in self.log("performance").await {
            let entry: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let message = &entry["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url = message["params"]["request"]["url"].as_str().unwrap_or_default();
                let leaves = ["http:", "https:", "ws:", "wss:"].iter().any(|scheme| url.starts_with(scheme));
                requests.extend(leaves.then(|| url.to_owned()));
            }
        }
        Logged { errors, requests }
    }

    async fn log(&self, kind: &str) -> Vec<Value> {
        let answer = self.driver.handle().cmd(Command::GetLog(kind.into())).await.unwrap();
        answer.value().unwrap()
    }

    /// Ends it in good order.
    pub async fn quit(self) {
        WebDriver::clone(&self.driver).quit().await.unwrap();
        drop(self.process);
    }
}

impl DriverProcess {
    fn start() -> (Self, u16) {
        let profile = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Not the zone that the server writes times in.
        command.env("TZ", "Asia/Kathmandu").process_group(0);
        let mut child = command.spawn().expect("chromedriver is installed (scripts/browser)");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port =
            lines.find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
        // It goes on writing, and must not be stopped by a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        (Self { child, profile }, port.expect("chromedriver says its port"))
    }

    /// The processes that work in the browser's profile: the browser, in groups of its own.
    fn browser_processes(&self) -> Vec<i32> {
        let profile = self.profile.path().display().to_string();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let works_there = |id: &i32| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&profile)
        };
        ids.filter(works_there).collect()
    }
}

impl Drop for DriverProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Only a test that failed leaves any.
        for id in self.browser_processes() {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGKILL);
        }
    }
}
