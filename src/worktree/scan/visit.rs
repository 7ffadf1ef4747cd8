//! One directory: where its names come from, and the rules that hold in it.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

use rustix::fs::FsWord;

use super::files::FilesPiece;
use super::ordered::Step;
use super::rules::Rules;
use super::selection::Selection;
use super::{Batch, IGNORE_FILE, Problem, ProblemKind, ScanError, ScanRequest};
use crate::format::stamps::{DirectoryRow, View};
use crate::object::{Name, PathError, TreePath};
use crate::worktree::directory::Directory;
use crate::worktree::stamps::Stamps;

/// What one step of the walk gives.
pub type Unfolded = Vec<Step<Piece, Result<Batch, ScanError>>>;

/// A piece of work.
#[derive(Debug)]
pub enum Piece {
    /// A directory that nobody looked at yet.
    Directory(Visit),
    /// Files of a directory whose names are known.
    Files(FilesPiece),
}

/// A directory to look at.
#[derive(Debug)]
pub struct Visit {
    /// The directory around it; `None` at the root, and inside of what is gone.
    pub parent: Option<Arc<Directory>>,
    pub name: CString,
    pub path: Option<TreePath>,
    /// Its row in the stamps, if anything in it is tracked.
    pub row: Option<u32>,
    pub rules: Option<Arc<Rules>>,
    /// Whether only tracked files count.
    pub is_ignored: bool,
    pub selection: Option<Selection>,
}

/// A directory that is being looked at.
#[derive(Debug)]
pub struct Here {
    /// `None` if it is gone.
    pub directory: Option<Arc<Directory>>,
    pub path: Option<TreePath>,
    pub row: Option<(u32, DirectoryRow)>,
    pub rules: Option<Arc<Rules>>,
    /// Whether only tracked files count.
    pub is_ignored: bool,
}

impl Here {
    /// Gives the path of something directly inside.
    pub fn path_of(&self, name: &[u8]) -> Result<TreePath, PathError> {
        let name = Name::new(name).map_err(|source| PathError::Name { offset: 0, source })?;
        match &self.path {
            Some(path) => path.join(&name),
            None => Ok(TreePath::from(name)),
        }
    }

    /// Gives the path of something directly inside, whatever its name; of itself if `name` is
    /// empty.
    pub fn raw_path_of(&self, name: &[u8]) -> OsString {
        raw_path(self.path.as_ref(), name)
    }

    /// Tells whether this is a folder that the root always holds, so that nobody need be told.
    pub fn is_own_folder(&self, name: &[u8]) -> bool {
        self.path.is_none() && matches!(name, b".git" | b".provenance")
    }
}

/// The whole walk, as all threads see it.
#[derive(Debug)]
pub struct Walk<'a> {
    pub request: ScanRequest<'a>,
    pub view: Option<View<'a>>,
    /// The device of the root, if its directories change their times with their names.
    pub reliable_device: Option<u64>,
}

/// File systems of which it is known that a directory's times change with its names: ext4, XFS,
/// Btrfs, F2FS, tmpfs, ZFS. Source: `linux/magic.h`; `ZFS_SUPER_MAGIC` of OpenZFS.
const RELIABLE: [FsWord; 6] =
    [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994, 0x2fc1_2fc1];

impl<'a> Walk<'a> {
    pub fn new(request: &ScanRequest<'a>) -> Result<Self, ScanError> {
        let view = request.stamps.map(Stamps::view).transpose()?;
        let is_reliable =
            rustix::fs::fstatfs(request.root).is_ok_and(|found| RELIABLE.contains(&found.f_type));
        let device = request.root.stat_self().ok().map(|(_, device)| device);
        Ok(Self { request: *request, view, reliable_device: device.filter(|_| is_reliable) })
    }

    /// Gives the work that the whole walk unfolds from.
    pub fn root(&self, selection: Option<Selection>) -> Piece {
        Piece::Directory(Visit {
            parent: None,
            name: CString::default(),
            path: None,
            row: self.view.is_some().then_some(0),
            rules: None,
            is_ignored: false,
            selection,
        })
    }

    /// Does one piece of work.
    pub fn unfold(&self, piece: Piece) -> Unfolded {
        let unfolded = match self.request.progress.check() {
            Err(stopped) => Err(ScanError::from(stopped)),
            Ok(()) => match piece {
                Piece::Directory(visit) => self.visit(visit),
                Piece::Files(files) => self.files(files).map_err(ScanError::from),
            },
        };
        unfolded.unwrap_or_else(|error| vec![Step::Output(Err(error), 0)])
    }

