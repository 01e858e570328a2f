//! Prints the results of a run and writes them to files.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use local_cloud::{LocalCloud, Report, SentEmail, workspace_root};

/// The stages in their order, with their meanings.
const STAGE_MEANINGS: [(&str, &str); 9] = [
    ("enrolling", "enrollment started but not finished"),
    ("no_bank_account", "enrolled, without a bank account"),
    ("bank_unverified", "no bank account is verified yet"),
    ("awaiting_first_payment", "ready to pay, has never paid"),
    ("active", "paid within the last 30 days"),
    ("dormant_30", "last paid 30 to 59 days ago"),
    ("dormant_60", "last paid 60 to 89 days ago"),
    ("dormant_90", "last paid 90 days ago or earlier"),
    ("closed", "archived or declined; receives no e-mail"),
];

/// An e-mail and the stage of its notice.
pub(crate) struct EmailWithStage {
    stage: String,
    email: SentEmail,
}

/// The sent e-mails, joined with their notices.
pub(crate) async fn emails_with_stage(cloud: &LocalCloud) -> Result<Vec<EmailWithStage>> {
    let notices = cloud.scan("NoticesTable").await?;
    let stages: HashMap<&str, &str> = notices
        .iter()
        .filter_map(|notice| Some((notice["message_id"].as_str()?, notice["stage"].as_str()?)))
        .collect();
    let emails = cloud.sent_emails().await?.into_iter().map(|email| {
        let stage = stages
            .get(email.message_id.as_str())
            .map_or("unknown", |stage| *stage)
            .to_owned();
        EmailWithStage { stage, email }
    });

    Ok(emails.collect())
}

/// Writes the report and the HTML of each e-mail to `target/demo`, replacing the files of an
/// earlier run. Returns the folder.
pub(crate) fn write_files(report: &Report, emails: &[EmailWithStage]) -> Result<PathBuf> {
    let folder = workspace_root().join("target/demo");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("report.json"),
        serde_json::to_string_pretty(report)? + "\n",
    )?;
    for (position, EmailWithStage { stage, email }) in emails.iter().enumerate() {
        fs::write(
            folder.join(format!("{stage}-{:04}.html", position + 1)),
            &email.html,
        )?;
    }
    Ok(folder)
}

/// Prints the number of customers in each stage.
pub(crate) fn print_stages(report: &Report) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(["stage", "meaning", "customers"]);
    let mut remaining: BTreeMap<&str, usize> = report
        .stages
        .iter()
        .map(|(stage, count)| (stage.as_str(), *count))
        .collect();
    for (stage, meaning) in STAGE_MEANINGS {
        table.add_row([
            stage,
            meaning,
            &remaining.remove(stage).unwrap_or_default().to_string(),
        ]);
    }
    for (stage, count) in remaining {
        table.add_row([stage, "", &count.to_string()]);
    }
    table.add_row(["", "all", &report.synced.to_string()]);
    print_counts(table);
}

/// Prints the number of notices by status and reason.
pub(crate) fn print_notices(report: &Report) {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(["status", "reason", "notices"]);
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

/// Prints the text of one e-mail for each of three stages.
pub(crate) fn print_sample_emails(emails: &[EmailWithStage]) {
    let mut seen = HashSet::new();
    for EmailWithStage { stage, email } in emails
        .iter()
        .filter(|email| seen.insert(&email.stage))
        .take(3)
    {
        println!(
            "\n--- an e-mail to a customer in {stage} {}",
            "-".repeat(60_usize.saturating_sub(stage.len()))
        );
        println!(
            "To:      {}\nSubject: {}\n\n{}",
            email.to,
            email.subject,
            email.text.trim_end()
        );
    }
}

/// Prints the paths of the files that [`write_files`] wrote.
pub(crate) fn print_output_paths(folder: &Path) {
    println!("\nE-mails as HTML: {}", folder.display());
    println!("Report:          {}", folder.join("report.json").display());
}

/// Prints AWS CLI queries to paste into a shell. `Err` means that the stack lacks an output.
pub(crate) fn print_example_queries(
    cloud: &LocalCloud,
    endpoint: &str,
    heading: &str,
) -> Result<()> {
    let organizations = cloud.output("OrganizationsTable")?;
    let notices = cloud.output("NoticesTable")?;
    println!("\n{heading}");
    println!(
        "  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
         AWS_PAGER="
    );
    println!(
        concat!(
            "  aws dynamodb query --endpoint-url {} --table-name {} --index-name by-stage \\\n",
            "    --key-condition-expression 'stage = :stage' ",
            "--expression-attribute-values '{{\":stage\":{{\"S\":\"dormant_30\"}}}}'"
        ),
        endpoint, organizations
    );
    println!(
        concat!(
            "  aws dynamodb query --endpoint-url {} --table-name {} --index-name by-status \\\n",
            "    --key-condition-expression '#status = :status' ",
            "--expression-attribute-names '{{\"#status\":\"status\"}}' \\\n",
            "    --expression-attribute-values '{{\":status\":{{\"S\":\"sent\"}}}}'"
        ),
        endpoint, notices
    );

    Ok(())
}

/// Prints the run's main numbers in one sentence.
pub(crate) fn print_summary(report: &Report) {
    println!(
        "\n{} customers, {} notices, {} e-mails, {} requests to BILL ({} per customer), \
         in {:.0} s.",
        report.synced,
        report.notices_in_table(),
        report.emails_sent,
        report.bill_requests,
        report.bill_requests_per_organization,
        report.seconds
    );
    if report.notices_written.is_none() {
        println!(
            "The local AWS lost lines of sync-organization's log: the notices in the table could not \
             be compared with its metrics."
        );
    }
}
