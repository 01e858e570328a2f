//! The banner that partners copy, on the page of the example product, with the deployed API behind
//! it.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use content::{Content, InProductMessage};
use engagement::Stage;
use local_cloud::{ExampleProduct, LocalCloud, Options};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use super::{organization, put};
use crate::{
    browser::{Browser, Scripts, VIEWPORT},
    support::{options, text},
};

const FIRST: &str = "2026-11-23T06:00:00Z";
const SECOND: &str = "2026-12-24T06:00:00Z";
const CLOSE: &str = "engage-banner button";

#[tokio::test(flavor = "multi_thread")]
async fn banner_shows_the_stage_message_until_dismissed_and_again_next_episode() -> Result<()> {
    let cloud = LocalCloud::start(Options {
        organizations: 1,
        ..options()
    })
    .await?;
    let product =
        ExampleProduct::start(&cloud, TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)?;
    let visit = Visit {
        cloud: &cloud,
        browser: Browser::start(Scripts::On).await?,
        content: Content::embedded()?,
        product: product.url().parse()?,
    };
    visit
        .stage_without_message_shows_nothing(Stage::Closed)
        .await?;
    visit
        .undismissible_message_has_no_close_button(Stage::BankUnverified)
        .await?;
    visit
        .dismissed_message_returns_only_in_the_next_episode(Stage::NoBankAccount)
        .await?;
    visit.names_are_escaped().await?;
    let asked = visit.browser.asked().await?;
    ensure!(
        asked
            .iter()
            .eq([&visit.product.origin().ascii_serialization()]),
        "something was asked of others: {asked:?}"
    );
    Ok(())
}

struct Visit<'a> {
    cloud: &'a LocalCloud,
    browser: Browser,
    content: Content,
    product: Url,
}

impl Visit<'_> {
    async fn stage_without_message_shows_nothing(&self, stage: Stage) -> Result<()> {
        self.enters(stage, FIRST).await?;
        self.open_page().await?;
        self.assert_no_message().await
    }

    async fn undismissible_message_has_no_close_button(&self, stage: Stage) -> Result<()> {
        self.enters(stage, FIRST).await?;
        self.open_page().await?;
        let message = self.assert_message(stage).await?;
        ensure!(
            !message.dismissible,
            "{stage} was to have a message that stays"
        );
        self.assert_accessible(&["Switch customer", &message.call_to_action.label])
            .await?;
        self.browser.screenshot("in-product-warning").await
    }

    async fn dismissed_message_returns_only_in_the_next_episode(&self, stage: Stage) -> Result<()> {
        self.enters(stage, FIRST).await?;
        self.open_page().await?;
        let message = self.assert_message(stage).await?;
        self.assert_accessible(&[
            "Switch customer",
            &message.call_to_action.label,
            "Close this message",
        ])
        .await?;
        self.browser.screenshot("in-product").await?;

        self.dismissal_failure_is_shown(stage).await?;

        self.browser.reload().await?;
        self.assert_message(stage).await?;
        self.browser.activate_by_keyboard_in_place(CLOSE).await?;
        self.assert_no_message().await?;
        self.browser.wait_for("engage-banner:focus").await?; // from where the tab key goes on
        self.browser.reload().await?;
        self.assert_no_message().await?;

        self.enters(stage, SECOND).await?;
        self.browser.reload().await?;
        self.assert_message(stage).await?;
        self.browser.click_in_place(CLOSE).await?;
        self.assert_no_message().await?;
        self.browser.reload().await?;
        self.assert_no_message().await
    }

    /// A message whose closing could not be noted stays, or else it would come back unannounced.
    async fn dismissal_failure_is_shown(&self, stage: Stage) -> Result<()> {
        self.put(&json!({"organization_id": organization(stage, FIRST)["organization_id"], "stage": "unreadable"})).await?;
        self.browser.click_in_place(CLOSE).await?;
        self.browser
            .wait_for("engage-banner .engage-status")
            .await?;
        let said = self.browser.text("engage-banner").await?;
        ensure!(
            said.contains("could not be closed") && said.contains(&self.message_of(stage)?.title),
            "{said}"
        );
        self.enters(stage, FIRST).await
    }

    async fn names_are_escaped(&self) -> Result<()> {
        const NAME: &str = "<img src=/x onerror=\"document.title='x'\"> & Söhne";
        let mut item = organization(Stage::Active, FIRST);
        item["name"] = json!(NAME);
        self.put(&item).await?;
        self.browser.open(&self.product).await?;
        self.browser.wait_for("#customers a").await?;
        self.browser.screenshot("in-product-customers").await?;
        ensure!(
            self.browser.text("#customers a").await? == NAME,
            "{}",
            self.browser.text("#customers").await?
        );
        ensure!(
            self.browser.title().await? == "Customers - Northlight Ledger",
            "a name was run"
        );
        self.assert_accessible(&[NAME]).await?;
        self.browser.click("#customers a").await?;
        self.assert_message(Stage::Active).await.map(drop)
    }

    async fn enters(&self, stage: Stage, since: &str) -> Result<()> {
        self.put(&organization(stage, since)).await
    }

    async fn put(&self, item: &Value) -> Result<()> {
        put(self.cloud, "OrganizationsTable", item).await
    }

    async fn open_page(&self) -> Result<()> {
        let id = text(&organization(Stage::Active, FIRST), "organization_id")?;
        self.browser
            .open(&self.product.join(&format!("?organization={id}"))?)
            .await
    }

    fn message_of(&self, stage: Stage) -> Result<&InProductMessage> {
        self.content
            .in_product(stage)
            .with_context(|| format!("{stage} has no message"))
    }

    async fn assert_message(&self, stage: Stage) -> Result<&InProductMessage> {
        let message = self.message_of(stage)?;
        let severity = serde_json::to_value(message.severity)?;
        let severity = severity.as_str().context("a severity that is no text")?;
        self.browser
            .wait_for(&format!(
                "engage-banner[data-messages='1'] section[data-severity={severity}]"
            ))
            .await?;
        let said = self.browser.text("engage-banner").await?;
        for words in [&message.title, &message.body, &message.call_to_action.label] {
            ensure!(said.contains(words), "{words:?} is not in {said:?}");
        }
        let link = format!("engage-banner a[href='{}']", message.call_to_action.url);
        ensure!(
            self.browser.text(&link).await? == message.call_to_action.label,
            "{said}"
        );
        ensure!(
            self.browser.has(CLOSE).await? == message.dismissible,
            "{stage}: dismissible is {}",
            message.dismissible
        );
        Ok(message)
    }

    /// After the API has answered: as long as it has not, or when it fails, this waits.
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

    async fn assert_accessible(&self, names: &[&str]) -> Result<()> {
        let horizontal_overflow = self.browser.horizontal_overflow().await?;
        ensure!(
            horizontal_overflow <= 0.0,
            "the page is {horizontal_overflow} pixels wider than {}",
            VIEWPORT.0
        );
        for is_dark in [true, false] {
            self.browser.emulate_color_scheme(is_dark).await?;
            let violations = self.browser.violations().await?;
            ensure!(
                violations.is_empty(),
                "dark: {is_dark}:\n{}",
                violations.join("\n")
            );
        }
        let reachable = self.browser.tab_order_names().await?;
        ensure!(reachable == names, "{reachable:?}");
        Ok(())
    }
}
