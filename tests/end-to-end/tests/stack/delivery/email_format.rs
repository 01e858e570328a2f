//! The format that mailbox providers and the law require of every e-mail: RFC 5322 form, text and
//! HTML parts, one-click unsubscribe (RFC 8058), the sender's postal address (16 CFR 316) and no
//! tracking pixels.

mod html;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use content::{Brand, Content};
use engagement::NoticeId;
use local_cloud::{AwsCall, LocalCloud, Options};
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use url::Url;

use self::html::check_html;
use super::sent_call::{
    as_text, collapse_whitespace, is_unsubscribe_link, normalize_line_ends, recipient_and_text,
    tags, unsubscribe_header_url,
};
use crate::{
    smtp_server::SmtpServer,
    support::{notify, now, options, sweep},
};

/// Maximum length of a line in octets, without its line end (RFC 5322, section 2.1.1).
const MAX_LINE_OCTETS: usize = 998;

#[tokio::test(flavor = "multi_thread")]
async fn every_email_is_well_formed_and_has_an_unsubscribe_link() -> Result<()> {
    let smtp_server = SmtpServer::start().await?;
    let cloud = LocalCloud::start(Options {
        organizations: 30,
        fault_proxy: true,
        smtp: Some(smtp_server.address()),
        ..options()
    })
    .await?;
    let as_of = now();
    sweep(&cloud, as_of).await?;
    let response = notify(&cloud, as_of).await?;
    ensure!(response["outcome"] == "completed", "{response}");

    let calls = cloud.fault_proxy()?.calls_to("ses.SendEmail");
    ensure!(
        calls.len() > 5,
        "{} e-mails are too few for a meaningful test",
        calls.len()
    );
    let messages = smtp_server.received(calls.len()).await?;

    check_messages(&messages, &calls)?;
    each_recipient_has_its_own_unsubscribe_link(&calls)?;
    every_tag_names_a_sent_notice(&cloud, &calls).await
}

/// Checks each message with the call to SES that sent it.
fn check_messages(messages: &[Vec<u8>], calls: &[AwsCall]) -> Result<()> {
    let content = Content::embedded()?;
    let mut unmatched: BTreeMap<(String, String), &AwsCall> = calls
        .iter()
        .map(|call| Ok((recipient_and_text(call)?, call)))
        .collect::<Result<_>>()?;
    ensure!(
        unmatched.len() == calls.len(),
        "two e-mails to one address have the same text"
    );

    for raw in messages {
        check_message(raw, &mut unmatched, content.brand())
            .with_context(|| format!("in this message:\n{}", String::from_utf8_lossy(raw)))?;
    }
    ensure!(
        unmatched.is_empty(),
        "these e-mails were not relayed: {:?}",
        unmatched.keys()
    );
    Ok(())
}

fn check_message(
    raw: &[u8],
    unmatched: &mut BTreeMap<(String, String), &AwsCall>,
    brand: &Brand,
) -> Result<()> {
    let message = MessageParser::default()
        .parse(raw)
        .context("it cannot be parsed")?;
    let parts = Parts::parse(&message)?;
    check_envelope_and_lines(raw, &message)?;

    let call = unmatched
        .remove(&(recipient(&message)?, normalize_line_ends(parts.text)))
        .context("no call to SES sent it")?;
    let tags = tags(call)?;
    let unsubscribe_url = unsubscribe_header_url(call)?;
    check_html(parts.html, brand, &tags, &unsubscribe_url)?;
    check_text(parts.text, brand, &unsubscribe_url)
}

/// The two parts of an e-mail.
struct Parts<'a> {
    text: &'a str,
    html: &'a str,
}

impl<'a> Parts<'a> {
    /// `Err` unless the e-mail is multipart/alternative with exactly text/plain and text/html, in
    /// this order, both in UTF-8.
    fn parse(message: &'a Message<'_>) -> Result<Self> {
        ensure!(
            message.is_content_type("multipart", "alternative"),
            "it is not multipart/alternative"
        );
        let PartType::Multipart(ids) = &message.root_part().body else {
            bail!("it has no parts")
        };
        let parts: Vec<&MessagePart<'_>> = ids.iter().filter_map(|id| message.part(*id)).collect();
        ensure!(
            message.parts.len() == 3,
            "it has nested parts or attachments"
        );
        let [text, html] = parts[..] else {
            bail!("it has {} parts", parts.len())
        };

        for (part, subtype) in [(text, "plain"), (html, "html")] {
            ensure!(
                part.is_content_type("text", subtype),
                "a part is not text/{subtype}"
            );
            let charset = part
                .content_type()
                .and_then(|it| it.attribute("charset"))
                .unwrap_or_default();
            ensure!(
                charset.eq_ignore_ascii_case("utf-8") && !part.is_encoding_problem,
                "text/{subtype} is not valid UTF-8"
            );
        }

        let (PartType::Text(text), PartType::Html(html)) = (&text.body, &html.body) else {
            bail!("the parts cannot be read")
        };
        ensure!(
            !text.trim().is_empty() && !html.trim().is_empty(),
            "a part is empty"
        );
        ensure!(
            text.lines().all(|line| line.len() <= MAX_LINE_OCTETS),
            "a line of the text part is too long"
        );
        Ok(Self { text, html })
    }
}

