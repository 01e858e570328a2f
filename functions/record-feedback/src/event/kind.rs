//! What an SES event means for the e-mail and the address.

use engagement::{Bounce, MailEvent};

use super::ses::{BounceDetail, Detail, Recipient};

/// Sub-types of a bounce that is caused by the message and not by the address.
const CONTENT_BOUNCES: [&str; 3] = ["MessageTooLarge", "ContentRejected", "AttachmentRejected"];

/// The kind of the event; `None`: it changes nothing. Spaces in the event type are ignored because
/// the documentation writes `Rendering Failure`, unlike all other types.
pub fn kind(detail: &Detail) -> Option<MailEvent> {
    match detail.event_type.replace(' ', "").as_str() {
        "Send" => Some(MailEvent::Sent),
        "Delivery" => Some(MailEvent::Delivered),
        "DeliveryDelay" => Some(MailEvent::Delayed),
        "Reject" => Some(MailEvent::Rejected),
        "RenderingFailure" => Some(MailEvent::RenderingFailed),
        "Bounce" if is_automatic_reply(&detail.bounce) => None,
        "Bounce" => Some(MailEvent::Bounced(match &*detail.bounce.bounce_type {
            "Permanent" => Bounce::Hard,
            "Transient" => Bounce::Soft,
            _ => Bounce::Undetermined,
        })),
        // RFC 6430: the recipient reported that the e-mail is not spam.
        "Complaint" if detail.complaint.complaint_feedback_type == "not-spam" => None,
        "Complaint" => Some(MailEvent::Complained),
        _ => None,
    }
}

/// Whether a bounce is caused by the message and says nothing about the address.
pub fn is_content_bounce(bounce: &BounceDetail) -> bool {
    CONTENT_BOUNCES.contains(&&*bounce.bounce_sub_type)
}

/// Whether the bounce is an automatic reply, such as an out-of-office message. SES reports it as a
/// transient or undetermined bounce, but without the response of a mail server.
fn is_automatic_reply(bounce: &BounceDetail) -> bool {
    let has_server_response = |recipient: &Recipient| {
        !recipient.status.is_empty() || !recipient.diagnostic_code.is_empty()
    };
    if bounce.bounced_recipients.iter().any(has_server_response) {
        return false;
    }

    match &*bounce.bounce_type {
        "Transient" => bounce.bounce_sub_type == "General",
        "Undetermined" => bounce.bounced_recipients.is_empty(),
        _ => false,
    }
}
