//! Checkouts of every kind, made by git itself.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;

fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]);
    command.args(arguments).current_dir(directory);
    command.env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
    let done = command.output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn put(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).unwrap().write_all(content.as_bytes()).unwrap();
}

/// A repository with `a`, `b`, `c d` committed; `None` where there is no git.
fn repository() -> Option<(tempfile::TempDir, PathBuf)> {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("skipped: there is no git");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("code");
    fs::create_dir(&root).unwrap();
    git(&root, &["init", "-q", "-b", "main"]);
    for name in ["a", "b", "c d", ".gitignore"] {
        put(&root.join(name), if name == ".gitignore" { "*.tmp\n" } else { "1\n" });
    }
    git(&root, &["add", "."]);
    git(&root, &["commit", "-q", "-m", "first"]);
    Some((folder, root))
}

fn shown(checkout: &Checkout) -> Vec<(String, ChangeKind)> {
    let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    checkout.changes.iter().map(|change| (text(&change.path), change.kind)).collect()
}

#[test]
fn changed_deleted_and_untracked_files_are_listed() {
    let Some((_folder, root)) = repository() else { return };
    git(&root, &["remote", "add", "origin", "https://ada:hunter2@example.org/a.git"]);
    let clean = look(&root).unwrap().unwrap();
    assert_eq!(shown(&clean), []);
    assert!(!clean.is_dirty() && clean.commit.as_ref().unwrap().len() == 40);
    assert_eq!(clean.branch.as_deref(), Some("main"));
    assert_eq!(clean.repository.as_deref(), Some("https://[redacted]@example.org/a.git"));
    put(&root.join("c d"), "2\n");
    fs::remove_file(root.join("a")).unwrap();
    git(&root, &["rm", "-q", "--cached", "b"]);
    for name in ["sub/new", "x.tmp", ".provenance/HEAD", "sub/é\n"] {
        put(&root.join(name), "3\n");
    }
    let dirty = look(&root.join("sub")).unwrap().unwrap();
    assert_eq!(dirty.root, root);
    let expected = [
        ("a", ChangeKind::Deleted),
        ("b", ChangeKind::Untracked),
        ("c d", ChangeKind::Changed),
        ("sub/new", ChangeKind::Untracked),
        ("sub/é\n", ChangeKind::Untracked),
    ];
    assert_eq!(shown(&dirty), expected.map(|(path, kind)| (path.to_owned(), kind)));
}

#[test]
fn detached_unborn_linked_bare_and_none() {
    let Some((folder, root)) = repository() else { return };
    let linked = root.join("../linked");
    git(&root, &["worktree", "add", "-q", "-b", "other", "../linked"]);
    let found = look(&linked.canonicalize().unwrap()).unwrap().unwrap();
    assert_eq!(found.branch.as_deref(), Some("other"));
    git(&root, &["checkout", "-q", "--detach"]);
    let detached = look(&root).unwrap().unwrap();
    assert!(detached.branch.is_none() && detached.commit == found.commit);
    let unborn = folder.path().canonicalize().unwrap().join("unborn");
    fs::create_dir(&unborn).unwrap();
    git(&unborn, &["init", "-q", "-b", "main"]);
    let unborn = look(&unborn).unwrap().unwrap();
    assert_eq!((unborn.commit, unborn.branch.as_deref()), (None, Some("main")));
    git(folder.path(), &["init", "-q", "--bare", "bare"]);
    assert_eq!(look(&folder.path().join("bare")).unwrap(), None);
    assert_eq!(look(folder.path()).unwrap(), None);
}

