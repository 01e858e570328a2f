//! The banner that partners copy, on the page of the example product, with the deployed API.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use content::{Content, InProductMessage};
use engagement::Stage;
use local_cloud::{ExampleProduct, LocalCloud, Options};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::support::{organization_item, put_item};
use crate::{
    browser::{Browser, Scripts, VIEWPORT},
    support::{options, text_attribute},
};

const FIRST_EPISODE: &str = "2026-11-23T06:00:00Z";
const SECOND_EPISODE: &str = "2026-12-24T06:00:00Z";
const CLOSE_BUTTON: &str = "engage-banner button";

#[tokio::test(flavor = "multi_thread")]
async fn banner_shows_the_stage_message_until_dismissed_and_again_next_episode() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        ..options()
    })
    .await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let product = ExampleProduct::start(&cloud, listener)?;
    let test = BannerTest {
        cloud: &cloud,
        browser: Browser::start(Scripts::On).await?,
        content: Content::embedded()?,
        product: product.url().parse()?,
    };

    test.stage_without_message_shows_nothing(Stage::Closed)
        .await?;
    test.undismissible_message_has_no_close_button(Stage::BankUnverified)
        .await?;
    test.dismissed_message_returns_only_in_the_next_episode(Stage::NoBankAccount)
        .await?;
    test.names_are_escaped().await?;

    let origins = test.browser.requested_origins().await?;
    ensure!(
        origins
            .iter()
            .eq([&test.product.origin().ascii_serialization()]),
        "requests to other origins: {origins:?}"
    );
    Ok(())
}

struct BannerTest<'a> {
    cloud: &'a LocalCloud,
    browser: Browser,
    content: Content,
    product: Url,
}

