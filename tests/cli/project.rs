//! A worktree with a repository, and the program run in it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use provenance::clock::{Clock, Timestamp};
use provenance::progress::Progress;
use provenance::repo::{
    AddRequest, CommitRequest, Committed, InitRequest, Repository, add, commit, init,
};

use crate::support::effort;

/// A worktree that is gone with the test.
pub struct Project {
    folder: tempfile::TempDir,
}

/// What the program answered.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Project {
    /// Makes an empty repository.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        init(&InitRequest { directory: folder.path().to_owned() }, Clock::System).expect("made");
        Self { folder }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &[u8]) -> PathBuf {
        self.root().join(OsStr::from_bytes(name))
    }

    /// Writes a file, and the directories on the way to it.
    pub fn write(&self, name: &[u8], content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        let mut file = fs::File::create(path).expect("made");
        std::io::Write::write_all(&mut file, content).expect("written");
    }

    /// Stages everything.
    pub fn add(&self) {
        let repository = self.open();
        let report = add(&repository, &AddRequest::default(), &Progress::default());
        assert!(!report.expect("added").is_partial());
    }

    /// Stages and records everything.
    pub fn commit(&self, message: &str) {
        self.add();
        let request = CommitRequest { message: message.to_owned(), ..CommitRequest::default() };
        let committed = commit(&self.open(), &request, &Progress::default()).expect("committed");
        assert!(matches!(committed, Committed::Made(_)));
    }

    fn open(&self) -> Repository {
        let clock = Clock::Fixed(Timestamp(1_700_000_000_000));
        Repository::open(self.root(), clock).expect("opened")
    }

    /// Builds a call of the program at the root of the worktree.
    pub fn provenance(&self) -> Command {
        let mut command = Command::new(effort::program());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.root());
        command
    }

    /// Runs the program.
    pub fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> Answer {
        let Output { status, stdout, stderr } =
            self.provenance().args(words).output().expect("the program starts");
        let err = String::from_utf8(stderr).expect("messages are UTF-8");
        Answer { code: status.code(), out: stdout, err }
    }

    /// Runs the program as a user who may not do everything: the permissions of files hold.
    ///
    /// Gives nothing, and says so, where such a user cannot be had. The worktree becomes theirs.
    #[expect(clippy::print_stdout, reason = "a test that could not run must say so")]
    pub fn run_without_rights(&self, words: &[&str]) -> Option<Answer> {
        if !rustix::process::geteuid().is_root() {
            return Some(self.run(words));
        }
        const NOBODY: &str = "65534";
        let owner = format!("{NOBODY}:{NOBODY}");
        let given = Command::new("chown").args(["-R", &owner]).arg(self.root()).status();
        let program = self.root().join(".provenance/cache/program");
        // By another process: a file that is open for writing here would be so in whatever another
        // test starts at this moment, and so could not be run ("text file busy").
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_provenance")).arg(&program);
        assert!(copy.status().expect("cp runs").success());
        let mut command = Command::new("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        let output = command.arg(&program).args(words).current_dir(self.root()).output();
        match (given, output) {
            (Ok(_), Ok(Output { status, stdout, stderr })) if status.code() != Some(126) => {
                let err = String::from_utf8(stderr).expect("messages are UTF-8");
                Some(Answer { code: status.code(), out: stdout, err })
            }
            _ => {
                println!("SKIPPED: `setpriv` gives no user without rights here");
                None
            }
        }
    }

    /// Runs the program, and insists that it ends well; gives its answer.
    #[track_caller]
    pub fn text<S: AsRef<OsStr>>(&self, words: &[S]) -> String {
        let answer = self.run(words);
        let said = String::from_utf8_lossy(&answer.out);
        assert_eq!((answer.code, answer.err.as_str()), (Some(0), ""), "{said}");
        String::from_utf8(answer.out).expect("the answer is UTF-8")
    }

    /// Builds a call with these words.
    pub fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = self.provenance();
        command.args(words);
        command
    }

    /// Runs the program; its messages may be any bytes.
    pub fn output<S: AsRef<OsStr>>(&self, words: &[S]) -> Output {
        self.command(words).output().expect("the program starts")
    }

    /// Runs the program, and insists that it ends well, whatever it says beside its answer.
    #[track_caller]
    pub fn done<S: AsRef<OsStr> + std::fmt::Debug>(&self, words: &[S]) -> String {
        let answer = self.run(words);
        assert_eq!(answer.code, Some(0), "{words:?}: {}", answer.err);
        String::from_utf8(answer.out).expect("the answer is UTF-8")
    }

    /// Gives the record of a commit.
    #[track_caller]
    pub fn record(&self, revision: &str) -> serde_json::Value {
        let shown = self.done(&["--json", "show", "-s", revision]);
        serde_json::from_str(&shown).expect("a document")
    }
}
