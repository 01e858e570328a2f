//! Snapshots of every e-mail, page and in-product message, and of the campaign rules.

use content::{Pages, PreferencesPage, PreferencesState};
use engagement::{Category, Stage};
use insta::{Settings, assert_json_snapshot, assert_snapshot};
use strum::IntoEnumIterator;

use crate::support::{
    content, every_email,
    html::{EmailHtml, split_email},
    notice, sample_notice, unsubscribe_url,
};

/// The HTML part of each e-mail, without the layout. The layout has its own snapshot; that all
/// e-mails have it is tested in `html.rs`.
#[test]
fn every_email_matches_its_snapshot() {
    let content = content();
    let settings = snapshot_settings();
    for (campaign, step, reason) in every_email(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe_url())
            .unwrap();
        settings.bind(|| {
            assert_snapshot!(
                format!("{step}.{reason}.txt", step = step.id),
                format!("Subject: {}\n\n{}", mail.subject, mail.text)
            );
            let EmailHtml {
                preheader, body, ..
            } = split_email(&mail.html);
            assert_snapshot!(
                format!("{step}.{reason}.html", step = step.id),
                format!(
                    "Preheader: {}\n\n{}",
                    preheader.trim(),
                    split_tags_into_lines(body)
                )
            );
        });
    }
}

/// One complete HTML part.
#[test]
fn html_layout_matches_its_snapshot() {
    let notice = sample_notice(content(), Some("Kestrel Bakehouse"), Some("Marisol"));
    let mail = content().render(&notice, unsubscribe_url()).unwrap();

    snapshot_settings().bind(|| assert_snapshot!("layout.html", split_tags_into_lines(&mail.html)));
}

#[test]
fn every_page_matches_its_snapshot() {
    let pages = Pages::embedded().unwrap();
    let settings = snapshot_settings();
    for (state, just_changed) in
        PreferencesState::iter().flat_map(|state| [(state, false), (state, true)])
    {
        let page = pages
            .preferences(&PreferencesPage {
                category: Category::Reengagement,
                state,
                just_changed,
            })
            .unwrap();
        let change = if just_changed { ".just_changed" } else { "" };
        settings.bind(|| assert_snapshot!(format!("page.{}{change}", <&str>::from(state)), page));
    }
    settings.bind(|| assert_snapshot!("page.not_found", pages.not_found().unwrap()));
}

#[test]
fn every_in_product_message_matches_its_snapshot() {
    let content = content();
    let messages: Vec<_> = Stage::iter()
        .filter_map(|stage| Some((stage.to_string(), content.in_product_message(stage)?)))
        .collect();
    assert_json_snapshot!(messages);
}

#[test]
fn campaign_rules_match_their_snapshot() {
    let content = content();
    let mut lines = Vec::new();
    for campaign in content.rules().campaigns.iter() {
        lines.push(format!(
            "{} ({}), priority {}, at most {} of {:?}",
            campaign.id,
            campaign.category,
            campaign.priority,
            campaign.max_recipients,
            campaign.audience
        ));
        for step in &campaign.steps {
            let repeat = step.repeat_after.map_or_else(
                || "once".to_owned(),
                |repeat| format!("again after {repeat:#}"),
            );
            lines.push(format!("  {} after {:#}, {repeat}", step.id, step.after));
        }
    }
    assert_snapshot!(lines.join("\n"));
}

/// One tag per line, so that a change of one tag is a change of one line.
fn split_tags_into_lines(html: &str) -> String {
    html.replace("><", ">\n<")
}

fn snapshot_settings() -> Settings {
    let mut settings = Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings
}
