//! Full disks, kills, signals and crowds: the repository is as before or as after, and the same
//! command succeeds when the trouble is over.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::project::Project;

/// Bytes that do not compress, another for each seed.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    let mut noise = vec![0; bytes];
    hasher.finalize_xof().read_exact(&mut noise).expect("it never ends");
    noise
}

/// Runs the program under `ulimit` words of the shell.
fn limited(project: &Project, limits: &str, words: &str) -> (Option<i32>, String) {
    let mut command = Command::new("sh");
    let script = format!("ulimit {limits} && exec \"$0\" {words}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_provenance")]).current_dir(project.root());
    let output = command.env_clear().output().expect("the shell runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("a text"))
}

fn leftovers(project: &Project) -> usize {
    fs::read_dir(project.path(b".provenance/tmp")).expect("listed").count()
}

#[test]
fn a_limit_of_the_file_size_is_an_error_and_leaves_nothing_behind() {
    let project = Project::new();
    project.write(b"weights", &noise(1, 3 << 20));
    let (code, said) = limited(&project, "-f 1000", "add -A");
    assert_eq!(code, Some(14), "{said}");
    assert!(said.contains("File too large"), "{said}");
    assert_eq!(leftovers(&project), 0);
    project.text(&["fsck"]);
    project.commit("after");
    fs::remove_file(project.path(b"weights")).expect("removed");
    let (code, said) = limited(&project, "-f 1000", "restore weights");
    assert_ne!(code, Some(0), "{said}");
    assert_eq!(fs::read_dir(project.root()).expect("listed").count(), 1, "only .provenance");
    project.text(&["restore", "weights"]);
    assert_eq!(fs::read(project.path(b"weights")).expect("there"), noise(1, 3 << 20));
}

#[test]
fn a_disk_without_space_is_an_error_and_leaves_nothing_behind() {
    let project = Project::new();
    let mount = project.path(b"small");
    fs::create_dir(&mount).expect("made");
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", "size=1m,nr_inodes=100", "tmpfs"]).arg(&mount);
    if !command.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("SKIPPED: only root may mount the small disk that this test fills");
        return;
    }
    let small = mount.to_str().expect("a text");
    let outcome = std::panic::catch_unwind(|| {
        project.text(&["-C", small, "init", "-q"]);
        project.write(b"small/weights", &noise(2, 700 << 10));
        let answer = project.run(&["-C", small, "add", "-A"]);
        assert_eq!(answer.code, Some(14));
        assert!(answer.err.contains("No space left"), "{}", answer.err);
        let left = fs::read_dir(mount.join(".provenance/tmp")).expect("listed").count();
        assert_eq!(left, 0);
        project.text(&["-C", small, "fsck"]);
        project.write(b"small/weights", b"few\n");
        project.text(&["-C", small, "add", "-q", "-A"]);
        for file in 0..100 {
            // No more inodes, until no file can be made.
            let path = mount.join(format!("fill{file}"));
            if fs::File::create(path).is_err() {
                break;
            }
        }
        let answer = project.run(&["-C", small, "commit", "-m", "full"]);
        assert_eq!(answer.code, Some(14), "{}", answer.err);
        fs::remove_file(mount.join("fill0")).expect("removed");
        for file in 1..60 {
            fs::remove_file(mount.join(format!("fill{file}"))).expect("removed");
        }
        assert_eq!(project.run(&["-C", small, "commit", "-q", "-m", "full"]).code, Some(0));
        project.text(&["-C", small, "fsck", "--full"]);
    });
    let unmounted = Command::new("umount").arg(&mount).status().expect("umount runs");
    assert!(unmounted.success());
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed);
    }
}

