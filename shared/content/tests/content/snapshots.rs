//! Every mail, word for word: `shared/content/tests/content/snapshots`.

use insta::{Settings, assert_snapshot};

use crate::notices::{all, content, notice, unsubscribe};

#[test]
fn every_mail_reads_as_reviewed() {
    let content = content();
    let mut settings = Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    for (campaign, step, reason) in all(content) {
        let mail = content.render(&notice(campaign, step, reason), unsubscribe()).unwrap();
        settings.bind(|| {
            assert_snapshot!(format!("{step}.{reason}.txt", step = step.id), format!("Subject: {}\n\n{}", mail.subject, mail.text));
            assert_snapshot!(format!("{step}.{reason}.html", step = step.id), one_tag_a_line(&mail.html));
        });
    }
}

#[test]
fn the_rules_are_as_reviewed() {
    let content = content();
    let mut lines = Vec::new();
    for campaign in content.rules().campaigns.iter() {
        lines.push(format!(
            "{} ({}), priority {}, at most {} of {:?}",
            campaign.id, campaign.category, campaign.priority, campaign.max_recipients, campaign.audience
        ));
        for step in &campaign.steps {
            let repeat = step.repeat_after.map_or_else(|| "once".to_owned(), |repeat| format!("again after {repeat:#}"));
            lines.push(format!("  {} after {:#}, {repeat}", step.id, step.after));
        }
    }
    assert_snapshot!(lines.join("\n"));
}

/// Makes a change of one tag a change of one line.
fn one_tag_a_line(html: &str) -> String {
    html.replace("><", ">\n<")
}
