//! Displays progress: one line per step, with a spinner or a progress bar while the step runs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use local_cloud::ProgressCallback;

/// The step that is in progress, if any.
#[derive(Clone, Default)]
pub(crate) struct Steps {
    current: Arc<Mutex<Option<ProgressBar>>>,
}

impl Steps {
    /// Ends the current step and begins the next one.
    pub(crate) fn begin(&self, step: &str) {
        let bar = ProgressBar::new_spinner().with_style(style("{spinner} {msg}"));
        self.replace(step, bar);
    }

    /// Like [`Steps::begin`], for a step that counts to `length`.
    pub(crate) fn begin_counting(&self, step: &str, length: usize) -> ProgressBar {
        let bar = ProgressBar::new(length as u64)
            .with_style(style("{spinner} {msg} [{bar:30}] {pos}/{len}"));
        self.replace(step, bar.clone());
        bar
    }

    /// Ends the current step and prints its duration.
    pub(crate) fn end(&self) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = current.take() {
            let line = format!(
                "  {} ({:#})",
                bar.message(),
                HumanDuration(rounded(bar.elapsed()))
            );
            bar.finish_and_clear();
            println!("{line}");
        }
    }

    /// A callback for the library, which begins a step for each description.
    pub(crate) fn callback(&self) -> ProgressCallback {
        let steps = self.clone();
        Arc::new(move |step| steps.begin(step))
    }

    fn replace(&self, step: &str, bar: ProgressBar) {
        self.end();
        bar.set_message(step.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }
}

fn rounded(elapsed: Duration) -> Duration {
    Duration::from_secs(elapsed.as_secs().max(1))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
