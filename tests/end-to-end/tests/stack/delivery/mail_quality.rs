//! What mail providers and the law ask of every e-mail: RFC 5322 form, both parts, a way out (RFC
//! 8058), the sender's postal address (16 CFR 316), and nothing that spies.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use content::{Brand, Content};
use engagement::NoticeId;
use local_cloud::{Call, LocalCloud, Options};
use mail_parser::{Address, Message, MessageParser, MessagePart, MimeHeaders, PartType};
use scraper::{Html, Selector};
use serde_json::Value;
use url::Url;

use crate::{
    mailbox::Mailbox,
    support::{notify, now, options, sweep},
};

/// Octets of a line without its end (RFC 5322, 2.1.1).
const MAX_LINE_OCTETS: usize = 998;

#[tokio::test(flavor = "multi_thread")]
async fn every_email_is_well_formed_and_has_an_unsubscribe_link() -> Result<()> {
    let mailbox = Mailbox::start().await?;
    let smtp = Some(mailbox.address());
    let cloud = LocalCloud::start(Options {
        organizations: 30,
        fault_proxy: true,
        smtp,
        ..options()
    })
    .await?;
    let as_of = now();
    sweep(&cloud, as_of).await?;
    let answer = notify(&cloud, as_of).await?;
    ensure!(answer["outcome"] == "completed", "{answer}");

    let calls = cloud.faults()?.calls_to("ses.SendEmail");
    ensure!(
        calls.len() > 5,
        "only {} mails: too few for the test to mean anything",
        calls.len()
    );
    let messages = mailbox.received(calls.len()).await?;
    let content = Content::embedded()?;
    let mut unmatched: BTreeMap<(String, String), &Call> = calls
        .iter()
        .map(|call| Ok((recipient_and_text(call)?, call)))
        .collect::<Result<_>>()?;
    ensure!(
        unmatched.len() == calls.len(),
        "two mails to one address have the same text"
    );
    for raw in &messages {
        let told = || format!("in this message:\n{}", String::from_utf8_lossy(raw));
        let message = MessageParser::default().parse(raw).with_context(told)?;
        let parts = Parts::of(&message).with_context(told)?;
        check_envelope_and_lines(raw, &message).with_context(told)?;
        let call = unmatched
            .remove(&(recipient(&message)?, normalize_line_ends(parts.text)))
            .context("SES was not asked for it")
            .with_context(told)?;
        let tags = tags(call)?;
        let way_out = unsubscribe_header_url(call).with_context(told)?;
        check_html(parts.html, content.brand(), &tags, &way_out).context(parts.html.to_owned())?;
        check_text(parts.text, content.brand(), &way_out).context(parts.text.to_owned())?;
    }
    ensure!(
        unmatched.is_empty(),
        "not every mail was relayed: {:?}",
        unmatched.keys()
    );
    each_recipient_has_its_own_unsubscribe_link(&calls)?;
    every_tag_names_a_sent_notice(&cloud, &calls).await
}

/// The two parts of a mail.
struct Parts<'a> {
    text: &'a str,
    html: &'a str,
}

