//! Files that are no ordinary files, names that are no ordinary names: recorded right, or one
//! clear word about each.

use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::project::{Answer, Project};

fn ends_with(answer: &Answer, code: i32) -> &str {
    assert_eq!(answer.code, Some(code), "{answer:?}");
    &answer.err
}

#[test]
fn what_holds_no_bytes_is_left_alone_and_never_waited_for() {
    let project = Project::new();
    project.write(b"data", b"1\n");
    let made = Command::new("mkfifo").arg(project.path(b"pipe")).status().expect("mkfifo runs");
    assert!(made.success());
    let _socket = UnixListener::bind(project.path(b"socket")).expect("bound");
    let answer = project.run(&["add", "-A"]);
    let said = ends_with(&answer, 3);
    assert!(said.contains("left alone: pipe: is a FIFO, which cannot be recorded\n"), "{said}");
    assert!(said.contains("left alone: socket: is a socket"), "{said}");
    assert_eq!(project.text(&["ls", ":"]), "data\n");
    project.write(b".provenanceignore", b"pipe\nsocket\n");
    assert_eq!(project.run(&["add", "-A"]).code, Some(0), "rules may leave them out in silence");
}

#[test]
fn any_name_is_recorded_and_shown_harmlessly() {
    let project = Project::new();
    let names: [&[u8]; 7] = [
        b"caf\xe9",
        b"new\nline",
        b"esc\x1b[2Jape",
        b"-rf",
        b" ",
        b"a\"b\\c",
        "\u{202e}x".as_bytes(),
    ];
    for name in names {
        project.write(name, name);
    }
    project.commit("names");
    let listed = project.text(&["ls", "-r"]);
    assert_eq!(listed.lines().count(), names.len(), "{listed}");
    assert!(!listed.contains(['\u{1b}', '\u{202e}']), "{listed:?}");
    for name in names {
        fs::remove_file(project.path(name)).expect("removed");
    }
    let answer = project.run(&["status"]);
    assert!(!answer.out.contains(&0x1b));
    project.text(&["restore", "."]);
    for name in names {
        assert_eq!(fs::read(project.path(name)).expect("there"), name);
    }
}

#[test]
fn links_are_recorded_as_links_wherever_they_lead() {
    let project = Project::new();
    let links = [("outside", "/etc/passwd"), ("loop", "loop"), ("dangling", "gone"), ("up", "..")];
    for (name, target) in links {
        symlink(target, project.path(name.as_bytes())).expect("made");
    }
    project.commit("links");
    for (name, _) in links {
        fs::remove_file(project.path(name.as_bytes())).expect("removed");
    }
    project.text(&["restore", "."]);
    for (name, target) in links {
        let found = fs::read_link(project.path(name.as_bytes())).expect("a link");
        assert_eq!(found.as_os_str().as_bytes(), target.as_bytes());
    }
    assert_eq!(project.text(&["cat", "HEAD:outside"]), "/etc/passwd");
    // A link in place of a recorded directory is never written through.
    project.write(b"data/a", b"1\n");
    project.commit("data");
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::remove_dir_all(project.path(b"data")).expect("removed");
    symlink(elsewhere.path(), project.path(b"data")).expect("made");
    project.run(&["restore", "."]);
    assert_eq!(fs::read_dir(elsewhere.path()).expect("listed").count(), 0);
}

#[test]
fn empty_and_hard_linked_files_are_files_of_their_own() {
    let project = Project::new();
    project.write(b"empty", b"");
    project.write(b"one", b"same\n");
    fs::hard_link(project.path(b"one"), project.path(b"two")).expect("linked");
    project.commit("both");
    assert_eq!(fs::metadata(project.path(b"one")).expect("there").nlink(), 2);
    fs::remove_file(project.path(b"two")).expect("removed");
    fs::remove_file(project.path(b"empty")).expect("removed");
    project.text(&["restore", "."]);
    assert_eq!(fs::read(project.path(b"two")).expect("there"), b"same\n");
    assert_eq!(fs::read(project.path(b"empty")).expect("there"), b"");
    assert_eq!(fs::metadata(project.path(b"one")).expect("there").nlink(), 1);
}

