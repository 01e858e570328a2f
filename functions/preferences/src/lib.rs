//! The `preferences` function: the unsubscribe link of each e-mail.
//!
//! API Gateway invokes the function for `/unsubscribe/{token}`. `GET` shows what the recipient is
//! subscribed to and changes nothing, because link scanners follow links. `POST` changes it: from a
//! form of the page, or from the unsubscribe button of a mail client (one-click, RFC 8058).
//!
//! The token is the only credential: everyone who has the e-mail can unsubscribe. It contains the
//! hash of the address and the category of the e-mail, and is signed. Neither the token nor the
//! hash is logged, and every invalid token gets the same response, without a table read.
//!
//! Start reading at [`Preferences::handle`]. It uses two modules:
//!
//! - `intent` parses what a `POST` asks for.
//! - `responses` builds the pages with their security headers.
//!
//! The crate does not make tokens (`notify` does), does not check their signatures or decide what a
//! contact receives (`engagement`), and does not hold the templates of the pages (`content`).

mod config;
mod intent;
mod responses;

use aws_config::SdkConfig;
use content::{PreferencesPage, PreferencesState};
use engagement::{Contact, EmailSubscription, UnsubscribeKeys};
use runtime::{
    Failure, Invocation, Secret,
    http::{Method, Request, Response, StatusCode},
};
use store::{Contacts, StoreError, Tables, UnsubscribeScope};

use crate::{intent::Intent, responses::Responses};

pub use config::Config;

/// Handles the requests of recipients. Built once per process.
pub struct Preferences {
    /// Unsubscriptions and suppressions of each address.
    contacts: Contacts,
    /// The keys that sign the tokens.
    keys: Secret<UnsubscribeKeys>,
    responses: Responses,
}

impl Preferences {
    /// Builds the clients. An `Err` is permanent: an embedded page is invalid.
    pub fn new(config: Config, aws: &SdkConfig) -> Result<Self, Failure> {
        let keys = Secret::json(aws, config.unsubscribe_keys_secret, "unsubscribe keys")
            .with_shape(r#"{"current":"k1","k1":"..."}"#);
        let tables = Tables::new(store::interactive_client(aws), config.tables);

        Ok(Self {
            contacts: tables.contacts(),
            keys,
            responses: Responses::embedded()?,
        })
    }

    /// 500 or 503: the request failed because of this program or of AWS.
    pub fn error_response(&self, status: StatusCode) -> Response {
        self.responses.error_response(status)
    }

    /// Handles a request for `/unsubscribe/{token}`. Repeating a request has no further effect.
    ///
    /// An `Err` means that the keys, the table or a page could not be used. Whether a change was
    /// written is not known.
    pub async fn handle(
        &self,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let keys = self.keys.get().await?;
        let token = request.path_parameter("token").unwrap_or_default();
        let response = match (keys.verify(token), request.method()) {
            (None, _) => {
                invocation.metrics.count("bad_tokens");
                tracing::info!(outcome = "bad_token", "the token is invalid");
                self.responses.not_found()?
            }
            (Some(subscription), &Method::GET | &Method::HEAD) => {
                self.show_page(&subscription, invocation).await?
            }
            (Some(subscription), &Method::POST) => {
                self.apply_intent(&subscription, request, invocation)
                    .await?
            }
            (Some(_), _) => self.responses.method_not_allowed(),
        };

        Ok(if request.method() == Method::HEAD {
            response.without_body()
        } else {
            response
        })
    }

    async fn show_page(
        &self,
        subscription: &EmailSubscription,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let category = subscription.category;
        let contact = self.contacts.get(&subscription.address_hash).await?;
        let state = contact.map_or(PreferencesState::Subscribed, |contact| {
            preferences_state(&contact, subscription)
        });

        invocation.metrics.count("page_views");
        tracing::info!(outcome = "shown", %category, "the page is shown");
        self.responses.preferences(PreferencesPage {
            category,
            state,
            just_changed: false,
        })
    }

    async fn apply_intent(
        &self,
        subscription: &EmailSubscription,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Response, Failure> {
        let category = subscription.category;
        let intent = match Intent::parse(request).await {
            Ok(intent) => intent,
            Err(reason) => {
                invocation.metrics.count("bad_request");
                tracing::info!(
                    outcome = "bad_request",
                    %category,
                    %reason,
                    "the request is invalid; nothing is changed"
                );
                return Ok(self.responses.bad_request());
            }
        };

        let contact = self.write(intent, subscription, invocation).await?;

        let is_one_click = intent == Intent::OneClick;
        if is_one_click {
            invocation.metrics.count("one_click");
        }
        let outcome = match intent {
            Intent::OneClick | Intent::UnsubscribeCategory => "unsubscribed_from_category",
            Intent::UnsubscribeAll => "unsubscribed_from_all",
            Intent::Resubscribe => "resubscribed",
        };
        invocation.metrics.count(outcome);
        tracing::info!(outcome, %category, is_one_click, "the preferences are changed");

        self.responses.preferences(PreferencesPage {
            category,
            state: preferences_state(&contact, subscription),
            just_changed: true,
        })
    }

    /// Writes what the recipient asks for and returns the contact as it is now.
    async fn write(
        &self,
        intent: Intent,
        subscription: &EmailSubscription,
        invocation: &Invocation,
    ) -> Result<Contact, StoreError> {
        let scope = match intent {
            Intent::OneClick | Intent::UnsubscribeCategory => UnsubscribeScope::Category,
            Intent::UnsubscribeAll => UnsubscribeScope::All,
            Intent::Resubscribe => return self.contacts.resubscribe(subscription).await,
        };
        self.contacts
            .unsubscribe(subscription, scope, invocation.started_at)
            .await
    }
}

fn preferences_state(contact: &Contact, subscription: &EmailSubscription) -> PreferencesState {
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
