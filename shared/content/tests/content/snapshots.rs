//! Every mail and every page, word for word: `shared/content/tests/content/snapshots`.

use content::{Pages, PreferencesPage, PreferencesState};
use engagement::{Category, Stage};
use insta::{Settings, assert_json_snapshot, assert_snapshot};
use strum::IntoEnumIterator;

use crate::notices::{all, content, notice, unsubscribe};

#[test]
fn every_mail_reads_as_reviewed() {
    let content = content();
    let mut settings = Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    for (campaign, step, reason) in all(content) {
        let mail = content
            .render(&notice(campaign, step, reason), unsubscribe())
            .unwrap();
        settings.bind(|| {
            assert_snapshot!(
                format!("{step}.{reason}.txt", step = step.id),
                format!("Subject: {}\n\n{}", mail.subject, mail.text)
            );
            assert_snapshot!(
                format!("{step}.{reason}.html", step = step.id),
                split_tags_into_lines(&mail.html)
            );
        });
    }
}

#[test]
fn every_page_reads_as_reviewed() {
    let pages = Pages::embedded().unwrap();
    let mut settings = Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
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
        .filter_map(|stage| Some((stage.to_string(), content.in_product(stage)?)))
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

/// Makes a change of one tag a change of one line.
fn split_tags_into_lines(html: &str) -> String {
    html.replace("><", ">\n<")
}
