//! What a recorded call to `ses.SendEmail` asks for: recipient, text, tags and headers.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use engagement::NoticeId;
use local_cloud::AwsCall;
use serde_json::Value;
use url::Url;

use crate::support::text_attribute;

/// The only recipient of a call.
pub fn recipient(call: &AwsCall) -> Result<&str> {
    let addresses = call.request["Destination"]["ToAddresses"]
        .as_array()
        .context("no recipients")?;
    let [recipient] = &addresses[..] else {
        bail!("{} recipients", addresses.len())
    };

    as_text(recipient)
}

/// Recipient and text part of a call, the text with LF line ends.
pub fn recipient_and_text(call: &AwsCall) -> Result<(String, String)> {
    let text = as_text(&call.request["Content"]["Simple"]["Body"]["Text"]["Data"])?;

    Ok((recipient(call)?.to_owned(), normalize_line_ends(text)))
}

/// Replaces the CRLF line ends of SMTP by LF and removes white space at the end.
pub fn normalize_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// Replaces each sequence of white space by one space.
pub fn collapse_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tag by which SES's events refer to the notice.
pub fn notice_id(call: &AwsCall) -> Result<String> {
    let tags = named_values(&call.request["EmailTags"])?;

    Ok((*tags.get("notice_id").context("no notice_id")?).to_owned())
}

/// The value of the `notice_id` tag for the item of a notice.
pub fn notice_tag(item: &Value) -> Result<String> {
    let id = NoticeId {
        organization_id: text_attribute(item, "organization_id")?.parse()?,
        notice: serde_json::from_value(item["notice"].clone())?,
    };

    Ok(id.to_string())
}

/// All tags of a call. `Err`: a tag is missing or has characters that SES rejects, or the call has
/// no configuration set, without which SES publishes no events.
pub fn tags(call: &AwsCall) -> Result<BTreeMap<&str, &str>> {
    ensure!(
        !as_text(&call.request["ConfigurationSetName"])?.is_empty(),
        "no configuration set"
    );

    let tags = named_values(&call.request["EmailTags"])?;
    ensure!(
        tags.keys()
            .copied()
            .eq(["campaign", "notice_id", "stage", "step"]),
        "{tags:?}"
    );
    let is_valid = |value: &str| {
        (1..=256).contains(&value.len())
            && value
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || "_-.@".contains(it))
    };
    ensure!(tags.values().all(|value| is_valid(value)), "{tags:?}");
    Ok(tags)
}

/// The URL of the `List-Unsubscribe` header, by which an e-mail client unsubscribes. `Err`: the
/// headers break RFC 2369, 2919 or 8058.
pub fn unsubscribe_header_url(call: &AwsCall) -> Result<Url> {
    let headers = named_values(&call.request["Content"]["Simple"]["Headers"])
        .context("the call has no headers")?;
    let header = |name: &str| {
        headers
            .get(name)
            .copied()
            .with_context(|| format!("no {name} in {:?}", headers.keys()))
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
        .context("the list id is not in angle brackets")?;
    ensure!(
        list.contains('.') && !list.contains(|it: char| it.is_whitespace() || it == '<'),
        "the list id is {list}"
    );

    let list_unsubscribe = header("List-Unsubscribe")?;
    let urls = list_unsubscribe.split(',').filter_map(|it| {
        it.trim()
            .strip_prefix('<')?
            .strip_suffix('>')?
            .parse::<Url>()
            .ok()
    });
    // The API of a local cloud has an http URL.
    let mut web_urls = urls.filter(|url| matches!(url.scheme(), "https" | "http"));
    let url = web_urls
        .next()
        .with_context(|| format!("no web URL in {list_unsubscribe}"))?;
    ensure!(
        web_urls.next().is_none(),
        "more than one web URL in {list_unsubscribe}"
    );
    Ok(url)
}

/// Whether a link leads to the unsubscribe page of an e-mail: it equals the header's URL except for
/// its query.
pub fn is_unsubscribe_link(link: &Url, header_url: &Url) -> bool {
    (link.origin(), link.path()) == (header_url.origin(), header_url.path())
}

/// The text of a JSON value. `Err`: it is of another type.
pub fn as_text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .with_context(|| format!("{value} is not a text"))
}

/// `[{"Name": ..., "Value": ...}]` as a map. `Err`: no such list, or a repeated name.
fn named_values(list: &Value) -> Result<BTreeMap<&str, &str>> {
    let list = list.as_array().context("no list")?;
    let values: BTreeMap<_, _> = list
        .iter()
        .map(|it| Ok((as_text(&it["Name"])?, as_text(&it["Value"])?)))
        .collect::<Result<_>>()?;
    ensure!(values.len() == list.len(), "a name is repeated: {list:?}");
    Ok(values)
}
