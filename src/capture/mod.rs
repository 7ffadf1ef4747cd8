//! One execution: who runs it, on what machine, with which surroundings.
//!
//! What cannot be found out is left out; to find it out nothing fails, and nothing is run.

mod accelerator;
mod account;
mod hardware;
mod holder;
pub mod process;

pub use account::{Account, account};
pub use hardware::system;
pub use holder::{holder, is_alive};
