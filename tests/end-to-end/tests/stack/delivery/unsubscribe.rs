//! Leaving and coming back by the links of mails that were really sent, and what the next run of
//! notify makes of it.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use engagement::{Category, Subscription, UnsubscribeKeys};
use local_cloud::{LocalCloud, Options};
use reqwest::{Method, StatusCode};
use scraper::Html;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::{
    mail_quality::selector,
    outbox::{Outbox, STAGES, UnsubscribeLinks},
};
use crate::{
    api::{Answer, Api, answer},
    roles,
    support::options,
};

const UNSUBSCRIBER: &str = "marisol@kestrelbakehouse.example";
const SUBSCRIBER: &str = "tomas@kestrelbakehouse.example";

#[tokio::test(flavor = "multi_thread")]
async fn unsubscribing_stops_only_the_chosen_categories_from_the_next_run() -> Result<()> {
    let options = Options {
        organizations: 1,
        fault_proxy: true,
        ..options()
    };
    let cloud = LocalCloud::start(options.parameter("SendCaps", "none")).await?;
    let mut story = UnsubscribeTest {
        cloud: &cloud,
        api: Api::of(&cloud)?,
        outbox: Outbox::open(&cloud).await?,
        links: BTreeMap::new(),
    };
    story
        .all_categories_are_sent_with_unsubscribe_links()
        .await?;
    story.get_requests_change_nothing().await?;

    story.unsubscribe_by_one_click(Category::Onboarding).await?;
    story.assert_next_run_skips(&[Category::Onboarding]).await?;
    story
        .submit_form(Category::Reengagement, "leave_category")
        .await?;
    story
        .assert_next_run_skips(&[Category::Onboarding, Category::Reengagement])
        .await?;
    story.submit_form(Category::Onboarding, "come_back").await?;
    story
        .assert_next_run_skips(&[Category::Reengagement])
        .await?;
    story.submit_form(Category::Product, "leave_all").await?;
    story
        .assert_next_run_skips(&[
            Category::Onboarding,
            Category::Reengagement,
            Category::Product,
        ])
        .await?;
    story.submit_form(Category::Product, "come_back").await?;
    story
        .assert_next_run_skips(&[Category::Reengagement])
        .await?;

    story.preferences_makes_only_the_required_calls()?;
    let took = story.invalid_tokens_get_identical_responses().await?;
    for (kind, median) in took {
        println!(
            "median answer time, {kind}: {:.2} ms",
            median.as_secs_f64() * 1000.0
        );
    }
    Ok(())
}

struct UnsubscribeTest<'a> {
    cloud: &'a LocalCloud,
    api: Api,
    outbox: Outbox<'a>,
    /// Of the mails to the one who leaves.
    links: BTreeMap<Category, UnsubscribeLinks>,
}

