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

    /// The derived files whose names begin so.
    pub fn derived(&self, name: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path(b".provenance/cache")).expect("a folder");
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("listed").path())
            .filter(|path| {
                path.file_name().is_some_and(|of| of.to_string_lossy().starts_with(name))
            })
            .collect();
        files.sort();
        files
    }

    /// Gives what is answered where nothing can be kept.
    #[expect(clippy::disallowed_methods, reason = "a folder of caches is put aside and back")]
    pub fn without_cache<T>(&self, ask: impl FnOnce() -> T) -> T {
        let [cache, aside] =
            [b".provenance/cache", b".provenance/aside"].map(|path| self.path(path));
        std::fs::rename(&cache, &aside).expect("moved");
        std::fs::File::create(&cache).expect("a file where the folder was");
        let answers = ask();
        std::fs::remove_file(&cache).expect("removed");
        std::fs::rename(&aside, &cache).expect("moved back");
        answers
    }

    /// Does everything that can happen to derived files, one after the other, and insists that an
    /// answer stays as it is.
    pub fn damaged<T: PartialEq + std::fmt::Debug>(&self, files: &[PathBuf], ask: impl Fn() -> T) {
        let told = ask();
        let put = |path: &PathBuf, bytes: &[u8]| {
            let _there_or_not = std::fs::remove_file(path);
            let mut file = std::fs::File::create(path).expect("made");
            std::io::Write::write_all(&mut file, bytes).expect("written");
        };
        for path in files {
            let good = std::fs::read(path).expect("read");
            for at in (0..good.len()).step_by((good.len() / 12).max(1)) {
                let mut damaged = good.clone();
                damaged[at] ^= 0x21;
                put(path, &damaged);
                assert_eq!(ask(), told, "{path:?}, byte {at}");
            }
            for bytes in [&[][..], &good[..good.len() / 2]] {
                put(path, bytes);
                assert_eq!(ask(), told, "{path:?}, cut");
            }
            let _there_or_not = std::fs::remove_file(path);
            assert_eq!(ask(), told, "{path:?}, gone");
            let _there_or_not = std::fs::remove_file(path);
            std::os::unix::fs::symlink("/dev/zero", path).expect("linked");
            assert_eq!(ask(), told, "{path:?}, a link");
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