#[test]
fn a_path_may_be_200_levels_deep() {
    let project = Project::new();
    let deep = [b"level/".repeat(200).as_slice(), b"leaf"].concat();
    project.write(&deep, b"x");
    project.commit("deep");
    fs::remove_dir_all(project.path(b"level")).expect("removed");
    project.text(&["restore", "level"]);
    assert_eq!(fs::read(project.path(&deep)).expect("there"), b"x");
    assert!(project.text(&["status"]).ends_with("the worktree is clean\n"));
}

#[test]
fn a_file_becomes_a_directory_and_the_reverse() {
    let project = Project::new();
    project.write(b"a", b"file\n");
    project.write(b"b/inner", b"inner\n");
    project.commit("one");
    fs::remove_file(project.path(b"a")).expect("removed");
    fs::remove_dir_all(project.path(b"b")).expect("removed");
    project.write(b"a/inner", b"inner\n");
    project.write(b"b", b"file\n");
    let shown = project.text(&["status"]);
    assert!(shown.contains("a") && shown.contains("b"), "{shown}");
    project.commit("two");
    let shown = project.text(&["diff", "--name-status", "HEAD~1", "HEAD"]);
    assert!(shown.contains("a/inner") && shown.contains("b/inner"), "{shown}");
    project.text(&["checkout", "HEAD~1"]);
    assert_eq!(fs::read(project.path(b"a")).expect("there"), b"file\n");
    project.text(&["checkout", "main"]);
    assert_eq!(fs::read(project.path(b"a/inner")).expect("there"), b"inner\n");
    assert_eq!(fs::read(project.path(b"b")).expect("there"), b"file\n");
}

#[test]
fn names_that_differ_by_case_are_two_names() {
    let project = Project::new();
    project.write(b"README", b"upper\n");
    project.write(b"readme", b"lower\n");
    if fs::read(project.path(b"README")).expect("there") != b"upper\n" {
        println!("SKIPPED: this disk takes two cases of a name for one");
        return;
    }
    project.commit("pair");
    fs::remove_file(project.path(b"README")).expect("removed");
    project.text(&["restore", "."]);
    assert_eq!(fs::read(project.path(b"README")).expect("there"), b"upper\n");
    assert_eq!(fs::read(project.path(b"readme")).expect("there"), b"lower\n");
}

#[test]
fn a_sparse_terabyte_may_be_looked_at_and_its_recording_stopped() {
    let project = Project::new();
    let file = File::create(project.path(b"sparse")).expect("made");
    if file.set_len(1 << 40).is_err() {
        println!("SKIPPED: this disk holds no file of a terabyte");
        return;
    }
    assert!(project.text(&["status"]).contains("sparse"));
    assert_eq!(project.text(&["add", "-n", "-A"]), "add sparse\n");
    let mut command = project.provenance();
    command.args(["add", "-A"]).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("the program starts");
    thread::sleep(std::time::Duration::from_millis(300));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8(ended.stderr).expect("a text");
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("the repository is as it was before"), "{said}");
    assert!(!project.path(b".provenance/stage").exists());
    assert_eq!(fs::read_dir(project.path(b".provenance/tmp")).expect("listed").count(), 0);
    project.text(&["fsck"]);
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_staged() {
    let project = Project::new();
    project.write(b"open", b"1\n");
    project.write(b"secret", b"2\n");
    project.write(b"locked/inner", b"3\n");
    let close = |name| {
        fs::set_permissions(project.path(name), Permissions::from_mode(0o000)).expect("closed");
    };
    close(b"secret".as_slice());
    close(b"locked");
    let Some(answer) = project.run_without_rights(&["add", "-A"]) else { return };
    let said = ends_with(&answer, 3);
    assert!(said.contains("not staged: secret: cannot be read: Permission denied"), "{said}");
    assert!(said.contains("left alone: locked: cannot be read: Permission denied"), "{said}");
    assert_eq!(project.text(&["ls", ":"]), "open\n");
}

