//! Commands that end in every way, and what is seen of them.

use std::fs::File;
use std::os::fd::AsFd as _;

use super::*;

#[derive(Default)]
struct Kept(Vec<u8>);

impl Log for Kept {
    fn keep(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn nowhere() -> File {
    File::options().write(true).open("/dev/null").expect("opened")
}

fn sh(script: &str) -> (Result<Ended, StartError>, String) {
    let command: Vec<OsString> = ["sh", "-c", script].map(OsString::from).into();
    let mut kept = Kept::default();
    let here = std::env::temp_dir();
    let nowhere = nowhere();
    let variables = [("RUN_TEST", OsString::from("given"))];
    let request = ProcessRequest {
        command: &command,
        directory: &here,
        variables: &variables,
        output: nowhere.as_fd(),
        error: nowhere.as_fd(),
        trace: None,
        ends_all: false,
    };
    let ended = run(&request, &mut kept);
    (ended, String::from_utf8(kept.0).expect("text"))
}

#[test]
fn its_exit_code_is_told_and_its_output_kept() {
    let (ended, text) = sh("echo $RUN_TEST; exit 7");
    let ended = ended.expect("it ran");
    assert_eq!((ended.exit_code, ended.signal, ended.left_running), (7, None, false));
    assert_eq!(text, "given\n");
}

#[test]
fn a_signal_that_ends_it_is_told() {
    let (ended, _) = sh("kill -TERM $$");
    let ended = ended.expect("it ran");
    assert_eq!((ended.exit_code, ended.signal), (143, Some(15)));
}

#[test]
fn what_cannot_be_started_is_told_apart() {
    let run_one = |name: &str| {
        let command = [OsString::from(name)];
        let nowhere = nowhere();
        let request = ProcessRequest {
            command: &command,
            directory: Path::new("/"),
            variables: &[],
            output: nowhere.as_fd(),
            error: nowhere.as_fd(),
            trace: None,
            ends_all: false,
        };
        run(&request, &mut Kept::default())
    };
    assert!(matches!(run_one("/no/such/program"), Err(StartError::NotFound { .. })));
    assert!(matches!(run_one("/etc/passwd"), Err(StartError::NotExecutable { .. })));
}

#[test]
fn what_it_leaves_running_is_not_waited_for() {
    let begun = Instant::now();
    let (ended, text) = sh("echo first; sleep 30 & exit 0");
    assert!(ended.expect("it ran").left_running);
    assert_eq!(text, "first\n");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn time_and_memory_of_all_its_processes_count() {
    let script = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'";
    let (ended, _) = sh(script);
    let resources = ended.expect("it ran").resources;
    assert!(resources.user_ms.expect("counted") > 0, "{resources:?}");
    assert!(resources.memory_bytes_max.expect("counted") > 100_000, "{resources:?}");
    assert!(resources.elapsed_ms.expect("counted") > 0, "{resources:?}");
}

/// Only the main thread's children were looked at: what a pool of threads starts was not counted,
/// and not ended.
#[test]
fn what_another_thread_started_is_a_descendant_too() {
    let (started, ended) = std::sync::mpsc::channel::<Child>();
    let (end, until) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        started.send(Command::new("sleep").arg("600").spawn().unwrap()).unwrap();
        until.recv().unwrap_err();
    });
    let mut child = ended.recv().unwrap();
    let found = descendants(rustix::process::getpid());
    child.kill().unwrap();
    child.wait().unwrap();
    drop(end);
    thread.join().unwrap();
    assert!(found.contains(&Pid::from_child(&child)));
}