impl<'a> Parts<'a> {
    /// `Err` unless the mail is multipart/alternative with exactly text/plain and text/html, in
    /// this order, both in UTF-8.
    fn of(message: &'a Message<'_>) -> Result<Self> {
        ensure!(
            message.is_content_type("multipart", "alternative"),
            "it is no multipart/alternative"
        );
        let PartType::Multipart(ids) = &message.root_part().body else {
            bail!("it has no parts")
        };
        let parts: Vec<&MessagePart<'_>> = ids.iter().filter_map(|id| message.part(*id)).collect();
        ensure!(
            message.parts.len() == 3,
            "it has parts within parts, or attachments"
        );
        let [text, html] = parts[..] else {
            bail!("it has {} parts", parts.len())
        };
        for (part, subtype) in [(text, "plain"), (html, "html")] {
            ensure!(
                part.is_content_type("text", subtype),
                "text/{subtype} is not where it belongs"
            );
            let charset = part
                .content_type()
                .and_then(|it| it.attribute("charset"))
                .unwrap_or_default();
            ensure!(
                charset.eq_ignore_ascii_case("utf-8") && !part.is_encoding_problem,
                "text/{subtype} is not clean UTF-8"
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
            "a line of the text is too long to read"
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
        .context("the headers have no end")?;
    ensure!(raw[..headers].is_ascii(), "a header is not ASCII");
    let subject = message.subject().context("no subject")?;
    ensure!(
        !subject.trim().is_empty() && !subject.contains(char::is_control),
        "the subject is {subject:?}"
    );
    let id = message.message_id().context("no message id")?;
    ensure!(
        matches!(id.split('@').collect::<Vec<_>>()[..], [left, right] if !left.is_empty() && right.contains('.')),
        "its id is {id}"
    );
    address(message.from()).context("From")?;
    recipient(message)?;
    Ok(())
}

fn recipient(message: &Message<'_>) -> Result<String> {
    address(message.to()).context("To")
}

/// The one address of a header.
fn address(header: Option<&Address<'_>>) -> Result<String> {
    let [address] = header.and_then(Address::as_list).context("no address")? else {
        bail!("more than one address")
    };
    let address = address.address().context("a name alone")?;
    ensure!(
        matches!(address.split('@').collect::<Vec<_>>()[..], [local, domain] if !local.is_empty() && domain.contains('.')),
        "{address}"
    );
    Ok(address.to_owned())
}

/// The recipient and the text that SES was asked to send.
pub(super) fn recipient_and_text(call: &Call) -> Result<(String, String)> {
    let request = &call.request;
    let [to] = &request["Destination"]["ToAddresses"]
        .as_array()
        .context("no recipients")?[..]
    else {
        bail!("not one recipient")
    };
    Ok((
        string(to)?.to_owned(),
        normalize_line_ends(string(
            &request["Content"]["Simple"]["Body"]["Text"]["Data"],
        )?),
    ))
}

/// SMTP ends lines with CRLF.
fn normalize_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// The tags of a mail, all there and of characters that SES takes, beside the configuration set
/// that makes events of them.
pub(super) fn tags(call: &Call) -> Result<BTreeMap<&str, &str>> {
    ensure!(
        !string(&call.request["ConfigurationSetName"])?.is_empty(),
        "no configuration set"
    );
    let tags = named_values(&call.request["EmailTags"])?;
    ensure!(
        tags.keys()
            .copied()
            .eq(["campaign", "notice_id", "stage", "step"]),
        "{tags:?}"
    );
    let fits = |value: &str| {
        (1..=256).contains(&value.len())
            && value
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "_-.@".contains(it))
    };
    ensure!(tags.values().all(|value| fits(value)), "{tags:?}");
    Ok(tags)
}

/// The headers of RFC 2369, 2919 and 8058. Returns the address under which a mail client
/// unsubscribes.
pub(super) fn unsubscribe_header_url(call: &Call) -> Result<Url> {
    let headers = named_values(&call.request["Content"]["Simple"]["Headers"])
        .context("no headers were handed to SES")?;
    let header = |name: &str| {
        headers
            .get(name)
            .copied()
            .with_context(|| format!("no {name} among {:?}", headers.keys()))
    };
    ensure!(
        headers
            .values()
            .all(|value| value.is_ascii() && !value.contains(['\r', '\n'])),
        "{headers:?}"
    );
    ensure!(
        header("List-Unsubscribe-Post")? == "List-Unsubscribe=One-Click",
        "{headers:?}"
    );
    let list = header("List-ID")?
        .split_once('<')
        .and_then(|(_, id)| id.strip_suffix('>'))
        .context("the list id is not in brackets")?;
    ensure!(
        list.contains('.') && !list.contains(|it: char| it.is_whitespace() || it == '<'),
        "the list id is {list}"
    );
    let link = header("List-Unsubscribe")?;
    let addresses = link.split(',').filter_map(|it| {
        it.trim()
            .strip_prefix('<')?
            .strip_suffix('>')?
            .parse::<Url>()
            .ok()
    });
    let mut web = addresses.filter(|address| matches!(address.scheme(), "https" | "http")); // http: the API of a local cloud
    let address = web.next().with_context(|| format!("no link in {link}"))?;
    ensure!(web.next().is_none(), "more than one link in {link}");
    Ok(address)
}

fn check_html(html: &str, brand: &Brand, tags: &BTreeMap<&str, &str>, way_out: &Url) -> Result<()> {
    let page = Html::parse_document(html);
    let mut leaving = 0;
    let mut others = 0;
    for link in page.select(&selector("[href]")?) {
        let address: Url = link
            .attr("href")
            .unwrap_or_default()
            .parse()
            .context("a link is not absolute")?;
        if is_unsubscribe_link(&address, way_out) {
            leaving += 1;
            continue;
        }
        others += 1;
        ensure!(address.scheme() == "https", "{address}");
        let query: BTreeMap<_, _> = address.query_pairs().into_owned().collect();
        let expected = [
            ("utm_source", brand.utm_source.as_str()),
            ("utm_medium", "email"),
            ("utm_campaign", tags["campaign"]),
            ("utm_content", tags["step"]),
        ];
        ensure!(
            expected
                .iter()
                .all(|(name, value)| query.get(*name).is_some_and(|it| it == value)),
            "{address}"
        );
    }
    ensure!(
        leaving > 0 && others > 0,
        "{leaving} links lead out, {others} to the product"
    );

    let logo = brand.logo.as_ref().map(|logo| logo.url.to_string());
    for image in page.select(&selector("img")?) {
        ensure!(
            logo.is_some() && image.attr("src") == logo.as_deref(),
            "a picture that is not the logo: {}",
            image.html()
        );
    }
    ensure!(
        page.select(&selector("script, iframe, form, link")?)
            .next()
            .is_none(),
        "something that mail clients block"
    );

    let first = page
        .select(&selector("body > *")?)
        .next()
        .context("an empty body")?;
    let style = first.attr("style").unwrap_or_default().replace(' ', "");
    ensure!(
        style.contains("display:none") && first.text().any(|text| !text.trim().is_empty()),
        "no preheader"
    );
    ensure!(
        html.contains("prefers-color-scheme"),
        "nothing for dark screens"
    );
    let said: String = page
        .select(&selector("body")?)
        .flat_map(|body| body.text())
        .collect();
    ensure!(
        collapse_whitespace(&said).contains(&collapse_whitespace(&brand.postal_address)),
        "no postal address"
    );
    Ok(())
}

fn check_text(text: &str, brand: &Brand, way_out: &Url) -> Result<()> {
    ensure!(
        collapse_whitespace(text).contains(&collapse_whitespace(&brand.postal_address)),
        "no postal address"
    );
    let is_unsubscribe_link = |word: &str| {
        word.trim_matches(['<', '>', '(', ')', '.'])
            .parse()
            .is_ok_and(|address| is_unsubscribe_link(&address, way_out))
    };
    ensure!(
        text.split_whitespace().any(is_unsubscribe_link),
        "no way out"
    );
    Ok(())
}

/// A link to the page behind the header's link: the same but for its query.
pub(super) fn is_unsubscribe_link(address: &Url, way_out: &Url) -> bool {
    (address.origin(), address.path()) == (way_out.origin(), way_out.path())
}

/// Someone who follows the link of a mail must leave by their own address, not by another's.
fn each_recipient_has_its_own_unsubscribe_link(calls: &[Call]) -> Result<()> {
    let mut recipients = BTreeMap::<Url, BTreeSet<String>>::new();
    for call in calls {
        recipients
            .entry(unsubscribe_header_url(call)?)
            .or_default()
            .insert(recipient_and_text(call)?.0);
    }
    ensure!(recipients.len() > 1, "all have the same link");
    for (link, recipients) in recipients {
        ensure!(recipients.len() == 1, "{link} was sent to {recipients:?}");
    }
    Ok(())
}

/// SES's events about a mail find its notice by the tag.
async fn every_tag_names_a_sent_notice(cloud: &LocalCloud, calls: &[Call]) -> Result<()> {
    let mut by_message = BTreeMap::new();
    for notice in cloud.scan("NoticesTable").await? {
        if notice["status"] == "sent" {
            by_message.insert(string(&notice["message_id"])?.to_owned(), notice);
        }
    }
    let mut named = BTreeSet::new();
    for call in calls {
        let tags = tags(call)?;
        let answer = call.accepted.as_ref().context("SES did not answer")?;
        let notice = by_message
            .get(string(&answer.body["MessageId"])?)
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
            named.insert(tags["notice_id"]),
            "two mails have the same notice_id"
        );
    }
    Ok(())
}

/// `[{"Name": ..., "Value": ...}]`. `Err`: no such list, or a name twice.
fn named_values(list: &Value) -> Result<BTreeMap<&str, &str>> {
    let list = list.as_array().context("no list")?;
    let values: BTreeMap<_, _> = list
        .iter()
        .map(|it| Ok((string(&it["Name"])?, string(&it["Value"])?)))
        .collect::<Result<_>>()?;
    ensure!(
        values.len() == list.len(),
        "a name stands there twice: {list:?}"
    );
    Ok(values)
}

fn string(value: &Value) -> Result<&str> {
    value
        .as_str()
        .with_context(|| format!("{value} is no text"))
}

fn collapse_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn selector(css: &str) -> Result<Selector> {
    Selector::parse(css).map_err(|error| anyhow::anyhow!("{error}"))
}
