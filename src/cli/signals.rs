//! Ctrl-C and SIGTERM: a flag that operations poll, then a clean end with 130 or 143.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use super::exit::Exit;

/// Holds what the signals of this process have asked for.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    last: Arc<AtomicUsize>,
}

impl Signals {
    /// Catches Ctrl-C and SIGTERM from now on.
    ///
    /// Shape: the first asks for a stop; a second ends the process at once, which is safe too,
    /// because nothing is named before it is durable.
    pub fn catch() -> io::Result<Self> {
        let signals = Self::default();
        for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
            flag::register_conditional_shutdown(signal, exit as i32, Arc::clone(&signals.stop))?;
            flag::register(signal, Arc::clone(&signals.stop))?;
            let number = usize::try_from(signal).unwrap_or_default();
            flag::register_usize(signal, Arc::clone(&signals.last), number)?;
        }
        // With a handler, a file that grows over the limit of the process is an error to report
        // (`ulimit -f`); without one it kills, and nothing says why.
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(signals)
    }

    /// Gives the flag that an operation polls.
    pub fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Tells how the process ends once an operation has stopped for a signal.
    pub fn exit(&self) -> Exit {
        let terminated = usize::try_from(SIGTERM).unwrap_or_default();
        if self.last.load(Ordering::Relaxed) == terminated {
            Exit::Terminated
        } else {
            Exit::Interrupted
        }
    }
}
