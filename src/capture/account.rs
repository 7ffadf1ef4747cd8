//! Whose account this is, on which machine.

use std::env;

/// Names of the account and the machine, where they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Name of the machine in its network.
    pub host: Option<String>,
    /// Name of the account, or its number where no name is set.
    pub user: Option<String>,
}

/// Asks the environment for the account and the system for the machine.
pub fn account() -> Account {
    let named = |variable| env::var(variable).ok().filter(|name| is_line(name));
    let user = named("USER").or_else(|| named("LOGNAME"));
    let number = || format!("uid-{}", rustix::process::getuid().as_raw());
    let host = rustix::system::uname().nodename().to_str().map(str::to_owned);
    Account { host: host.ok().filter(|name| is_line(name)), user: user.or_else(|| Some(number())) }
}

/// Tells whether a text may stand in a record: not empty, and nothing that a terminal obeys.
pub(super) fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 255 && !text.chars().any(char::is_control)
}
