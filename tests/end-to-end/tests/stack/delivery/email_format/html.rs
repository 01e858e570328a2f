//! The HTML part of an e-mail: links, images, preheader, dark mode and postal address.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use content::Brand;
use scraper::Html;
use url::Url;

use crate::{
    delivery::sent_call::{collapse_whitespace, is_unsubscribe_link},
    support::selector,
};

/// `Err` unless the HTML part has what a reader needs and nothing that e-mail clients block or that
/// tracks the reader.
pub fn check_html(
    html: &str,
    brand: &Brand,
    tags: &BTreeMap<&str, &str>,
    unsubscribe_url: &Url,
) -> Result<()> {
    let page = Html::parse_document(html);

    check_links(&page, brand, tags, unsubscribe_url)?;
    check_images(&page, brand)?;
    ensure!(
        page.select(&selector("script, iframe, form, link")?)
            .next()
            .is_none(),
        "an element that e-mail clients block"
    );
    check_preheader(&page)?;
    ensure!(
        html.contains("prefers-color-scheme"),
        "no styles for dark mode"
    );
    check_postal_address(&page, brand)
}

fn check_links(
    page: &Html,
    brand: &Brand,
    tags: &BTreeMap<&str, &str>,
    unsubscribe_url: &Url,
) -> Result<()> {
    let mut unsubscribe_links = 0;
    let mut others = 0;

    for link in page.select(&selector("[href]")?) {
        let url: Url = link
            .attr("href")
            .unwrap_or_default()
            .parse()
            .context("a link is not absolute")?;
        if is_unsubscribe_link(&url, unsubscribe_url) {
            unsubscribe_links += 1;
            continue;
        }

        others += 1;
        ensure!(url.scheme() == "https", "{url}");
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
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
            "{url}"
        );
    }

    ensure!(
        unsubscribe_links > 0 && others > 0,
        "{unsubscribe_links} unsubscribe links, {others} links to the product"
    );
    Ok(())
}

/// The logo is the only image: there are no tracking pixels.
fn check_images(page: &Html, brand: &Brand) -> Result<()> {
    let logo = brand.logo.as_ref().map(|logo| logo.url.to_string());
    for image in page.select(&selector("img")?) {
        ensure!(
            logo.is_some() && image.attr("src") == logo.as_deref(),
            "an image that is not the logo: {}",
            image.html()
        );
    }
    Ok(())
}

/// The first element is hidden text, which e-mail clients show beside the subject.
fn check_preheader(page: &Html) -> Result<()> {
    let first = page
        .select(&selector("body > *")?)
        .next()
        .context("an empty body")?;
    let style = first.attr("style").unwrap_or_default().replace(' ', "");
    ensure!(
        style.contains("display:none") && first.text().any(|text| !text.trim().is_empty()),
        "no preheader"
    );
    Ok(())
}

fn check_postal_address(page: &Html, brand: &Brand) -> Result<()> {
    let text: String = page
        .select(&selector("body")?)
        .flat_map(|body| body.text())
        .collect();
    ensure!(
        collapse_whitespace(&text).contains(&collapse_whitespace(&brand.postal_address)),
        "no postal address in the HTML part"
    );
    Ok(())
}