#[test]
fn a_tracked_file_that_may_not_be_read_stops_a_commit_of_everything() {
    let project = Project::new();
    project.write(b"data", b"1\n");
    project.commit("one");
    project.write(b"data", b"22\n");
    fs::set_permissions(project.path(b"data"), Permissions::from_mode(0o000)).expect("closed");
    let Some(answer) = project.run_without_rights(&["commit", "-a", "-m", "two"]) else { return };
    let said = ends_with(&answer, 14);
    assert!(
        said.contains("cannot read a tracked file, path=\"data\": Permission denied"),
        "{said}"
    );
    assert_eq!(project.text(&["rev-list", "--count", "HEAD"]), "1\n");
}

#[test]
fn rules_that_cannot_be_read_let_nothing_new_in() {
    let project = Project::new();
    project.write(b"tracked", b"1\n");
    project.commit("one");
    project.write(b"tracked", b"22\n");
    project.write(b"secret", b"2\n");
    fs::create_dir(project.path(b".provenanceignore")).expect("made");
    let answer = project.run(&["add", "-A"]);
    let said = ends_with(&answer, 3);
    let expected = ".provenanceignore: cannot be read, so nothing new in this directory";
    assert!(said.contains(expected), "{said}");
    assert_eq!(project.text(&["ls", ":"]), "tracked\n");
    assert!(project.text(&["diff", "--staged", "--name-status"]).contains("tracked"));
    fs::remove_dir(project.path(b".provenanceignore")).expect("removed");
    project.write(b".provenanceignore", b"caf\xe9\nsecret\n");
    let answer = project.run(&["add", "-A"]);
    let said = ends_with(&answer, 3);
    assert!(said.contains(".provenanceignore: line 1 is not a rule: not UTF-8"), "{said}");
    assert_eq!(project.text(&["ls", ":"]), ".provenanceignore\ntracked\n");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_never_recorded_half() {
    let project = Project::new();
    let path = project.path(b"busy");
    let fill = |byte: u8| fs::File::create(&path).map(|file| (file, vec![byte; 8 << 20]));
    let write = |byte: u8| {
        use std::io::Write as _;
        let (mut file, bytes) = fill(byte).expect("opened");
        file.write_all(&bytes).expect("written");
    };
    write(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for byte in (0..=255).cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                write(byte);
            }
        });
        for _ in 0..5 {
            let answer = project.run(&["add", "-A"]);
            if answer.code != Some(0) {
                let said = ends_with(&answer, 3);
                assert!(said.contains("not staged: busy: changed while it was read"), "{said}");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    project.commit("calm");
    assert_eq!(project.run(&["cat", "HEAD:busy"]).out, fs::read(&path).expect("read"));
    project.text(&["fsck", "--full"]);
}

/// It was left in the worktree and no longer tracked, so that nothing could remove it again.
#[test]
fn a_file_that_cannot_be_removed_stays_tracked() {
    let project = Project::new();
    project.write(b"locked/a", b"a\n");
    project.write(b"open/b", b"b\n");
    project.commit("first");
    let locked = project.path(b"locked");
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(&locked, mode(0o555)).expect("locked");
    let Some(answer) = project.run_without_rights(&["rm", "-r", "locked", "open"]) else { return };
    assert_eq!(answer.code, Some(3), "{}", answer.err);
    assert!(answer.err.contains("not removed: locked/a, still tracked: "), "{}", answer.err);
    assert!(!project.path(b"open/b").exists());
    std::fs::set_permissions(&locked, mode(0o755)).expect("unlocked");
    let again = project.run_without_rights(&["rm", "-r", "locked"]).expect("as before");
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(!locked.exists());
}
