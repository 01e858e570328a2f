//! The page behind a mail's link in a browser: what people see, with and without scripts, by mouse
//! and by keyboard.

use anyhow::{Result, ensure};
use content::Content;
use engagement::Category;
use local_cloud::{LocalCloud, Options};
use serde_json::Value;
use url::Url;

use super::outbox::Outbox;
use crate::{
    api::Api,
    browser::{Browser, Scripts, VIEWPORT},
    support::options,
};

#[tokio::test(flavor = "multi_thread")]
async fn recipients_unsubscribe_and_resubscribe_with_and_without_scripts() -> Result<()> {
    let cloud = LocalCloud::start(
        Options {
            organizations: 1,
            fault_proxy: true,
            ..options()
        }
        .parameter("SendCaps", "none"),
    )
    .await?;
    let address = "marisol@kestrelbakehouse.example";
    let mails = Outbox::open(&cloud).await?.round(&[address]).await?.mails;
    let link = &mails[&(address.to_owned(), Category::Onboarding)].page;
    for scripts in [Scripts::Off, Scripts::On] {
        let visit = Visit {
            cloud: &cloud,
            browser: Browser::start(scripts).await?,
            scripts,
            content: Content::embedded()?,
        };
        visit.unsubscribes_and_resubscribes(link).await?;
        visit
            .follows_a_broken_link(&Api::of(&cloud)?.unsubscribe_url("garbage")?)
            .await?;
        let asked = visit.browser.asked().await?;
        ensure!(
            asked.iter().eq([&link.origin().ascii_serialization()]),
            "the pages load from elsewhere: {asked:?}"
        );
    }
    Ok(())
}

struct Visit<'a> {
    cloud: &'a LocalCloud,
    browser: Browser,
    scripts: Scripts,
    content: Content,
}

impl Visit<'_> {
    async fn unsubscribes_and_resubscribes(&self, link: &Url) -> Result<()> {
        let product = &self.content.brand().product;
        self.browser.open(link).await?;
        self.browser.screenshot("unsubscribe").await?;
        self.shows("You receive our getting-started e-mails", 3)
            .await?;

        self.submit_action("leave_category").await?;
        self.browser.screenshot("unsubscribe-left").await?;
        self.shows("Done. You no longer receive our getting-started e-mails", 3)
            .await?;
        ensure!(
            self.marks().await? == ["unsubscribed_onboarding"],
            "{:?}",
            self.marks().await?
        );

        self.browser.emulate_color_scheme(true).await?;
        self.submit_action("come_back").await?;
        self.browser.screenshot("unsubscribe-back-dark").await?;
        self.shows("Done. You receive our getting-started e-mails", 3)
            .await?;
        ensure!(self.marks().await?.is_empty(), "{:?}", self.marks().await?);

        self.submit_action("leave_all").await?;
        self.shows(
            &format!("Done. You no longer receive any of our e-mails about {product}"),
            2,
        )
        .await?;
        ensure!(
            self.marks().await? == ["unsubscribed_all"],
            "{:?}",
            self.marks().await?
        );

        self.browser.open(link).await?;
        self.shows(
            &format!("You no longer receive any of our e-mails about {product}"),
            2,
        )
        .await?;
        self.submit_action("come_back").await?;
        self.shows("Done. You receive our getting-started e-mails", 3)
            .await
    }

    async fn follows_a_broken_link(&self, link: &Url) -> Result<()> {
        self.browser.open(link).await?;
        self.shows("Perhaps only part of it was copied", 1).await
    }

    async fn submit_action(&self, action: &str) -> Result<()> {
        let button = format!("form:has(input[name=action][value={action}]) button");
        match self.scripts {
            Scripts::Off => self.browser.press(&button).await,
            Scripts::On => self.browser.click(&button).await,
        }
    }

    /// The page says this, has that many things to use, and is fit for everybody.
    async fn shows(&self, words: &str, controls: usize) -> Result<()> {
        let text = self.browser.text("main").await?;
        ensure!(text.contains(words), "{words:?} is not in {text:?}");
        let title = self.browser.title().await?;
        let heading = self.browser.text("h1").await?;
        ensure!(
            title == format!("{heading} - {}", self.content.brand().partner),
            "its title is {title:?}"
        );
        ensure!(
            self.browser.language().await?.as_deref()
                == Some(self.content.brand().language.as_str()),
            "another language"
        );
        let horizontal_overflow = self.browser.horizontal_overflow().await?;
        ensure!(
            horizontal_overflow <= 0.0,
            "the page is {horizontal_overflow} pixels wider than {}",
            VIEWPORT.0
        );
        if self.scripts == Scripts::On {
            for is_dark in [false, true] {
                self.browser.emulate_color_scheme(is_dark).await?;
                let violations = self.browser.violations().await?;
                ensure!(
                    violations.is_empty(),
                    "on {text:?}, dark: {is_dark}:\n{}",
                    violations.join("\n")
                );
            }
            self.browser.emulate_color_scheme(false).await?;
            let names = self.browser.tab_order_names().await?;
            ensure!(names.len() == controls, "{names:?}");
        }
        Ok(())
    }

    /// What the recipient has left.
    async fn marks(&self) -> Result<Vec<String>> {
        let contacts = self.cloud.scan("ContactsTable").await?;
        let attributes = contacts
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|contact| contact.keys());
        Ok(attributes
            .filter(|name| name.starts_with("unsubscribed_"))
            .cloned()
            .collect())
    }
}
