//! Whose account this is, on which machine.

use std::env;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

/// Most bytes that are read of passwd(5).
const ACCOUNTS_BYTES_MAX: u64 = 1 << 20;

/// Names of the account and the machine, where they are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Name of the machine in its network.
    pub host: Option<String>,
    /// Name of the account, or its number where neither environment nor system names it.
    pub user: Option<String>,
}

/// Asks the environment for the account and the system for the machine, once in a process.
pub fn account() -> Account {
    static ACCOUNT: OnceLock<Account> = OnceLock::new();
    ACCOUNT.get_or_init(ask).clone()
}

fn ask() -> Account {
    let named = |variable| env::var(variable).ok().filter(|name| is_line(name));
    let uid = rustix::process::getuid().as_raw();
    // Containers and schedulers often set neither variable.
    let user = named("USER")
        .or_else(|| named("LOGNAME"))
        .or_else(|| name_of(&accounts(Path::new("/etc/passwd"))?, uid));
    let number = || format!("uid-{uid}");
    let host = rustix::system::uname().nodename().to_str().map(str::to_owned);
    Account { host: host.ok().filter(|name| is_line(name)), user: user.or_else(|| Some(number())) }
}

fn accounts(path: &Path) -> Option<String> {
    // Longer than most, so that few reads do.
    let mut bytes = Vec::with_capacity(8 << 10);
    File::open(path).ok()?.take(ACCOUNTS_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Finds the name of an account in the lines of passwd(5): `name:password:uid:…`.
fn name_of(accounts: &str, uid: u32) -> Option<String> {
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then_some(name)
    });
    name.filter(|name| is_line(name)).map(str::to_owned)
}

/// Tells whether a text may stand in a record: not empty, and nothing that a terminal obeys.
pub(super) fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 255 && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_the_name_that_the_system_gives_it() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\nbroken:x\n::7::\nada:x:1000:1000::/home/ada:";
        let found = [0, 1000, 7, 5].map(|uid| name_of(accounts, uid));
        assert_eq!(found, [Some("root".to_owned()), Some("ada".to_owned()), None, None]);
        assert_eq!(super::accounts(Path::new("/nonexistent/passwd")), None);
    }
}
