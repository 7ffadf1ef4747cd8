//! Which process this is, among all of this machine and of others, and whether one still lives.

use std::fs;

use crate::format::lease::Holder;

/// Describes this process.
///
/// Shape: what the system does not tell is empty, or 0; then nobody can find out that it ended.
pub fn holder() -> Holder {
    let process = u64::from(std::process::id());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Holder {
        host: host.chars().filter(|c| !c.is_control()).take(60).collect(),
        boot: boot(),
        namespace: namespace(),
        process,
        started: started(process).unwrap_or(0),
    }
}

/// Tells whether a process still runs; `None` if it is not one that can be seen from here.
pub fn is_alive(holder: &Holder) -> Option<bool> {
    let is_known = !holder.boot.is_empty() && !holder.namespace.is_empty() && holder.started > 0;
    if !is_known || holder.boot != boot() || holder.namespace != namespace() {
        return None;
    }
    // Without a /proc of this very namespace nothing can be said.
    started(u64::from(std::process::id()))?;
    Some(started(holder.process) == Some(holder.started))
}

fn boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    boot.trim().to_owned()
}

fn namespace() -> String {
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    namespace.to_string_lossy().into_owned()
}

/// Tells when a process began: the 22nd field of proc_pid_stat(5). Its second one, the name in
/// brackets, may hold anything.
fn started(process: u64) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_one_of_another_beginning_does_not() {
        let holder = holder();
        assert_eq!(is_alive(&holder), Some(true));
        let earlier = Holder { started: holder.started - 1, ..holder.clone() };
        assert_eq!(is_alive(&earlier), Some(false), "its number was given away again");
        let elsewhere = Holder { boot: "another".into(), ..holder.clone() };
        assert_eq!(is_alive(&elsewhere), None);
        assert_eq!(is_alive(&Holder { namespace: "pid:[1]".into(), ..holder }), None);
    }

    #[test]
    fn a_process_that_ended_is_dead() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = u64::from(child.id());
        let holder = Holder { process, started: started(process).unwrap(), ..holder() };
        assert_eq!(is_alive(&holder), Some(true));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(is_alive(&holder), Some(false));
    }
}
