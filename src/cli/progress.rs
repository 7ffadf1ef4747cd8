//! Bars on standard error for what lasts over a second; drawn from counters, on a terminal only.

use std::io::IsTerminal as _;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::units;
use crate::progress::{Phase, Progress, Snapshot};

/// Shorter work shows nothing.
const QUIET_FOR: Duration = Duration::from_secs(1);
const REDRAW_EVERY: Duration = Duration::from_millis(100);
const BAR: &str = "{msg} {wide_bar} {percent:>3}%  {prefix}  {eta} left";
const SPINNER: &str = "{spinner} {msg}  {prefix}  {elapsed}";

/// Draws a bar from a second after it was made until it is dropped.
#[derive(Debug)]
pub struct Bar {
    done: Option<Sender<()>>,
    drawer: Option<JoinHandle<()>>,
}

impl Bar {
    /// Watches `progress`, unless standard error is no terminal.
    pub fn watch(progress: &Progress, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self { done: None, drawer: None };
        }
        let (done, ended) = bounded(0);
        let progress = progress.clone();
        let drawer = std::thread::Builder::new()
            .name("progress".into())
            .spawn(move || draw(&progress, &ended))
            .ok();
        Self { done: Some(done), drawer }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.done = None;
        if let Some(drawer) = self.drawer.take() {
            let _a_bar_that_panicked_is_no_loss = drawer.join();
        }
    }
}

fn draw(progress: &Progress, ended: &Receiver<()>) {
    if ended.recv_timeout(QUIET_FOR) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let mut phase = None;
    let mut since = Instant::now();
    loop {
        let now = progress.snapshot();
        if phase != Some(now.phase) {
            since = Instant::now();
            phase = Some(now.phase);
            enter(&bar, now.phase);
        }
        show(&bar, &now, since.elapsed());
        if ended.recv_timeout(REDRAW_EVERY) != Err(RecvTimeoutError::Timeout) {
            bar.finish_and_clear();
            return;
        }
    }
}

fn enter(bar: &ProgressBar, phase: Phase) {
    let total = phase.bytes_total.or(phase.files_total);
    let template = if total.is_some() { BAR } else { SPINNER };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.reset();
    bar.set_message(phase.name);
    match total {
        Some(total) => bar.set_length(total),
        None => bar.unset_length(),
    }
}

fn show(bar: &ProgressBar, now: &Snapshot, elapsed: Duration) {
    let by_bytes = now.phase.bytes_total.is_some() || now.phase.files_total.is_none();
    bar.set_prefix(amount(now, elapsed));
    bar.set_position(if by_bytes { now.bytes } else { now.files });
    bar.tick();
}

/// Words what is done and how fast: `1,204 files, 3.1 GiB, 410 MiB/s`.
fn amount(now: &Snapshot, elapsed: Duration) -> String {
    let mut parts = Vec::new();
    match now.phase.files_total {
        Some(total) => {
            let total = units::count(total, "file");
            parts.push(format!("{} of {total}", units::grouped(now.files)));
        }
        None if now.files > 0 => parts.push(units::count(now.files, "file")),
        None => {}
    }
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    if now.bytes > 0 {
        parts.push(units::bytes(now.bytes));
        let rate = u128::from(now.bytes) * 1000 / u128::from(milliseconds);
        parts.push(format!("{}/s", units::bytes(u64::try_from(rate).unwrap_or(u64::MAX))));
    }
    parts.join(", ")
}

/// Words where an operation stood when it was stopped.
pub fn standing(now: &Snapshot) -> String {
    if now.phase.name.is_empty() {
        return "nothing was begun".into();
    }
    match amount(&Snapshot { bytes: 0, ..*now }, Duration::ZERO) {
        done if done.is_empty() => format!("while {}", now.phase.name),
        done => format!("while {}: {done} done", now.phase.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_worded_with_its_rate() {
        let phase = Phase { name: "reading files", files_total: Some(2000), bytes_total: None };
        let now = Snapshot { phase, files: 1204, bytes: 3 << 20 };
        let shown = amount(&now, Duration::from_secs(2));
        assert_eq!(shown, "1,204 of 2,000 files, 3.00 MiB, 1.50 MiB/s");
        assert_eq!(standing(&now), "while reading files: 1,204 of 2,000 files done");
        assert_eq!(standing(&Snapshot::default()), "nothing was begun");
    }
}
