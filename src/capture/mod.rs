//! One execution: who runs it, on what machine, with which surroundings.
//!
//! What cannot be found out is left out; nothing here fails, and nothing is run to find out.

mod accelerator;
mod account;
mod hardware;
mod holder;

pub use account::{Account, account};
pub use hardware::system;
pub use holder::{holder, is_alive};
