//! Preferences: where the link at the end of each mail leads. `GET` shows what its recipient
//! receives and changes nothing, because link scanners follow links; `POST` changes it, from the
//! page's forms or by a mail client's one click (RFC 8058).
//!
//! The token in the path is all that is asked for: who has the mail may leave. So it is never
//! logged, nor is whose it is.

mod answers;
mod config;
mod intent;

use content::{PreferencesPage, PreferencesState};
use engagement::{Contact, Subscription, UnsubscribeKeys};
use runtime::{
    Failure, Metrics, clock,
    http::{Method, Request, Response},
};
use store::{Contacts, Scope, StoreError};

pub use answers::Answers;
pub use config::Config;
pub use intent::{Intent, IntentError};

/// Answers recipients. Built once per process.
pub struct Preferences {
    /// What is known of each address.
    pub contacts: Contacts,
    /// The pages.
    pub answers: Answers,
}

impl Preferences {
    /// Answers `/unsubscribe/{token}`. A token that is not ours gets the same answer whatever is
    /// wrong with it, and whatever it is asked with.
    ///
    /// May be repeated. An `Err` means that the table or a page could not be used; whether a change
    /// was made is not known.
    pub async fn answer(
        &self,
        request: &Request,
        keys: &UnsubscribeKeys,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        let token = request.path_parameter("token").unwrap_or_default();
        let response = match (keys.verify(token), request.method()) {
            (None, _) => {
                metrics.count("bad_tokens");
                tracing::info!(outcome = "bad_token", "a token is not ours");
                self.answers.not_found()?
            }
            (Some(subscription), &Method::GET | &Method::HEAD) => {
                self.show(&subscription, metrics).await?
            }
            (Some(subscription), &Method::POST) => {
                self.act(&subscription, request, metrics).await?
            }
            (Some(_), _) => self.answers.method_not_allowed(),
        };
        Ok(if request.method() == Method::HEAD {
            response.without_body()
        } else {
            response
        })
    }

    async fn show(
        &self,
        subscription: &Subscription,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        let Subscription {
            address_hash,
            category,
        } = subscription;
        let contact = self.contacts.get(address_hash).await.map_err(stored)?;
        let state = contact.map_or(PreferencesState::Subscribed, |contact| {
            state(&contact, subscription)
        });
        metrics.count("page_views");
        tracing::info!(outcome = "shown", %category, "the page is shown");
        self.answers.preferences(&PreferencesPage {
            category: *category,
            state,
            just_changed: false,
        })
    }

    async fn act(
        &self,
        subscription: &Subscription,
        request: &Request,
        metrics: &Metrics,
    ) -> Result<Response, Failure> {
        let category = subscription.category;
        let intent = match Intent::of(request).await {
            Ok(intent) => intent,
            Err(reason) => {
                metrics.count("not_understood");
                tracing::info!(outcome = "not_understood", %category, %reason, "a request is not understood");
                return Ok(self.answers.bad_request());
            }
        };
        let now = clock::now();
        let changed = match intent {
            Intent::OneClick | Intent::UnsubscribeCategory => {
                self.contacts
                    .leave(subscription, Scope::Category, now)
                    .await
            }
            Intent::UnsubscribeAll => self.contacts.leave(subscription, Scope::All, now).await,
            Intent::Resubscribe => self.contacts.come_back(subscription).await,
        };
        let contact = changed.map_err(stored)?;
        let is_one_click = intent == Intent::OneClick;
        if is_one_click {
            metrics.count("one_click");
        }
        let outcome = match intent {
            Intent::OneClick | Intent::UnsubscribeCategory => "unsubscribed_from_category",
            Intent::UnsubscribeAll => "unsubscribed_from_all",
            Intent::Resubscribe => "resubscribed",
        };
        metrics.count(outcome);
        tracing::info!(outcome, %category, is_one_click, "a recipient has said what to send");
        self.answers.preferences(&PreferencesPage {
            category,
            state: state(&contact, subscription),
            just_changed: true,
        })
    }
}

fn state(contact: &Contact, subscription: &Subscription) -> PreferencesState {
    if contact.suppression().is_some() {
        PreferencesState::Suppressed
    } else if contact.unsubscribed_all.is_some() {
        PreferencesState::UnsubscribedFromAll
    } else if contact.is_unsubscribed_from(subscription.category) {
        PreferencesState::UnsubscribedFromCategory
    } else {
        PreferencesState::Subscribed
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stored(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
