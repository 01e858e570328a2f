//! The partner's credentials.

use serde::Serialize;

/// The credentials that a partner signs in with. The default is fictional.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The e-mail address of the partner's BILL account.
    pub username: String,
    /// The account's password.
    pub password: String,
    /// The application key, sent in the body of `partnerLogin` and in the header `appKey` of
    /// partner operations.
    pub app_key: String,
    /// The developer key, sent in the header `devKey` of organization operations.
    pub dev_key: String,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            username: "api-partner@northlight-ledger.example".to_owned(),
            password: "not-a-real-password".to_owned(),
            app_key: "01FAKEAPPKEYNORTHLIGHT0000".to_owned(),
            dev_key: "01FAKEDEVKEYNORTHLIGHT0000".to_owned(),
        }
    }
}

impl Credentials {
    /// The JSON that the product stores in its secret: `{"username","password","appKey","devKey"}`.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}
