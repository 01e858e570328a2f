//! A message as the partner's product gets it.

use content::InProductMessage;
use engagement::Stage;
use jiff::Timestamp;
use serde::Serialize;

/// What there is to show: the answer to a request for messages.
#[derive(Debug, Serialize)]
pub struct Messages<'a> {
    messages: Vec<Message<'a>>,
}

/// The message of one episode: of the time that an organization spends in a stage without leaving
/// it.
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

    /// The same throughout the episode, and never again; letters, digits, `-` and `_`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether users may close it.
    pub fn can_be_dismissed(&self) -> bool {
        self.content.dismissible
    }
}

impl<'a> From<Option<Message<'a>>> for Messages<'a> {
    fn from(message: Option<Message<'a>>) -> Self {
        Self {
            messages: message.into_iter().collect(),
        }
    }
}
