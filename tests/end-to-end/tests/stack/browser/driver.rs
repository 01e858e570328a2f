//! Start of chromedriver and Chromium, and `WebDriver` commands that fantoccini lacks.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use fantoccini::wd::WebDriverCompatibleCommand;
use local_cloud::{ChildGuard, bare_environment};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use url::Url;

/// Width and height of the viewport in CSS pixels.
pub const VIEWPORT: (u32, u32) = (390, 844);

/// A time-out for hangs only.
pub(super) const BROWSER_TIMEOUT: Duration = Duration::from_mins(1);

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

/// Searches a program in the path. `Err`: it is not installed; the message names the package.
pub(super) fn find_program(name: &str) -> Result<PathBuf> {
    let environment = bare_environment();
    let path = environment
        .iter()
        .find(|(name, _)| *name == "PATH")
        .map(|(_, path)| path.as_str())
        .unwrap_or_default();
    let found = env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());

    found.with_context(|| {
        format!(
            "{name} is missing: install Debian's packages chromium and chromium-driver \
             (`make browser`)"
        )
    })
}

/// Waits until chromedriver logs the port on which it listens, and returns its URL.
pub(super) async fn driver_url(driver: &mut ChildGuard, log: &Path) -> Result<String> {
    let deadline = Instant::now() + BROWSER_TIMEOUT;

    loop {
        let logged = fs::read_to_string(log).unwrap_or_default();
        let port = logged
            .split_once("started successfully on port ")
            .and_then(|(_, rest)| rest.split_once('.'));
        if let Some((port, _)) = port {
            return Ok(format!("http://127.0.0.1:{port}"));
        }
        ensure!(
            !driver.has_exited() && Instant::now() < deadline,
            "chromedriver does not start:\n{logged}"
        );
        sleep(Duration::from_millis(20)).await;
    }
}

pub(super) fn capabilities(
    chromium: &Path,
    folder: &Path,
    scripts: Scripts,
) -> Result<serde_json::Map<String, Value>> {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut arguments = vec![
        "--headless",
        "--no-sandbox", // Chromium's sandbox does not run as root
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &profile,
    ];
    if scripts == Scripts::Off {
        arguments.push("--blink-settings=scriptEnabled=false");
    }

    let (width, height) = VIEWPORT;
    let metrics = json!({
        "width": width,
        "height": height,
        "pixelRatio": 2,
        "mobile": true,
        "touch": true,
    });
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {
            "binary": chromium,
            "args": arguments,
            "mobileEmulation": {"deviceMetrics": metrics},
        },
        "goog:loggingPrefs": {"performance": "ALL"},
    });
    capabilities
        .as_object()
        .cloned()
        .context("the capabilities are not an object")
}

/// A command that fantoccini lacks.
#[derive(Debug)]
pub(super) struct RawCommand {
    pub method: Method,
    /// Below the session's URL.
    pub path: String,
    pub body: Option<Value>,
}

impl WebDriverCompatibleCommand for RawCommand {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, url::ParseError> {
        let session_id = session_id.unwrap_or_default();

        base_url.join(&format!("session/{session_id}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (
            self.method.clone(),
            self.body.as_ref().map(ToString::to_string),
        )
    }
}