#[test]
fn a_submodule_shows_by_its_commit_and_is_a_checkout_itself() {
    let Some((_folder, root)) = repository() else { return };
    let outer = root.join("../outer");
    fs::create_dir(&outer).unwrap();
    let outer = outer.canonicalize().unwrap();
    git(&outer, &["init", "-q", "-b", "main"]);
    git(&outer, &["submodule", "--quiet", "add", root.to_str().unwrap(), "inner"]);
    git(&outer, &["commit", "-q", "-m", "with a submodule"]);
    assert_eq!(shown(&look(&outer).unwrap().unwrap()), []);
    git(&outer.join("inner"), &["commit", "-q", "--allow-empty", "-m", "second"]);
    let expected = [("inner".to_owned(), ChangeKind::Submodule)];
    assert_eq!(shown(&look(&outer).unwrap().unwrap()), expected);
    assert_eq!(look(&outer.join("inner")).unwrap().unwrap().root, outer.join("inner"));
}

/// What broke: nothing yet. `git status` runs clean filters and file monitors that the
/// configuration of a repository names; one that was unpacked from an archive must not.
#[test]
fn a_hostile_repository_runs_nothing() {
    let Some((_folder, root)) = repository() else { return };
    let program = root.join("../evil.sh");
    let witness = root.join("../witness");
    put(&program, &format!("#!/bin/sh\ntouch '{}'\ncat\n", witness.display()));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    git(&root, &["config", "core.fsmonitor", program]);
    git(&root, &["config", "core.hooksPath", root.parent().unwrap().to_str().unwrap()]);
    put(&root.join("../included"), &format!("[filter \"f.g\"]\n\tclean = {program}\n"));
    git(&root, &["config", "include.path", root.join("../included").to_str().unwrap()]);
    put(&root.join(".gitattributes"), "* filter=f.g\n");
    put(&root.join("a"), "2\n");
    let found = look(&root).unwrap().unwrap();
    assert_eq!(found.changes.len(), 2);
    assert!(!witness.exists(), "git ran a program that the repository names");
    // The same question without our care does run it.
    let _status = Command::new("git").arg("status").current_dir(&root).output().unwrap();
    assert!(witness.exists(), "the trap is none");
    fs::remove_file(&witness).unwrap();
    git(&root, &["config", "filter.f=g.clean", program]);
    put(&root.join(".gitattributes"), "* filter=f=g\n");
    assert!(matches!(look(&root), Err(CaptureError::Git { .. })) && !witness.exists());
    git(&root, &["config", "core.worktree", "/"]);
    assert!(matches!(look(&root), Err(CaptureError::GitWorktree { .. })));
}

#[test]
fn entries_of_every_kind_are_understood() {
    let zeros = "0".repeat(40);
    let printed = format!(
        "# branch.oid (initial)\0# branch.head (detached)\0\
         1 .M N... 100644 100644 100644 {zeros} {zeros} a b\0\
         1 D. N... 100644 000000 000000 {zeros} {zeros} gone\0? gone\0\
         2 R. N... 100644 100644 100644 {zeros} {zeros} R100 new\0old\0\
         u UU N... 100644 100644 100644 100644 {zeros} {zeros} {zeros} both\0\
         1 .M SC.. 160000 160000 160000 {zeros} {zeros} module\0! ignored\0x\0"
    );
    let status = status::parse(printed.as_bytes());
    assert_eq!((status.commit, status.branch), (None, None));
    let kinds: Vec<(&[u8], ChangeKind)> =
        status.changes.iter().map(|change| (change.path.as_slice(), change.kind)).collect();
    let expected: [(&[u8], ChangeKind); 5] = [
        (b"a b", ChangeKind::Changed),
        (b"both", ChangeKind::Changed),
        (b"gone", ChangeKind::Untracked),
        (b"module", ChangeKind::Submodule),
        (b"new", ChangeKind::Changed),
    ];
    assert_eq!(kinds, expected);
}

/// Under any of them `:(top,literal)NAME` or `:(glob)**/*.dvc` mean something else, or nothing.
#[test]
fn no_variable_changes_how_git_reads_paths() {
    let command = command::prepared(Path::new("/"), &["ls-files"]);
    for kind in ["LITERAL", "GLOB", "NOGLOB", "ICASE"] {
        let name = format!("GIT_{kind}_PATHSPECS");
        assert!(command.get_envs().any(|(key, value)| key == &*name && value.is_none()), "{name}");
    }
}
