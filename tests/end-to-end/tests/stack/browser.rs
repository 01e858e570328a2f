//! A real browser with a phone's viewport: Debian's Chromium, driven by `WebDriver`.

mod accessibility;
mod driver;

use std::{
    collections::BTreeSet,
    env, fs,
    path::PathBuf,
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
};
use hyper_util::client::legacy::connect::HttpConnector;
use local_cloud::{ChildGuard, bare_environment, workspace_root};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use self::driver::{BROWSER_TIMEOUT, RawCommand, capabilities, driver_url, find_program};

pub use self::driver::{Scripts, VIEWPORT};

/// A running browser with a new profile. Browser and driver end when this is dropped.
pub struct Browser {
    client: Client,
    folder: PathBuf,
    _driver: ChildGuard,
}

impl Browser {
    /// Starts driver and browser. `Err`: they are not installed, or do not start.
    pub async fn start(scripts: Scripts) -> Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);

        let (chromedriver, chromium) = (find_program("chromedriver")?, find_program("chromium")?);
        let folder = env::temp_dir().join(format!(
            "end-to-end-browser-{}-{}",
            process::id(),
            STARTED.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir_all(&folder)?;

        // Chromium writes files outside its profile, too, so it gets a home folder of its own.
        let mut environment = bare_environment();
        environment.retain(|(name, _)| *name != "HOME");
        environment.push(("HOME", folder.display().to_string()));
        let log = folder.join("chromedriver.log");
        let mut driver = ChildGuard::start(&chromedriver, &["--port=0"], &environment, &log)?;
        let url = driver_url(&mut driver, &log).await?;

        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&chromium, &folder, scripts)?);
        let client = timeout(BROWSER_TIMEOUT, builder.connect(&url))
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

    async fn assert_scripts(&self, expected: Scripts) -> Result<()> {
        self.client
            .goto("data:text/html,<title>Off</title><script>document.title = 'On'</script>")
            .await?;
        let title = self.client.title().await?;
        ensure!(
            title == format!("{expected:?}"),
            "expected scripts to be {expected:?}, found {title}"
        );
        Ok(())
    }

    /// Opens a page by its URL.
    pub async fn open(&self, url: &Url) -> Result<()> {
        Ok(self.client.goto(url.as_str()).await?)
    }

    pub async fn reload(&self) -> Result<()> {
        Ok(self.client.refresh().await?)
    }

    /// Waits until a CSS selector matches, on a page that changes by script.
    pub async fn wait_for(&self, css: &str) -> Result<()> {
        let found = self
            .client
            .wait()
            .at_most(BROWSER_TIMEOUT)
            .for_element(Locator::Css(css))
            .await;

        found.map(drop).with_context(|| format!("no {css}"))
    }

    /// Whether a CSS selector matches now.
    pub async fn has(&self, css: &str) -> Result<bool> {
        Ok(!self.client.find_all(Locator::Css(css)).await?.is_empty())
    }

    pub async fn title(&self) -> Result<String> {
        Ok(self.client.title().await?)
    }

    /// The `lang` attribute of the page.
    pub async fn language(&self) -> Result<Option<String>> {
        let html = self.client.find(Locator::Css("html")).await?;

        Ok(html.attr("lang").await?)
    }

    /// The visible text of the first element that a CSS selector matches.
    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Clicks the element of a CSS selector and waits for the page to which it navigates. Needs
    /// scripts: the driver runs one to check whether another element covers this one.
    pub async fn click(&self, css: &str) -> Result<()> {
        let page = self.client.find(Locator::Css("html")).await?;
        self.click_in_place(css).await?;

        self.wait_for_navigation(&page).await
    }

    /// Clicks the element of a CSS selector, which does not navigate.
    pub async fn click_in_place(&self, css: &str) -> Result<()> {
        Ok(self.find(css).await?.click().await?)
    }

    /// Moves the focus to the element of a CSS selector with the tab key, presses the enter key and
    /// waits for the page to which it navigates.
    pub async fn activate_by_keyboard(&self, css: &str) -> Result<()> {
        let page = self.client.find(Locator::Css("html")).await?;
        self.activate_by_keyboard_in_place(css).await?;

        self.wait_for_navigation(&page).await
    }

    /// Moves the focus to the element of a CSS selector with the tab key and presses the enter key.
    /// The element does not navigate.
    pub async fn activate_by_keyboard_in_place(&self, css: &str) -> Result<()> {
        let expected = self.find(css).await?.element_id();

        for _ in 0..self.focusable_elements().await?.len() {
            self.key(Key::Tab).await?;
            if self.client.active_element().await?.element_id() == expected {
                return self.key(Key::Enter).await;
            }
        }
        bail!("the tab key does not reach {css}")
    }

    /// The origins of all requests since the last call, including those for images and styles.
    pub async fn requested_origins(&self) -> Result<BTreeSet<String>> {
        let log_type = json!({"type": "performance"});
        let entries = self
            .command(Method::POST, "se/log".to_owned(), Some(log_type))
            .await?;

        let mut origins = BTreeSet::new();
        for entry in entries.as_array().context("the log is not a list")? {
            let message: Value =
                serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
            let message = &message["message"];
            if message["method"] == "Network.requestWillBeSent" {
                let url: Url = message["params"]["request"]["url"]
                    .as_str()
                    .context("a request without a URL")?
                    .parse()?;
                origins.insert(url.origin().ascii_serialization());
            }
        }
        origins.remove("null"); // pages of the browser itself
        Ok(origins)
    }

    /// Saves the visible part of the page as `target/screenshots/{name}.png`.
    pub async fn screenshot(&self, name: &str) -> Result<()> {
        let folder = workspace_root().join("target/screenshots");
        fs::create_dir_all(&folder)?;
        let image = self.client.screenshot().await?;

        Ok(fs::write(folder.join(format!("{name}.png")), image)?)
    }

    async fn find(&self, css: &str) -> Result<Element> {
        let found = self.client.find(Locator::Css(css)).await;

        found.with_context(|| format!("no {css}"))
    }

    /// All focusable elements, in the order of the page.
    async fn focusable_elements(&self) -> Result<Vec<Element>> {
        const FOCUSABLE: &str =
            "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";

        Ok(self.client.find_all(Locator::Css(FOCUSABLE)).await?)
    }

    /// Waits until another page is shown. While one page replaces the other, the driver finds no
    /// page, or fails.
    async fn wait_for_navigation(&self, page: &Element) -> Result<()> {
        let deadline = Instant::now() + BROWSER_TIMEOUT;

        loop {
            let current = self.client.find(Locator::Css("html")).await;
            if current
                .as_ref()
                .is_ok_and(|current| current.element_id() != page.element_id())
            {
                return Ok(());
            }
            if Instant::now() > deadline {
                current?;
                bail!("no navigation to another page");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn key(&self, key: Key) -> Result<()> {
        let value = char::from(key);
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });

        Ok(self.client.perform_actions(actions).await?)
    }

    async fn command(&self, method: Method, path: String, body: Option<Value>) -> Result<Value> {
        Ok(self
            .client
            .issue_cmd(RawCommand { method, path, body })
            .await?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _left_to_the_system = fs::remove_dir_all(&self.folder);
    }
}
