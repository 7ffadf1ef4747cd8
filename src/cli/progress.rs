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
const REDRAWS_PER_SECOND: u8 = 10;
const BAR: &str = "{msg} {wide_bar} {percent:>3}%  {prefix}";
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
    let mut since = Instant::now();
    if ended.recv_timeout(QUIET_FOR) != Err(RecvTimeoutError::Timeout) {
        return;
    }
    let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
    let bar = ProgressBar::with_draw_target(None, target);
    let mut phase = None;
    loop {
        let now = progress.snapshot();
        if phase != Some(now.phase) {
            // The first phase may have begun when the work did; later ones are seen at once.
            since = if phase.is_none() { since } else { Instant::now() };
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
    let left = time_left(now, elapsed).map(|left| format!(", {left} left")).unwrap_or_default();
    bar.set_prefix(format!("{}{left}", amount(now, elapsed)));
    bar.set_position(if by_bytes { now.bytes } else { now.files });
    bar.tick();
}

/// Guesses from the mean rate so far; nothing while there is nothing to guess from.
fn time_left(now: &Snapshot, elapsed: Duration) -> Option<String> {
    let (done, total) = match (now.phase.bytes_total, now.phase.files_total) {
        (Some(total), _) => (now.bytes, total),
        (None, Some(total)) => (now.files, total),
        (None, None) => return None,
    };
    let left_ms = elapsed.as_millis().checked_mul(u128::from(total.saturating_sub(done)))?;
    let seconds = u64::try_from(left_ms.checked_div(u128::from(done))?.div_ceil(1000)).ok()?;
    Some(units::seconds(seconds))
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

/// Words where an operation stood when it was stopped, to follow "interrupted".
pub fn standing(now: &Snapshot) -> String {
    let safe = "the repository is as it was before";
    let name = now.phase.name;
    if name.is_empty() {
        return format!("; {safe}");
    }
    match amount(&Snapshot { bytes: 0, ..*now }, Duration::ZERO) {
        done if done.is_empty() => format!(" while {name}; {safe}"),
        done => format!(" while {name}: {done} done; {safe}"),
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
        assert_eq!(time_left(&now, Duration::from_secs(10)).as_deref(), Some("7 s"));
        assert_eq!(time_left(&Snapshot { files: 0, ..now }, Duration::ZERO), None);
        let safe = "the repository is as it was before";
        let expected = format!(" while reading files: 1,204 of 2,000 files done; {safe}");
        assert_eq!(standing(&now), expected);
        assert_eq!(standing(&Snapshot::default()), format!("; {safe}"));
    }
}
