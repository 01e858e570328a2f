//! The messages as the API returns them. The schema is in `openapi.yaml`.

use content::InProductMessage;
use engagement::Stage;
use jiff::Timestamp;
use serde::Serialize;

/// The body of the response to `GET .../messages`: no message or one.
#[derive(Debug, Serialize)]
pub struct Messages<'a> {
    messages: Vec<Message<'a>>,
}

impl<'a> From<Option<Message<'a>>> for Messages<'a> {
    fn from(message: Option<Message<'a>>) -> Self {
        Self {
            messages: message.into_iter().collect(),
        }
    }
}

/// The message of one episode: the time from entering a stage until leaving it.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    id: String,
    stage: Stage,
    stage_since: Timestamp,
    #[serde(flatten)]
    content: &'a InProductMessage,
}

impl<'a> Message<'a> {
    /// The message of the episode that began at `stage_since`.
    pub fn new(content: &'a InProductMessage, stage: Stage, stage_since: Timestamp) -> Self {
        Self {
            id: format!("{stage}-{}", stage_since.strftime("%Y%m%dT%H%M%SZ")),
            stage,
            stage_since,
            content,
        }
    }

    /// The same id throughout the episode, and another one in each other episode of the
    /// organization. Consists of letters, digits, `-` and `_`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether users may dismiss the message.
    pub fn is_dismissible(&self) -> bool {
        self.content.dismissible
    }
}
