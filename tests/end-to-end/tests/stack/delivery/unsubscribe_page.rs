//! The unsubscribe page in a browser: with and without scripts, by mouse and by keyboard.

use anyhow::{Result, ensure};
use content::Content;
use engagement::Category;
use local_cloud::{LocalCloud, Options};
use serde_json::Value;
use url::Url;

use super::outbox::Outbox;
use crate::{
    browser::{Browser, Scripts, VIEWPORT},
    preferences_client::PreferencesClient,
    support::options,
};

const RECIPIENT: &str = "marisol@kestrelbakehouse.example";

#[tokio::test(flavor = "multi_thread")]
async fn recipients_unsubscribe_and_resubscribe_with_and_without_scripts() -> Result<()> {
    let options = Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    };
    let cloud = LocalCloud::start(options.parameter("SendCaps", "none")).await?;
    let mut outbox = Outbox::new(&cloud).await?;
    let emails = outbox.send_round(&[RECIPIENT]).await?.emails;
    let link = &emails[&(RECIPIENT.to_owned(), Category::Onboarding)].page;
    let broken_link = PreferencesClient::new(&cloud)?.unsubscribe_url("garbage")?;

    for scripts in [Scripts::Off, Scripts::On] {
        let test = PageTest {
            cloud: &cloud,
            browser: Browser::start(scripts).await?,
            scripts,
            content: Content::embedded()?,
        };
        test.unsubscribes_and_resubscribes(link).await?;
        test.follows_a_broken_link(&broken_link).await?;

        let origins = test.browser.requested_origins().await?;
        ensure!(
            origins.iter().eq([&link.origin().ascii_serialization()]),
            "the pages send requests to other origins: {origins:?}"
        );
    }
    Ok(())
}

struct PageTest<'a> {
    cloud: &'a LocalCloud,
    browser: Browser,
    scripts: Scripts,
    content: Content,
}

impl PageTest<'_> {
    async fn unsubscribes_and_resubscribes(&self, link: &Url) -> Result<()> {
        let product = &self.content.brand().product;
        self.browser.open(link).await?;
        self.browser.screenshot("unsubscribe").await?;
        self.assert_page("You receive our getting-started e-mails", 3)
            .await?;

        self.submit_action("leave_category").await?;
        self.browser.screenshot("unsubscribe-left").await?;
        self.assert_page("Done. You no longer receive our getting-started e-mails", 3)
            .await?;
        self.assert_unsubscribed(&["unsubscribed_onboarding"])
            .await?;

        self.browser.emulate_color_scheme(true).await?;
        self.submit_action("come_back").await?;
        self.browser.screenshot("unsubscribe-back-dark").await?;
        self.assert_page("Done. You receive our getting-started e-mails", 3)
            .await?;
        self.assert_unsubscribed(&[]).await?;

        self.submit_action("leave_all").await?;
        let text = format!("You no longer receive any of our e-mails about {product}");
        self.assert_page(&format!("Done. {text}"), 2).await?;
        self.assert_unsubscribed(&["unsubscribed_all"]).await?;

        self.browser.open(link).await?;
        self.assert_page(&text, 2).await?;
        self.submit_action("come_back").await?;
        self.assert_page("Done. You receive our getting-started e-mails", 3)
            .await
    }

    async fn follows_a_broken_link(&self, link: &Url) -> Result<()> {
        self.browser.open(link).await?;

        self.assert_page("Perhaps only part of it was copied", 1)
            .await
    }

    /// Presses the button of an action: by keyboard without scripts, otherwise by mouse.
    async fn submit_action(&self, action: &str) -> Result<()> {
        let button = format!("form:has(input[name=action][value={action}]) button");

        match self.scripts {
            Scripts::Off => self.browser.activate_by_keyboard(&button).await,
            Scripts::On => self.browser.click(&button).await,
        }
    }

    /// Asserts that the page contains a text, has a number of focusable elements and passes the
    /// accessibility checks. Those of axe-core and of the focus need scripts.
    async fn assert_page(&self, expected: &str, focusable: usize) -> Result<()> {
        let brand = self.content.brand();
        let text = self.browser.text("main").await?;
        ensure!(text.contains(expected), "{expected:?} is not in {text:?}");
        let title = self.browser.title().await?;
        let heading = self.browser.text("h1").await?;
        ensure!(
            title == format!("{heading} - {}", brand.partner),
            "the title is {title:?}"
        );
        let language = self.browser.language().await?;
        ensure!(
            language.as_deref() == Some(brand.language.as_str()),
            "the language is {language:?}"
        );
        let horizontal_overflow = self.browser.horizontal_overflow().await?;
        ensure!(
            horizontal_overflow <= 0.0,
            "the page is {horizontal_overflow} pixels wider than {}",
            VIEWPORT.0
        );
        if self.scripts == Scripts::Off {
            return Ok(());
        }

        for is_dark in [false, true] {
            self.browser.emulate_color_scheme(is_dark).await?;
            let violations = self.browser.accessibility_violations().await?;
            ensure!(
                violations.is_empty(),
                "on {text:?}, dark: {is_dark}:\n{}",
                violations.join("\n")
            );
        }
        self.browser.emulate_color_scheme(false).await?;
        let names = self.browser.tab_order_names().await?;
        ensure!(names.len() == focusable, "{names:?}");
        Ok(())
    }

    /// Asserts which `unsubscribed_...` attributes the contacts have.
    async fn assert_unsubscribed(&self, expected: &[&str]) -> Result<()> {
        let contacts = self.cloud.scan("ContactsTable").await?;
        let found: Vec<_> = contacts
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|contact| contact.keys())
            .filter(|name| name.starts_with("unsubscribed_"))
            .collect();
        ensure!(found == expected, "{found:?}");
        Ok(())
    }
}
