//! What a run did, printed and written to files.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use local_cloud::{LocalCloud, Report, SentEmail, workspace_root};

/// An e-mail and the stage that it speaks of.
pub(crate) struct EmailWithStage {
    stage: String,
    mail: SentEmail,
}

/// The sent e-mails, joined with their notices.
pub(crate) async fn emails_with_stage(cloud: &LocalCloud) -> Result<Vec<EmailWithStage>> {
    let notices = cloud.scan("NoticesTable").await?;
    let stages: HashMap<&str, &str> = notices
        .iter()
        .filter_map(|notice| Some((notice["message_id"].as_str()?, notice["stage"].as_str()?)))
        .collect();
    let mails = cloud.sent_emails().await?.into_iter().map(|mail| {
        let stage = stages
            .get(mail.message_id.as_str())
            .map_or("unknown", |stage| *stage)
            .to_owned();
        EmailWithStage { stage, mail }
    });
    Ok(mails.collect())
}

/// Writes the report, and the HTML of each mail, to `target/demo`; what an earlier run left there
/// is removed.
pub(crate) fn write(report: &Report, mails: &[EmailWithStage]) -> Result<PathBuf> {
    let folder = workspace_root().join("target/demo");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("report.json"),
        serde_json::to_string_pretty(report)? + "\n",
    )?;
    for (position, EmailWithStage { stage, mail }) in mails.iter().enumerate() {
        fs::write(
            folder.join(format!("{stage}-{:04}.html", position + 1)),
            &mail.html,
        )?;
    }
    Ok(folder)
}

/// The customers by stage.
pub(crate) fn stages(report: &Report) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(["stage", "what it means", "customers"]);
    let mut left: BTreeMap<&str, usize> = report
        .stages
        .iter()
        .map(|(stage, count)| (stage.as_str(), *count))
        .collect();
    for (stage, meaning) in STAGE_MEANINGS {
        table.add_row([
            stage,
            meaning,
            &left.remove(stage).unwrap_or_default().to_string(),
        ]);
    }
    for (stage, count) in left {
        table.add_row([stage, "", &count.to_string()]);
    }
    table.add_row(["", "all", &report.synced.to_string()]);
    print_counts(table);
}

/// The notices by what became of them and why.
pub(crate) fn notices(report: &Report) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(["notices", "why", "how many"]);
    for (status, reasons) in &report.notices {
        for (reason, count) in reasons {
            let reason = if reason == "none" { "" } else { reason };
            table.add_row([status.as_str(), reason, &count.to_string()]);
        }
    }
    table.add_row(["all", "", &report.notices_in_table().to_string()]);
    print_counts(table);
}

fn print_counts(mut table: Table) {
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("\n{table}");
}

/// The ladder, in its order.
const STAGE_MEANINGS: [(&str, &str); 9] = [
    ("enrolling", "started to enroll and has not finished"),
    ("no_bank_account", "enrolled, without a bank account"),
    ("bank_unverified", "no bank account is verified yet"),
    ("awaiting_first_payment", "ready to pay, has never paid"),
    ("active", "paid within the last 30 days"),
    ("dormant_30", "last paid 30 to 59 days ago"),
    ("dormant_60", "last paid 60 to 89 days ago"),
    ("dormant_90", "last paid 90 days ago or earlier"),
    ("closed", "archived or declined: nobody is written to"),
];

/// The text of the first mail of three stages.
pub(crate) fn print_sample_emails(mails: &[EmailWithStage]) {
    let mut seen = HashSet::new();
    for EmailWithStage { stage, mail } in
        mails.iter().filter(|mail| seen.insert(&mail.stage)).take(3)
    {
        println!(
            "\n--- a mail to a customer in {stage} {}",
            "-".repeat(60_usize.saturating_sub(stage.len()))
        );
        println!(
            "To:      {}\nSubject: {}\n\n{}",
            mail.to,
            mail.subject,
            mail.text.trim_end()
        );
    }
}

/// The folder that [`write`] has filled.
pub(crate) fn print_output_paths(folder: &Path) {
    println!("\nEach mail as HTML: {}", folder.display());
    println!(
        "Report:            {}",
        folder.join("report.json").display()
    );
}

/// Queries to paste into a shell.
pub(crate) fn commands(cloud: &LocalCloud, endpoint: &str, heading: &str) -> Result<()> {
    let organizations = cloud.output("OrganizationsTable")?;
    let notices = cloud.output("NoticesTable")?;
    println!("\n{heading}");
    println!(
        "  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_PAGER="
    );
    println!(
        "  aws dynamodb query --endpoint-url {endpoint} --table-name {organizations} --index-name by-stage \\\n    \
         --key-condition-expression 'stage = :stage' --expression-attribute-values '{{\":stage\":{{\"S\":\"dormant_30\"}}}}'"
    );
    println!(
        "  aws dynamodb query --endpoint-url {endpoint} --table-name {notices} --index-name by-status \\\n    \
         --key-condition-expression '#status = :status' --expression-attribute-names '{{\"#status\":\"status\"}}' \\\n    \
         --expression-attribute-values '{{\":status\":{{\"S\":\"sent\"}}}}'"
    );
    Ok(())
}

/// The run in a sentence.
pub(crate) fn summary(report: &Report) {
    println!(
        "\n{} customers, {} notices, {} e-mails, {} requests to BILL ({} per customer), in {:.0} s.",
        report.synced,
        report.notices_written,
        report.emails_sent,
        report.bill_requests,
        report.bill_requests_per_organization,
        report.seconds
    );
}
