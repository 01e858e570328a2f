//! A browser as people have it: Debian's Chromium with a screen of a phone's size, driven as
//! `WebDriver` says.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    elements::Element,
    key::Key,
    wd::WebDriverCompatibleCommand,
};
use hyper_util::client::legacy::connect::HttpConnector;
use local_cloud::{ChildGuard, bare_environment, python_package_file, workspace_root};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

/// Width and height of the screen in CSS pixels.
pub const VIEWPORT: (u32, u32) = (390, 844);

/// A time-out for hangs only.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running browser with a new profile. It ends, with its driver, when dropped.
pub struct Browser {
    client: Client,
    folder: PathBuf,
    _driver: ChildGuard,
}

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

impl Browser {
    /// Starts driver and browser. `Err`: they are not installed, or do not start.
    pub async fn start(scripts: Scripts) -> Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let (chromedriver, chromium) = (program("chromedriver")?, program("chromium")?);
        let folder = env::temp_dir().join(format!(
            "end-to-end-browser-{}-{}",
            process::id(),
            STARTED.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir_all(&folder)?;
        let log = folder.join("chromedriver.log");
        let mut environment = bare_environment();
        environment.retain(|(name, _)| *name != "HOME");
        environment.push(("HOME", folder.display().to_string())); // Chromium keeps more than its profile
        let mut driver = ChildGuard::start(&chromedriver, &["--port=0"], &environment, &log)?;
        let address = driver_url(&mut driver, &log).await?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&chromium, &folder, scripts)?);
        let client = timeout(PATIENCE, builder.connect(&address))
            .await
            .context("the browser does not start")??;
        let browser = Self {
            client,
            folder,
            _driver: driver,
        };
        browser.assert_scripts(scripts).await?;
        Ok(browser)
    }

    async fn assert_scripts(&self, wanted: Scripts) -> Result<()> {
        self.client
            .goto("data:text/html,<title>Off</title><script>document.title = 'On'</script>")
            .await?;
        let title = self.client.title().await?;
        ensure!(
            title == format!("{wanted:?}"),
            "scripts are {title}, and were to be {wanted:?}"
        );
        Ok(())
    }

    /// Opens a page as somebody does who follows a link.
    pub async fn open(&self, address: &Url) -> Result<()> {
        Ok(self.client.goto(address.as_str()).await?)
    }

    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Waits until a CSS selector finds something, on a page that changes by itself.
    pub async fn wait_for(&self, css: &str) -> Result<()> {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        found.map(drop).with_context(|| format!("no {css}"))
    }

    /// Whether a CSS selector finds something now.
    pub async fn has(&self, css: &str) -> Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    pub async fn title(&self) -> Result<String> {
        Ok(self.client.title().await?)
    }

    /// The language that the page says it is in.
    pub async fn language(&self) -> Result<Option<String>> {
        Ok(self
            .client
            .find(Locator::Css("html"))
            .await?
            .attr("lang")
            .await?)
    }

    /// The text that can be seen of the first element of a CSS selector.
    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self
            .client
            .find(Locator::Css(css))
            .await
            .with_context(|| format!("no {css}"))?
            .text()
            .await?)
    }

    /// Clicks on what a CSS selector finds, which has to lead to another page, and waits for that.
    /// Needs scripts: the driver asks the page whether something is in the way.
    pub async fn click(&self, css: &str) -> Result<()> {
        let page = self.client.find(Locator::Css("html")).await?;
        self.click_in_place(css).await?;
        self.leave(&page).await
    }

    /// The same on a page that stays.
    pub async fn click_in_place(&self, css: &str) -> Result<()> {
        Ok(self
            .client
            .find(Locator::Css(css))
            .await
            .with_context(|| format!("no {css}"))?
            .click()
            .await?)
    }

    /// The same without a mouse: goes on with the tab key until it is reached, then presses the
    /// enter key.
    pub async fn press(&self, css: &str) -> Result<()> {
        let page = self.client.find(Locator::Css("html")).await?;
        self.activate_by_keyboard_in_place(css).await?;
        self.leave(&page).await
    }

    /// The same on a page that stays.
    pub async fn activate_by_keyboard_in_place(&self, css: &str) -> Result<()> {
        let wanted = self
            .client
            .find(Locator::Css(css))
            .await
            .with_context(|| format!("no {css}"))?
            .element_id();
        for _ in 0..self.controls().await?.len() {
            self.key(Key::Tab).await?;
            if self.client.active_element().await?.element_id() == wanted {
                return self.key(Key::Enter).await;
            }
        }
        bail!("{css} is not reached with the tab key")
    }

    /// Names of everything that can be used, in the order of the page, after each was reached with
    /// the tab key and shown to have the focus. `Err`: something was not, or has no name that a
    /// screen reader could say.
    pub async fn tab_order_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for control in self.controls().await? {
            let name = self
                .command(
                    Method::GET,
                    format!("element/{}/computedlabel", &*control.element_id()),
                    None,
                )
                .await?;
            let name = name.as_str().unwrap_or_default().trim().to_owned();
            ensure!(
                !name.is_empty(),
                "this has no name: {}",
                control.html(false).await?
            );
            self.key(Key::Tab).await?;
            let focused = self
                .client
                .find(Locator::Css(":focus-visible"))
                .await
                .with_context(|| format!("{name} gets no focus"))?;
            ensure!(
                focused.element_id() == control.element_id(),
                "{name} is not what the tab key reaches next"
            );
            ensure!(
                focused.css_value("outline-style").await? != "none",
                "nothing shows that {name} has the focus"
            );
            names.push(name);
        }
        Ok(names)
    }

    /// How much wider than the screen the page is, in CSS pixels.
    pub async fn horizontal_overflow(&self) -> Result<f64> {
        let width = "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth, window.innerWidth)";
        let width = self
            .client
            .execute(width, Vec::new())
            .await?
            .as_f64()
            .context("no width")?;
        Ok(width - f64::from(VIEWPORT.0))
    }

    /// The origins that anything was asked of since the last call, whatever the reason.
    pub async fn asked(&self) -> Result<BTreeSet<String>> {
        let entries = self
            .command(
                Method::POST,
                "se/log".to_owned(),
                Some(json!({"type": "performance"})),
            )
            .await?;
        let mut origins = BTreeSet::new();
        for entry in entries.as_array().context("no log")? {
            let message: Value =
                serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url: Url = message["params"]["request"]["url"]
                    .as_str()
                    .context("a request without an address")?
                    .parse()?;
                origins.insert(url.origin().ascii_serialization());
            }
        }
        origins.remove("null"); // pages of the browser itself
        Ok(origins)
    }

    /// Lets the user's system ask pages for dark or for light colours.
    pub async fn emulate_color_scheme(&self, is_dark: bool) -> Result<()> {
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        let body = json!({"cmd": "Emulation.setEmulatedMedia", "params": media});
        self.command(Method::POST, "goog/cdp/execute".to_owned(), Some(body))
            .await
            .map(drop)
    }

    /// What axe-core finds against WCAG 2.1, levels A and AA, and what it could not decide. Needs
    /// scripts. `Err`: it has not looked at the colours.
    pub async fn violations(&self) -> Result<Vec<String>> {
        const RUN: &str = "const done = arguments[arguments.length - 1];
            axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']}).then(done, error => done({error: String(error)}));";
        self.client
            .execute(
                &fs::read_to_string(python_package_file("axe_core_python/axe.min.js")?)?,
                Vec::new(),
            )
            .await?;
        let found = self.client.execute_async(RUN, Vec::new()).await?;
        let rules = |kind: &str| {
            found[kind]
                .as_array()
                .cloned()
                .with_context(|| format!("no {kind} in {found}"))
        };
        ensure!(
            rules("passes")?
                .iter()
                .any(|rule| rule["id"] == "color-contrast"),
            "the colours were not looked at"
        );
        let told = |rule: &Value| {
            let places = rule["nodes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|node| node["html"].to_string());
            format!(
                "{}: {}: {}",
                rule["id"],
                rule["help"],
                places.collect::<Vec<_>>().join(", ")
            )
        };
        Ok(rules("violations")?
            .iter()
            .chain(&rules("incomplete")?)
            .map(told)
            .collect())
    }

    /// Keeps what is on the screen as `target/screenshots/{name}.png`.
    pub async fn screenshot(&self, name: &str) -> Result<()> {
        let folder = workspace_root().join("target/screenshots");
        fs::create_dir_all(&folder)?;
        Ok(fs::write(
            folder.join(format!("{name}.png")),
            self.client.screenshot().await?,
        )?)
    }

    /// Everything that people can use, in the order of the page.
    async fn controls(&self) -> Result<Vec<Element>> {
        const CONTROLS: &str =
            "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
        Ok(self.client.find_all(Locator::Css(CONTROLS)).await?)
    }

    /// Waits until a page is no longer the one that is shown. While one takes the place of the
    /// other, the driver finds none, or fails.
    async fn leave(&self, page: &Element) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.client.find(Locator::Css("html")).await;
            if shown
                .as_ref()
                .is_ok_and(|shown| shown.element_id() != page.element_id())
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                shown?;
                bail!("no other page came");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn key(&self, key: Key) -> Result<()> {
        let value = char::from(key);
        let keyboard = KeyActions::new("keyboard".to_owned());
        Ok(self
            .client
            .perform_actions(
                keyboard
                    .then(KeyAction::Down { value })
                    .then(KeyAction::Up { value }),
            )
            .await?)
    }

    async fn command(&self, method: Method, path: String, body: Option<Value>) -> Result<Value> {
        Ok(self
            .client
            .issue_cmd(Command { method, path, body })
            .await?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _left_to_the_system = fs::remove_dir_all(&self.folder);
    }
}

/// A command that fantoccini does not know.
#[derive(Debug)]
struct Command {
    method: Method,
    /// Below the session.
    path: String,
    body: Option<Value>,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, url::ParseError> {
        base_url.join(&format!(
            "session/{}/{}",
            session_id.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (
            self.method.clone(),
            self.body.as_ref().map(ToString::to_string),
        )
    }
}

fn capabilities(
    chromium: &Path,
    folder: &Path,
    scripts: Scripts,
) -> Result<serde_json::Map<String, Value>> {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut arguments = vec![
        "--headless",
        "--no-sandbox", // root may not have one
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
    let phone = json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2, "mobile": true, "touch": true}});
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"binary": chromium, "args": arguments, "mobileEmulation": phone},
        "goog:loggingPrefs": {"performance": "ALL"},
    });
    capabilities.as_object().cloned().context("no object")
}

/// One of the two programs. `Err` says what to install.
fn program(name: &str) -> Result<PathBuf> {
    let environment = bare_environment();
    let path = environment
        .iter()
        .find(|(name, _)| *name == "PATH")
        .map(|(_, path)| path.as_str())
        .unwrap_or_default();
    let found = env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    found.with_context(|| format!("{name} is missing: install Debian's packages chromium and chromium-driver (`make browser`)"))
}

/// Where the driver listens, once it says so.
async fn driver_url(driver: &mut ChildGuard, log: &Path) -> Result<String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(log).unwrap_or_default();
        let port = said
            .split_once("started successfully on port ")
            .and_then(|(_, rest)| rest.split_once('.'));
        if let Some((port, _)) = port {
            return Ok(format!("http://127.0.0.1:{port}"));
        }
        ensure!(
            !driver.has_exited() && Instant::now() < deadline,
            "chromedriver does not start:\n{said}"
        );
        sleep(Duration::from_millis(20)).await;
    }
}