#[test]
fn many_commands_at_once_lose_nothing() {
    let project = Project::new();
    project.write(b"first", b"1\n");
    project.commit("first");
    let (writers, rounds) = (6, 4);
    thread::scope(|scope| {
        for writer in 0..writers {
            let project = &project;
            scope.spawn(move || {
                for round in 0..rounds {
                    let name = format!("w{writer}-{round}");
                    project.write(name.as_bytes(), name.as_bytes());
                    assert_eq!(project.run(&["add", "-q", &name]).code, Some(0));
                    // Another may have taken this file into its commit already.
                    let code = project.run(&["commit", "-q", "-m", &name]).code;
                    assert!([Some(0), Some(1)].contains(&code), "{code:?}");
                    let id = project.text(&["commit-tree", "HEAD^{tree}", "-m", &name]);
                    assert_eq!(project.run(&["branch", &name, id.trim()]).code, Some(0));
                }
            });
        }
    });
    assert_eq!(project.text(&["ls"]).lines().count(), 1 + writers * rounds);
    assert_eq!(project.text(&["branch"]).lines().count(), 1 + writers * rounds);
    project.text(&["fsck", "--full"]);
}

#[test]
fn killed_at_any_moment_the_same_command_succeeds() {
    let project = Project::new();
    let change = |round: u64| {
        for file in 0..20 {
            project.write(format!("data/f{file}").as_bytes(), &noise(round * 100 + file, 5000));
        }
        project.write(b"large", &noise(round * 100 + 99, 1 << 20));
    };
    change(0);
    project.commit("first");
    for round in 1..=16 {
        let words: &[&str] = match round % 4 {
            0 => &["commit", "-q", "-a", "-m", "again", "--allow-empty"],
            1 => &["add", "-q", "-A"],
            2 => &["restore", "-q", "."],
            _ => &["gc", "-q"],
        };
        if words[0] == "restore" {
            fs::remove_dir_all(project.path(b"data")).expect("removed");
            fs::remove_file(project.path(b"large")).expect("removed");
        } else {
            change(round);
        }
        let mut child = project.provenance().args(words).stderr(Stdio::null()).spawn();
        let child = child.as_mut().expect("the program starts");
        thread::sleep(Duration::from_micros(round * 2500));
        child.kill().expect("killed, or ended");
        child.wait().expect("it ends");
        for after in [["fsck", "-q"].as_slice(), words, &["status", "-q"]] {
            let answer = project.run(after);
            assert_eq!(answer.code, Some(0), "round {round}, {after:?}: {answer:?}");
        }
    }
    project.text(&["restore", "-q", "."]);
    assert_eq!(project.run(&["fsck", "--full"]).code, Some(0));
}

#[test]
fn what_a_killed_checkout_left_is_named_and_gc_removes_it() {
    let project = Project::new();
    project.write(b"data/a.csv", b"1\n");
    project.write(b".provenanceignore", b"*.tmp\n");
    project.commit("one");
    project.write(b"data/.provenance-0123456789abcdef.tmp", b"half");
    project.write(b"new/.provenance-fedcba9876543210.tmp", b"other half");
    assert!(project.run(&["gc", "-n"]).out.starts_with(b"Would remove 2 unfinished files"));
    project.write(b".provenanceignore", b"*.bak\n");
    let answer = project.run(&["status"]);
    let words = "data/.provenance-0123456789abcdef.tmp: is left over from a checkout that was \
                 killed: `provenance gc` removes it";
    assert!(answer.err.contains(words), "{}", answer.err);
    let report = project.text(&["gc", "--json"]);
    assert!(report.contains("\"leftover_files\":2,\"leftover_bytes\":14,"), "{report}");
    assert!(!project.path(b"data/.provenance-0123456789abcdef.tmp").exists());
    assert_eq!(project.text(&["gc"]), "Nothing to free, 3 packs\n");
    assert_eq!(project.text(&["gc", "-q"]), "");
    assert_eq!(project.text(&["gc", "-n"]), "Nothing would be removed: all of 3 packs is needed\n");
    assert_eq!(project.text(&["status", "-s"]), " M .provenanceignore\n");
}
