//! The messages that the partner's product shows.

use content::Severity;
use engagement::Stage;
use strum::IntoEnumIterator;

use crate::support::content;

#[test]
fn in_product_messages_are_short_and_info_ones_are_dismissible() {
    let content = content();
    for message in Stage::iter().filter_map(|stage| content.in_product_message(stage)) {
        assert!(
            (8..50).contains(&message.title.chars().count()),
            "{}",
            message.title
        );
        assert!(
            (30..160).contains(&message.body.chars().count()),
            "{}",
            message.body
        );
        assert!(
            (5..25).contains(&message.call_to_action.label.chars().count()),
            "{}",
            message.call_to_action.label
        );
        assert!(
            !message.body.contains('!') && message.body.ends_with(['.', '?']),
            "{}",
            message.body
        );
        assert!(
            message.dismissible || message.severity != Severity::Info,
            "{}",
            message.title
        );
    }
}