impl BannerTest<'_> {
    async fn stage_without_message_shows_nothing(&self, stage: Stage) -> Result<()> {
        self.set_stage(stage, FIRST_EPISODE).await?;
        self.open_page().await?;

        self.assert_no_message().await
    }

    async fn undismissible_message_has_no_close_button(&self, stage: Stage) -> Result<()> {
        self.set_stage(stage, FIRST_EPISODE).await?;
        self.open_page().await?;

        let message = self.assert_message(stage).await?;
        ensure!(
            !message.dismissible,
            "the message of {stage} can be dismissed"
        );
        self.assert_accessible(&["Switch customer", &message.call_to_action.label])
            .await?;
        self.browser.screenshot("in-product-warning").await
    }

    async fn dismissed_message_returns_only_in_the_next_episode(&self, stage: Stage) -> Result<()> {
        self.set_stage(stage, FIRST_EPISODE).await?;
        self.open_page().await?;
        let message = self.assert_message(stage).await?;
        let label = message.call_to_action.label.as_str();
        self.assert_accessible(&["Switch customer", label, "Close this message"])
            .await?;
        self.browser.screenshot("in-product").await?;

        self.dismissal_failure_is_shown(stage).await?;

        self.browser.reload().await?;
        self.assert_message(stage).await?;
        self.browser
            .activate_by_keyboard_in_place(CLOSE_BUTTON)
            .await?;
        self.assert_no_message().await?;
        // The focus moves to the banner, so that the tab order continues from there.
        self.browser.wait_for("engage-banner:focus").await?;
        self.browser.reload().await?;
        self.assert_no_message().await?;

        self.set_stage(stage, SECOND_EPISODE).await?;
        self.browser.reload().await?;
        self.assert_message(stage).await?;
        self.browser.click_in_place(CLOSE_BUTTON).await?;
        self.assert_no_message().await?;
        self.browser.reload().await?;
        self.assert_no_message().await
    }

    /// If the dismissal fails, the banner keeps the message and shows an error. Otherwise the
    /// message would return without explanation.
    async fn dismissal_failure_is_shown(&self, stage: Stage) -> Result<()> {
        let id = organization_id()?;
        self.put_organization(&json!({"organization_id": id, "stage": "unreadable"}))
            .await?;
        self.browser.click_in_place(CLOSE_BUTTON).await?;
        self.browser
            .wait_for("engage-banner .engage-status")
            .await?;

        let text = self.browser.text("engage-banner").await?;
        ensure!(
            text.contains("could not be closed") && text.contains(&self.message_of(stage)?.title),
            "{text}"
        );
        self.set_stage(stage, FIRST_EPISODE).await
    }

    async fn names_are_escaped(&self) -> Result<()> {
        const NAME: &str = "<img src=/x onerror=\"document.title='x'\"> & Söhne";

        let mut item = organization_item(Stage::Active, FIRST_EPISODE);
        item["name"] = json!(NAME);
        self.put_organization(&item).await?;
        self.browser.open(&self.product).await?;
        self.browser.wait_for("#customers a").await?;
        self.browser.screenshot("in-product-customers").await?;

        let text = self.browser.text("#customers a").await?;
        ensure!(text == NAME, "{text}");
        let title = self.browser.title().await?;
        ensure!(
            title == "Customers - Northlight Ledger",
            "a name was run as HTML: the title is {title}"
        );
        self.assert_accessible(&[NAME]).await?;

        self.browser.click("#customers a").await?;
        self.assert_message(Stage::Active).await.map(drop)
    }

    async fn set_stage(&self, stage: Stage, since: &str) -> Result<()> {
        self.put_organization(&organization_item(stage, since))
            .await
    }

    async fn put_organization(&self, item: &Value) -> Result<()> {
        put_item(self.cloud, "OrganizationsTable", item).await
    }

    async fn open_page(&self) -> Result<()> {
        let page = format!("?organization={}", organization_id()?);

        self.browser.open(&self.product.join(&page)?).await
    }

    fn message_of(&self, stage: Stage) -> Result<&InProductMessage> {
        self.content
            .in_product_message(stage)
            .with_context(|| format!("{stage} has no message"))
    }

    async fn assert_message(&self, stage: Stage) -> Result<&InProductMessage> {
        let message = self.message_of(stage)?;
        let severity = serde_json::to_value(message.severity)?;
        let severity = severity.as_str().context("the severity is not a text")?;
        let section = format!("section[data-severity={severity}]");
        self.browser
            .wait_for(&format!("engage-banner[data-messages='1'] {section}"))
            .await?;

        let text = self.browser.text("engage-banner").await?;
        for expected in [&message.title, &message.body, &message.call_to_action.label] {
            ensure!(text.contains(expected), "{expected:?} is not in {text:?}");
        }
        let link = format!("engage-banner a[href='{}']", message.call_to_action.url);
        ensure!(
            self.browser.text(&link).await? == message.call_to_action.label,
            "{text}"
        );
        ensure!(
            self.browser.has(CLOSE_BUTTON).await? == message.dismissible,
            "{stage}: dismissible is {}",
            message.dismissible
        );
        Ok(message)
    }

    /// Waits for the response of the API: without one, or when it is an error, this times out.
    async fn assert_no_message(&self) -> Result<()> {
        self.browser
            .wait_for("engage-banner[data-messages='0']")
            .await?;

        ensure!(
            !self.browser.has("engage-banner section").await?,
            "{}",
            self.browser.text("engage-banner").await?
        );
        Ok(())
    }

    /// `names` are the accessible names of all focusable elements, in the tab order.
    async fn assert_accessible(&self, names: &[&str]) -> Result<()> {
        let horizontal_overflow = self.browser.horizontal_overflow().await?;
        ensure!(
            horizontal_overflow <= 0.0,
            "the page is {horizontal_overflow} pixels wider than {}",
            VIEWPORT.0
        );

        for is_dark in [true, false] {
            self.browser.emulate_color_scheme(is_dark).await?;
            let violations = self.browser.accessibility_violations().await?;
            ensure!(
                violations.is_empty(),
                "dark: {is_dark}:\n{}",
                violations.join("\n")
            );
        }

        let tab_order = self.browser.tab_order_names().await?;
        ensure!(tab_order == names, "{tab_order:?}");
        Ok(())
    }
}

fn organization_id() -> Result<String> {
    let item = organization_item(Stage::Active, FIRST_EPISODE);

    text_attribute(&item, "organization_id")
}