fn check_envelope_and_lines(raw: &[u8], message: &Message<'_>) -> Result<()> {
    let longest = raw
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::len)
        .max()
        .unwrap_or_default();
    ensure!(
        longest <= MAX_LINE_OCTETS + "\r".len(),
        "a line has {longest} octets"
    );
    let headers = raw
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .context("no empty line after the headers")?;
    ensure!(raw[..headers].is_ascii(), "a header is not ASCII");

    let subject = message.subject().context("no subject")?;
    ensure!(
        !subject.trim().is_empty() && !subject.contains(char::is_control),
        "the subject is {subject:?}"
    );
    let id = message.message_id().context("no message id")?;
    let (left, right) = split_at_sign(id).with_context(|| format!("the message id is {id}"))?;
    ensure!(
        !left.is_empty() && right.contains('.'),
        "the message id is {id}"
    );

    address(message.from()).context("From")?;
    recipient(message)?;
    Ok(())
}

fn recipient(message: &Message<'_>) -> Result<String> {
    address(message.to()).context("To")
}

/// The only address of a header.
fn address(header: Option<&Address<'_>>) -> Result<String> {
    let [address] = header.and_then(Address::as_list).context("no address")? else {
        bail!("more than one address")
    };
    let address = address.address().context("a name without an address")?;
    let (local, domain) = split_at_sign(address).with_context(|| address.to_owned())?;
    ensure!(!local.is_empty() && domain.contains('.'), "{address}");
    Ok(address.to_owned())
}

/// The two parts of a text with exactly one `@`.
fn split_at_sign(text: &str) -> Option<(&str, &str)> {
    text.split_once('@')
        .filter(|(_, right)| !right.contains('@'))
}

fn check_text(text: &str, brand: &Brand, unsubscribe_url: &Url) -> Result<()> {
    ensure!(
        collapse_whitespace(text).contains(&collapse_whitespace(&brand.postal_address)),
        "no postal address in the text part"
    );
    let is_unsubscribe_link = |word: &str| {
        word.trim_matches(['<', '>', '(', ')', '.'])
            .parse()
            .is_ok_and(|link| is_unsubscribe_link(&link, unsubscribe_url))
    };
    ensure!(
        text.split_whitespace().any(is_unsubscribe_link),
        "no unsubscribe link in the text part"
    );
    Ok(())
}

/// A link unsubscribes the recipient of its e-mail and nobody else.
fn each_recipient_has_its_own_unsubscribe_link(calls: &[AwsCall]) -> Result<()> {
    let mut recipients = BTreeMap::<Url, BTreeSet<String>>::new();
    for call in calls {
        recipients
            .entry(unsubscribe_header_url(call)?)
            .or_default()
            .insert(recipient_and_text(call)?.0);
    }

    ensure!(recipients.len() > 1, "all recipients have the same link");
    for (link, recipients) in recipients {
        ensure!(recipients.len() == 1, "{link} was sent to {recipients:?}");
    }
    Ok(())
}

/// SES's events about an e-mail refer to its notice by the tag.
async fn every_tag_names_a_sent_notice(cloud: &LocalCloud, calls: &[AwsCall]) -> Result<()> {
    let mut sent = BTreeMap::new();
    for notice in cloud.scan("NoticesTable").await? {
        if notice["status"] == "sent" {
            sent.insert(as_text(&notice["message_id"])?.to_owned(), notice);
        }
    }

    let mut notice_ids = BTreeSet::new();
    for call in calls {
        let tags = tags(call)?;
        let response = call.aws_response.as_ref().context("no response of SES")?;
        let notice = sent
            .get(as_text(&response.body["MessageId"])?)
            .context("no notice has the message id")?;
        for name in ["campaign", "stage", "step"] {
            ensure!(notice[name] == tags[name], "{tags:?} for {notice}");
        }

        let id: NoticeId = tags["notice_id"].parse()?;
        ensure!(
            notice["organization_id"] == id.organization_id.to_string()
                && notice["notice"] == id.notice.to_string(),
            "{id}: {notice}"
        );
        ensure!(
            notice_ids.insert(tags["notice_id"]),
            "two e-mails have the same notice_id"
        );
    }
    Ok(())
}
