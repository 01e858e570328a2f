//! Unsubscribing and resubscribing by the links of sent e-mails, and its effect on the next run of
//! notify.

mod invalid_tokens;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use engagement::Category;
use local_cloud::{LocalCloud, Options};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use self::invalid_tokens::invalid_tokens_get_identical_responses;
use super::outbox::{Outbox, STAGE_PER_CATEGORY, UnsubscribeLinks};
use crate::{
    preferences_client::{PreferencesClient, form_actions, form_request, send},
    roles::calls::recorded_calls,
    support::{options, text_attribute},
};

/// Unsubscribes and resubscribes.
const UNSUBSCRIBER: &str = "marisol@kestrelbakehouse.example";

/// Gets every e-mail.
const SUBSCRIBER: &str = "tomas@kestrelbakehouse.example";

#[tokio::test(flavor = "multi_thread")]
async fn unsubscribing_stops_only_the_chosen_categories_from_the_next_run() -> Result<()> {
    let options = Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    };
    let cloud = LocalCloud::start(options.parameter("SendCaps", "none")).await?;
    let mut test = UnsubscribeTest {
        cloud: &cloud,
        client: PreferencesClient::new(&cloud)?,
        outbox: Outbox::new(&cloud).await?,
        links: BTreeMap::new(),
    };

    test.all_categories_are_sent_with_unsubscribe_links()
        .await?;
    test.get_requests_change_nothing().await?;
    test.unsubscribed_categories_are_skipped().await?;
    test.preferences_makes_only_the_required_calls()?;
    test.invalid_tokens_change_nothing().await
}

struct UnsubscribeTest<'a> {
    cloud: &'a LocalCloud,
    client: PreferencesClient,
    outbox: Outbox<'a>,
    /// The links of the e-mails to [`UNSUBSCRIBER`].
    links: BTreeMap<Category, UnsubscribeLinks>,
}

impl UnsubscribeTest<'_> {
    async fn all_categories_are_sent_with_unsubscribe_links(&mut self) -> Result<()> {
        let round = self.outbox.send_round(&[UNSUBSCRIBER, SUBSCRIBER]).await?;

        ensure!(
            round.outcomes.len() == 2 * STAGE_PER_CATEGORY.len()
                && round.outcomes.values().all(|outcome| outcome == "sent"),
            "{:?}",
            round.outcomes
        );
        self.links = round
            .emails
            .into_iter()
            .filter(|((address, _), _)| address == UNSUBSCRIBER)
            .map(|((_, category), links)| (category, links))
            .collect();
        Ok(())
    }

    /// Prefetchers, previews and link scanners send GET and HEAD requests before the recipient
    /// opens a link.
    async fn get_requests_change_nothing(&self) -> Result<()> {
        let before = contacts(self.cloud).await?;
        ensure!(before.len() == 2, "{before:?}");

        for link in self
            .links
            .values()
            .flat_map(|links| [&links.header, &links.page])
        {
            let page = self.client.get(link).await?;
            ensure!(
                page.status == StatusCode::OK
                    && form_actions(&page.body)? == ["leave_category", "leave_all"],
                "{page:?}"
            );

            let scanner = "LinkScanner/1.0 (+https://scanner.example) curl";
            let prefetch = self
                .client
                .request(Method::GET, link)
                .header("user-agent", scanner)
                .header("sec-purpose", "prefetch;prerender")
                .header("purpose", "prefetch")
                .header("x-moz", "prefetch");
            ensure!(
                send(prefetch).await? == page,
                "a prefetch request gets another page"
            );

            let head = send(self.client.request(Method::HEAD, link)).await?;
            ensure!(
                head.status == StatusCode::OK && head.body.is_empty(),
                "{head:?}"
            );
        }

        ensure!(
            contacts(self.cloud).await? == before,
            "a GET or HEAD request changed a contact"
        );
        Ok(())
    }

    async fn unsubscribed_categories_are_skipped(&mut self) -> Result<()> {
        use Category::{Onboarding, Product, Reengagement};

        self.unsubscribe_by_one_click(Onboarding).await?;
        self.assert_next_run_skips(&[Onboarding]).await?;

        self.submit_form(Reengagement, "leave_category").await?;
        self.assert_next_run_skips(&[Onboarding, Reengagement])
            .await?;

        self.submit_form(Onboarding, "come_back").await?;
        self.assert_next_run_skips(&[Reengagement]).await?;

        self.submit_form(Product, "leave_all").await?;
        self.assert_next_run_skips(&[Onboarding, Reengagement, Product])
            .await?;

        self.submit_form(Product, "come_back").await?;
        self.assert_next_run_skips(&[Reengagement]).await
    }

    /// Sends the request of an e-mail client's unsubscribe button (RFC 8058, section 3.2).
    async fn unsubscribe_by_one_click(&self, category: Category) -> Result<()> {
        let url = &self.links[&category].header;
        let response = self.client.post(url, "List-Unsubscribe=One-Click").await?;
        ensure!(response.status == StatusCode::OK, "{response:?}");
        Ok(())
    }

    /// Submits a form of the page as a browser does.
    async fn submit_form(&self, category: Category, action: &str) -> Result<()> {
        let link = &self.links[&category].page;
        let page = self.client.get(link).await?;
        let (target, body) = form_request(&page.body, link, action)?;

        let response = self.client.post(&target, &body).await?;

        ensure!(
            response.status == StatusCode::OK && response.body.contains("Done."),
            "{response:?}"
        );
        Ok(())
    }

    async fn assert_next_run_skips(&mut self, unsubscribed: &[Category]) -> Result<()> {
        let round = self.outbox.send_round(&[UNSUBSCRIBER, SUBSCRIBER]).await?;

        let outcome = |address: &str, category| {
            if address == UNSUBSCRIBER && unsubscribed.contains(&category) {
                "skipped:unsubscribed"
            } else {
                "sent"
            }
        };
        let expected: BTreeMap<_, _> = [UNSUBSCRIBER, SUBSCRIBER]
            .into_iter()
            .flat_map(|address| STAGE_PER_CATEGORY.map(|(category, ..)| (address, category)))
            .map(|(address, category)| {
                let outcome = outcome(address, category).to_owned();
                ((address.to_owned(), category), outcome)
            })
            .collect();
        ensure!(
            round.outcomes == expected,
            "unsubscribed from {unsubscribed:?}: {:#?}",
            round.outcomes
        );
        Ok(())
    }

    fn preferences_makes_only_the_required_calls(&self) -> Result<()> {
        let calls = recorded_calls(self.cloud, "PreferencesFunction")?;
        let required = [
            "dynamodb.GetItem ContactsTable",
            "dynamodb.UpdateItem ContactsTable",
            "secretsmanager.GetSecretValue UnsubscribeKeysSecret",
        ];
        ensure!(calls.iter().eq(required), "{calls:?}");
        Ok(())
    }

    async fn invalid_tokens_change_nothing(&self) -> Result<()> {
        let before = contacts(self.cloud).await?;
        let link = &self.links[&Category::Onboarding].page;

        invalid_tokens_get_identical_responses(self.cloud, &self.client, link).await?;

        ensure!(
            contacts(self.cloud).await? == before,
            "an invalid token changed a contact"
        );
        Ok(())
    }
}

/// The items of the contacts table by address hash.
async fn contacts(cloud: &LocalCloud) -> Result<BTreeMap<String, Value>> {
    let items = cloud.scan("ContactsTable").await?;

    items
        .into_iter()
        .map(|item| Ok((text_attribute(&item, "address_hash")?, item)))
        .collect()
}
