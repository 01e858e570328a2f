//! `make demo`: the whole pipeline once, and what it did.

use std::time::Instant;

use anyhow::{Result, bail};
use local_cloud::{LocalCloud, Options, Report};

use crate::{pipeline, playground, show, steps::Steps};

/// Runs it. `Err` when anything did not come up, or did not come out as the sandbox expects.
pub(crate) async fn run(options: Options) -> Result<()> {
    let started = Instant::now();
    let steps = Steps::default();
    let cloud = LocalCloud::start(Options {
        progress: steps.progress(),
        ..options
    })
    .await?;
    let as_of = pipeline::now(&cloud)?;
    pipeline::run_once(&cloud, &steps, as_of).await?;

    let report = Report::collect(&cloud, as_of, started.elapsed().as_secs_f64()).await?;
    let mails = show::emails_with_stage(&cloud).await?;
    let folder = show::write(&report, &mails)?;
    show::stages(&report);
    show::notices(&report);
    show::print_sample_emails(&mails);
    show::print_output_paths(&folder);
    show::commands(
        &cloud,
        &playground::endpoint(),
        "While `make local` runs, try:",
    )?;
    show::summary(&report);
    check_report(&report)
}

fn check_report(report: &Report) -> Result<()> {
    for mismatch in report.mismatches.iter().take(10) {
        println!(
            "  {} ({}): expected {}, found {}",
            mismatch.organization_id,
            mismatch.scenario,
            mismatch.expected.as_deref().unwrap_or("nothing"),
            mismatch.found.as_deref().unwrap_or("nothing"),
        );
    }
    let complaints = report.complaints();
    if !complaints.is_empty() {
        bail!("{}", complaints.join("; "));
    }
    Ok(())
}
