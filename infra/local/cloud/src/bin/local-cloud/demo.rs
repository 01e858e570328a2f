//! `local-cloud demo` (`make demo`): runs the whole pipeline once and prints the results.

use std::time::Instant;

use anyhow::{Result, bail};
use local_cloud::{LocalCloud, Options, Report};

use crate::{pipeline, serve, show, steps::Steps};

/// Runs the demo. `Err` means that a part did not start, the pipeline failed or the results differ
/// from what the sandbox expects.
pub(crate) async fn run(options: Options) -> Result<()> {
    let started = Instant::now();
    let steps = Steps::default();
    let cloud = LocalCloud::start(Options {
        on_progress: steps.callback(),
        ..options
    })
    .await?;
    let as_of = pipeline::now(&cloud)?;
    pipeline::run_once(&cloud, &steps, as_of).await?;

    let report = Report::collect(&cloud, as_of, started.elapsed().as_secs_f64()).await?;
    let emails = show::emails_with_stage(&cloud).await?;
    let folder = show::write_files(&report, &emails)?;

    show::print_stages(&report);
    show::print_notices(&report);
    show::print_sample_emails(&emails);
    show::print_output_paths(&folder);
    show::print_example_queries(
        &cloud,
        &serve::default_endpoint(),
        "While `make local` runs, try:",
    )?;
    show::print_summary(&report);

    check_report(&report)
}

/// Prints the first mismatches. `Err` lists the report's problems.
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

    let problems = report.problems();
    if !problems.is_empty() {
        bail!("{}", problems.join("; "));
    }

    Ok(())
}
