//! The progress bar (only on a terminal) and the clock of a run.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use paceport::pipeline::Progress;

use super::args::Common;

/// A bar with files, MB/s and the time left; hidden when standard error is no terminal, with `--quiet` and `--json`.
pub struct Bar {
    bar: ProgressBar,
    files: AtomicU64,
    started: Instant,
}

impl Bar {
    /// Starts the clock; the bar appears with the first event.
    pub fn start(common: &Common) -> Bar {
        let visible = !common.quiet && !common.json && std::io::stderr().is_terminal();
        let target = if visible { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        #[expect(clippy::disallowed_methods, reason = "the one clock of the program")]
        let started = Instant::now();
        Bar { bar: ProgressBar::with_draw_target(Some(0), target), files: AtomicU64::new(0), started }
    }

    /// Takes one event of the pipeline.
    pub fn event(&self, event: Progress<'_>) {
        match event {
            Progress::Scanned { sources, bytes } => {
                self.bar.set_length(bytes);
                self.bar.set_position(0);
                self.files.store(0, Ordering::Relaxed);
                let template = format!("{{bar:30}} {{msg}}/{sources} files  {{bytes_per_sec}}  {{eta}} left");
                if let Ok(style) = ProgressStyle::with_template(&template) {
                    self.bar.set_style(style);
                }
                if !self.bar.is_hidden() {
                    self.bar.enable_steady_tick(Duration::from_millis(200));
                }
            }
            Progress::Done { bytes, .. } => {
                let files = self.files.fetch_add(1, Ordering::Relaxed) + 1;
                if !self.bar.is_hidden() {
                    self.bar.set_message(files.to_string());
                    self.bar.inc(bytes);
                }
            }
        }
    }

    /// Removes the bar and gives the seconds since the start.
    pub fn finish(&self) -> f64 {
        self.bar.finish_and_clear();
        self.started.elapsed().as_secs_f64()
    }
}
