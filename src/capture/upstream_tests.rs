//! Fingerprints of files, directories and commands; a server is in `tests/cli/source.rs`.

use super::*;

const TIMEOUT: Duration = Duration::from_secs(20);

fn command(script: &str, timeout: Duration) -> Result<Answer, AskError> {
    let words = ["sh", "-c", script].map(str::to_owned);
    ask(Upstream::Command(&words), Path::new("/"), timeout, &Progress::default())
}

fn refused(answer: Result<Answer, AskError>) -> String {
    answer.expect_err("nothing to find").to_string()
}

#[test]
fn what_a_command_prints_is_hashed_however_much_it_is() {
    let answer = command("printf 'caf\\351\\n'", TIMEOUT).expect("it prints");
    assert_eq!(answer.id, ObjectId::of(b"caf\xe9\n"));
    let answer = command("head -c 8000000 /dev/zero", TIMEOUT).expect("it prints");
    assert_eq!(answer.id, ObjectId::of(&vec![0; 8_000_000]));
    assert_eq!(refused(command("true", TIMEOUT)), "the command printed nothing");
    let reason = "the command ended with exit code 3";
    assert_eq!(refused(command("echo half; exit 3", TIMEOUT)), reason);
    let words = ["no-such-program".to_owned()];
    let missing = ask(Upstream::Command(&words), Path::new("/"), TIMEOUT, &Progress::default());
    assert!(refused(missing).contains("not found"));
}

#[test]
fn a_command_that_hangs_or_leaves_something_behind_is_not_waited_for() {
    let short = Duration::from_millis(200);
    assert_eq!(refused(command("sleep 600", short)), "no answer within 0.2 s");
    assert_eq!(refused(command("yes", short)), "no answer within 0.2 s");
    let before = std::time::Instant::now();
    let left = refused(command("setsid sleep 30 & echo x", TIMEOUT));
    assert!(left.contains("still holds its output"), "{left}");
    assert!(before.elapsed() < Duration::from_secs(20), "it was waited for");
}

#[test]
fn a_file_is_its_content_and_a_directory_the_list_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, content: &str| {
        let mut file = std::fs::File::create(folder.path().join(name)).expect("made");
        std::io::Write::write_all(&mut file, content.as_bytes()).expect("written");
    };
    let ask = |name: &str| {
        let path = Path::new(name);
        ask(Upstream::File(path), folder.path(), TIMEOUT, &Progress::default())
    };
    std::fs::create_dir_all(folder.path().join("d/b")).expect("made");
    write("d/c", "three\n");
    write("d/a", "one\n");
    write("d/b/x", "two\n");
    std::os::unix::fs::symlink("gone", folder.path().join("d/l")).expect("made");
    assert_eq!(ask("d/a").expect("read").id, ObjectId::of(b"one\n"));
    let id = |content: &str| ObjectId::of(content.as_bytes()).to_string();
    let (one, two, three) = (id("one\n"), id("two\n"), id("three\n"));
    let lines = format!("{one}  a\n{two}  b/x\n{three}  c\n-> gone  l\n");
    let answer = ask("d").expect("read");
    assert_eq!(answer.id, ObjectId::of(lines.as_bytes()));
    assert_eq!(answer.evidence.as_deref(), Some("4 files"));
    assert!(refused(ask("nothing")).contains("No such file"));
    let zero = super::ask(
        Upstream::File("/dev/zero".as_ref()),
        folder.path(),
        TIMEOUT,
        &Progress::default(),
    );
    assert!(refused(zero).contains("neither a file nor a directory"));
}