impl UnsubscribeTest<'_> {
    async fn all_categories_are_sent_with_unsubscribe_links(&mut self) -> Result<()> {
        let round = self.outbox.round(&[UNSUBSCRIBER, SUBSCRIBER]).await?;
        ensure!(
            round.outcomes.len() == 2 * STAGES.len(),
            "{:?}",
            round.outcomes
        );
        ensure!(
            round.outcomes.values().all(|outcome| outcome == "sent"),
            "{:?}",
            round.outcomes
        );
        self.links = round
            .mails
            .into_iter()
            .filter(|((address, _), _)| address == UNSUBSCRIBER)
            .map(|((_, kind), links)| (kind, links))
            .collect();
        Ok(())
    }

    /// Whatever follows links before their reader does: programs that fetch pages ahead, preview
    /// them or look for malware.
    async fn get_requests_change_nothing(&self) -> Result<()> {
        let before = self.contacts().await?;
        ensure!(before.len() == 2, "{before:?}");
        for link in self
            .links
            .values()
            .flat_map(|links| [&links.header, &links.page])
        {
            let page = self.api.get(link).await?;
            ensure!(
                page.status == StatusCode::OK
                    && actions(&page.body)? == ["leave_category", "leave_all"],
                "{page:?}"
            );
            let scanner = self.api.request(Method::GET, link).header(
                "user-agent",
                "LinkScanner/1.0 (+https://scanner.example) curl",
            );
            let ahead = scanner
                .header("sec-purpose", "prefetch;prerender")
                .header("purpose", "prefetch")
                .header("x-moz", "prefetch");
            ensure!(
                answer(ahead).await? == page,
                "a program that fetches ahead gets another page"
            );
            let head = answer(self.api.request(Method::HEAD, link)).await?;
            ensure!(
                head.status == StatusCode::OK && head.body.is_empty(),
                "{head:?}"
            );
        }
        ensure!(
            self.contacts().await? == before,
            "looking has changed a contact"
        );
        Ok(())
    }

    /// What a mail client sends when its reader presses its button (RFC 8058, section 3.2).
    async fn unsubscribe_by_one_click(&self, category: Category) -> Result<()> {
        let answer = self
            .api
            .post(&self.links[&category].header, "List-Unsubscribe=One-Click")
            .await?;
        ensure!(answer.status == StatusCode::OK, "{answer:?}");
        Ok(())
    }

    /// What a browser sends when its user presses a button of the page.
    async fn submit_form(&self, category: Category, action: &str) -> Result<()> {
        let link = &self.links[&category].page;
        let page = self.api.get(link).await?;
        let (target, body) = form(&page.body, link, action)?;
        let answer = self.api.post(&target, &body).await?;
        ensure!(
            answer.status == StatusCode::OK && answer.body.contains("Done."),
            "{answer:?}"
        );
        Ok(())
    }

    async fn assert_next_run_skips(&mut self, left: &[Category]) -> Result<()> {
        let round = self.outbox.round(&[UNSUBSCRIBER, SUBSCRIBER]).await?;
        let outcome = |who: &str, kind| {
            if who == UNSUBSCRIBER && left.contains(&kind) {
                "skipped:unsubscribed"
            } else {
                "sent"
            }
        };
        let everything = [UNSUBSCRIBER, SUBSCRIBER]
            .into_iter()
            .flat_map(|who| STAGES.map(|(kind, ..)| (who.to_owned(), kind)));
        let expected: BTreeMap<_, _> = everything
            .map(|letter| (letter.clone(), outcome(&letter.0, letter.1).to_owned()))
            .collect();
        ensure!(
            round.outcomes == expected,
            "after leaving {left:?}: {:#?}",
            round.outcomes
        );
        Ok(())
    }

    fn preferences_makes_only_the_required_calls(&self) -> Result<()> {
        let called = roles::called(self.cloud, "PreferencesFunction")?;
        let needed = [
            "dynamodb.GetItem ContactsTable",
            "dynamodb.UpdateItem ContactsTable",
            "secretsmanager.GetSecretValue UnsubscribeKeysSecret",
        ];
        ensure!(called.iter().eq(needed), "{called:?}");
        Ok(())
    }

    /// How long the answers took, for people to read: what is compared takes the same steps for
    /// each of them.
    async fn invalid_tokens_get_identical_responses(
        &self,
    ) -> Result<BTreeMap<&'static str, Duration>> {
        const SAMPLES: usize = 25;
        let before = self.contacts().await?;
        let bad = self.bad_tokens().await?;
        let mut expected: Option<Answer> = None;
        let mut took = BTreeMap::<_, Vec<Duration>>::new();
        for (kind, token) in (0..SAMPLES).flat_map(|_| &bad) {
            let address = self.api.unsubscribe_url(token)?;
            let began = std::time::Instant::now();
            let answer = self.api.get(&address).await?;
            took.entry(*kind).or_default().push(began.elapsed());
            ensure!(answer.status == StatusCode::NOT_FOUND, "{kind}: {answer:?}");
            ensure!(
                *expected.get_or_insert_with(|| answer.clone()) == answer,
                "{kind}: {answer:?}"
            );
        }
        for (kind, token) in &bad {
            for body in ["List-Unsubscribe=One-Click", "action=leave_all"] {
                let answer = self
                    .api
                    .post(&self.api.unsubscribe_url(token)?, body)
                    .await?;
                ensure!(expected.as_ref() == Some(&answer), "{kind}: {answer:?}");
            }
        }
        let none = self.api.get(&self.api.unsubscribe_url("")?).await?; // answered by the API: it has no such route
        ensure!(none.status == StatusCode::NOT_FOUND, "{none:?}");
        ensure!(
            self.contacts().await? == before,
            "a token that is not ours has changed a contact"
        );
        Ok(took
            .into_iter()
            .map(|(kind, mut times)| (kind, *times.select_nth_unstable(SAMPLES / 2).1))
            .collect())
    }

    /// Tokens with something wrong, by what is wrong.
    async fn bad_tokens(&self) -> Result<BTreeMap<&'static str, String>> {
        let link = &self.links[&Category::Onboarding].page;
        let good = link
            .path_segments()
            .and_then(Iterator::last)
            .context("a link without a token")?;
        let [key, hash, category, signature] = good.split('.').collect::<Vec<_>>()[..] else {
            anyhow::bail!("a token of another form: {good}")
        };
        let secret = self
            .cloud
            .secrets()
            .get_secret_value()
            .secret_id(self.cloud.output("UnsubscribeKeysSecret")?)
            .send()
            .await?;
        let ours: Value = serde_json::from_str(secret.secret_string().unwrap_or_default())?;
        let keys: UnsubscribeKeys = serde_json::from_value(ours.clone())?;
        let subscription: Subscription = keys
            .verify(good)
            .context("the token of a mail does not verify")?;
        let theirs: UnsubscribeKeys =
            serde_json::from_value(json!({"current": "k1", "k1": "x".repeat(64)}))?;
        let next: UnsubscribeKeys =
            serde_json::from_value(json!({"current": "k2", "k2": ours["k1"]}))?; // signed by us, under a name that is unknown
        let changed = if signature.starts_with('A') { "B" } else { "A" };
        Ok(BTreeMap::from([
            ("cut short", good[..good.len() - 1].to_owned()),
            ("without its signature", format!("{key}.{hash}.{category}")),
            (
                "one character changed",
                format!("{key}.{hash}.{category}.{changed}{}", &signature[1..]),
            ),
            (
                "another category",
                format!("{key}.{hash}.product.{signature}"),
            ),
            ("another key", theirs.token(&subscription)),
            ("another version", next.token(&subscription)),
            ("overlong", format!("{good}{}", "A".repeat(4_000))),
            ("a blank", "%20".to_owned()),
            ("garbage", "garbage".to_owned()),
        ]))
    }

    async fn contacts(&self) -> Result<BTreeMap<String, Value>> {
        let items = self.cloud.scan("ContactsTable").await?;
        items
            .into_iter()
            .map(|item| Ok((crate::support::text(&item, "address_hash")?, item)))
            .collect()
    }
}

/// What the forms of a page do.
fn actions(page: &str) -> Result<Vec<String>> {
    let inputs = selector("form input[name=action]")?;
    Ok(Html::parse_document(page)
        .select(&inputs)
        .filter_map(|input| input.attr("value").map(str::to_owned))
        .collect())
}

/// Where a form of a page leads, and what it sends there.
fn form(page: &str, address: &Url, action: &str) -> Result<(Url, String)> {
    let page = Html::parse_document(page);
    let (forms, inputs) = (selector("form")?, selector("input[name]")?);
    for form in page.select(&forms) {
        let fields: Vec<_> = form
            .select(&inputs)
            .filter_map(|input| Some((input.attr("name")?, input.attr("value")?)))
            .collect();
        if fields.contains(&("action", action)) {
            ensure!(
                form.attr("method")
                    .is_some_and(|method| method.eq_ignore_ascii_case("post")),
                "a form that does not post"
            );
            let target = form
                .attr("action")
                .map_or_else(|| Ok(address.clone()), |target| address.join(target))?;
            return Ok((
                target,
                form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish(),
            ));
        }
    }
    anyhow::bail!("no form for {action} in {}", page.html())
}