    fn visit(&self, visit: Visit) -> Result<Unfolded, ScanError> {
        let mut row = Row::new(self, visit.path.clone());
        let opened = match (&visit.parent, &visit.path) {
            (None, None) => self.request.root.open_directory(c".").map(Some),
            (None, Some(_)) => Ok(None),
            (Some(parent), _) => parent.open_directory(&visit.name).map(Some),
        };
        let directory = match opened {
            Ok(directory) => directory.map(Arc::new),
            Err(error) if is_gone(&error) => None,
            Err(error) => {
                row.problem(raw_path(visit.path.as_ref(), b""), ProblemKind::Unreadable(error));
                return Ok(row.finish());
            }
        };
        if directory.is_none() && visit.row.is_none() && visit.selection.is_none() {
            return Ok(row.finish());
        }
        let known = visit.row.zip(self.view);
        let known = known.and_then(|(at, view)| view.tables().row(at).map(|row| (at, row)));
        let mut here = Here {
            directory,
            path: visit.path,
            row: known,
            rules: visit.rules,
            is_ignored: visit.is_ignored,
        };
        self.load_rules(&mut here, &mut row);
        match &visit.selection {
            Some(selection) => self.visit_selected(&here, selection, row),
            None => self.visit_whole(here, row),
        }
    }

    /// Reads the rules of a directory on top of those around it.
    pub fn load_rules(&self, here: &mut Here, row: &mut Row<'_>) {
        let Some(directory) = &here.directory else { return };
        if here.is_ignored || self.request.takes_ignored {
            return;
        }
        let mut problems = Vec::new();
        let path = here.path.as_ref().map_or(&b""[..], TreePath::as_bytes);
        here.rules = Rules::load(here.rules.as_ref(), directory, path, &mut problems);
        for kind in problems {
            row.problem(here.raw_path_of(IGNORE_FILE.as_bytes()), kind);
        }
    }

    /// Tells whether rules ignore something directly inside.
    pub fn ignores(&self, here: &Here, name: &[u8], is_directory: bool) -> bool {
        let Some(rules) = here.rules.as_ref().filter(|_| !self.request.takes_ignored) else {
            return false;
        };
        match &here.path {
            None => rules.ignores(name, is_directory),
            Some(path) => rules.ignores(&[path.as_bytes(), name].join(&b'/'), is_directory),
        }
    }

    /// Finds the row of a directory directly inside.
    pub fn child_row(&self, here: &Here, name: &[u8]) -> Option<u32> {
        let ((number, _), view) = here.row.as_ref().zip(self.view)?;
        let mut children = view.tables().children(*number);
        children.find(|(_, child)| *child >= name).filter(|(_, child)| *child == name)?.0.into()
    }
}

/// What a directory unfolds into, while it is being looked at.
#[derive(Debug)]
pub struct Row<'w> {
    walk: &'w Walk<'w>,
    steps: Unfolded,
    pub batch: Batch,
}

impl<'w> Row<'w> {
    fn new(walk: &'w Walk<'_>, directory: Option<TreePath>) -> Self {
        Self { walk, steps: Vec::new(), batch: Batch { directory, ..Batch::default() } }
    }

    /// Adds work whose output comes after everything so far.
    pub fn push(&mut self, piece: Piece) {
        self.flush();
        self.steps.push(Step::Work(piece));
    }

    /// Adds a problem.
    pub fn problem(&mut self, path: OsString, kind: ProblemKind) {
        self.batch.problems.push(Problem { path, kind });
    }

    /// Gives all of it, in order.
    pub fn finish(mut self) -> Unfolded {
        self.flush();
        self.steps
    }

    fn flush(&mut self) {
        let directory = self.batch.directory.clone();
        let batch = std::mem::replace(&mut self.batch, Batch { directory, ..Batch::default() });
        if !batch.is_empty() {
            self.steps.push(self.walk.output(batch));
        }
    }
}

impl Batch {
    fn is_empty(&self) -> bool {
        let has_count = self.unchanged_count > 0 || self.ignored_count > 0;
        self.seen.is_none() && self.found.is_empty() && self.problems.is_empty() && !has_count
    }
}

/// Tells whether an error says that there is no such file, or no such directory any more.
pub fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    matches!(error.kind(), NotFound | NotADirectory) || is_link
}

/// Joins a path and a name that need not be valid.
pub fn raw_path(directory: Option<&TreePath>, name: &[u8]) -> OsString {
    let directory = directory.map_or(&b""[..], TreePath::as_bytes);
    OsString::from_vec(match (directory, name) {
        (b"", b"") => b".".to_vec(),
        (b"", name) => name.to_vec(),
        (directory, b"") => directory.to_vec(),
        (directory, name) => [directory, name].join(&b'/'),
    })
}
