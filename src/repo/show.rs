//! Commits one by one, each with what it changed.

use std::collections::BTreeSet;

use super::diff::{DiffReport, DiffRequest, DiffSides, FileDiff, diff};
use super::log::{LogCommit, labels};
use super::revision::Resolver;
use super::splits::overlaps_of;
use super::{Error, Repository};
use crate::object::{Commit, ObjectId, Overlaps, Profile, TreePath};
use crate::progress::Progress;

/// Says which commits to show.
#[derive(Debug, Clone, Default)]
pub struct ShowRequest {
    /// Commits as typed; none means `HEAD`.
    pub commits: Vec<Vec<u8>>,
    /// Files and directories whose changes to show; none means all.
    pub paths: Vec<TreePath>,
    /// Whether to tell what changed at all.
    pub compares: bool,
    /// Whether to compare contents, or only to tell which files differ.
    pub reads_contents: bool,
    /// As in [`DiffRequest`].
    pub row_samples: Option<usize>,
}

/// One piece of what is shown.
#[derive(Debug)]
pub enum ShowRow {
    /// The next commit.
    Commit(Box<LogCommit>),
    /// What the splits of its data share, if it says so.
    Overlaps(Box<Overlaps>),
    /// What the tables of an artifact hold: its name, and its profile.
    Profile(String, Box<Profile>),
    /// A file that it changed, compared with its first parent.
    File(Box<FileDiff>),
    /// All files that it changed were given.
    Compared(Box<DiffReport>),
}

/// Shows commits, each followed by the files in which it differs from its first parent.
///
/// Shape: `each` gets the rows in order; a first commit is compared with the empty tree.
/// Errors: those of `each`, of the names and of the store.
/// Cost: as [`diff`].
pub fn show<E: From<Error>>(
    repository: &Repository,
    request: &ShowRequest,
    progress: &Progress,
    mut each: impl FnMut(ShowRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut resolver = Resolver::new(repository)?;
    let labels = labels(&mut resolver)?;
    let head = [b"HEAD".to_vec()];
    let names = if request.commits.is_empty() { &head[..] } else { &request.commits };
    let ids: Vec<_> =
        names.iter().map(|name| resolver.commit(name)).collect::<Result<_, Error>>()?;
    for id in ids {
        let commit = resolver.reader().commit(&id).map_err(Error::from)?;
        let parents = commit.parents.clone();
        let (new, overlaps) = (commit.tree, commit.overlaps);
        let profiled = profiled(&commit);
        let old = repository.tree_of(resolver.reader(), parents.first().copied())?;
        let labels = labels.get(&id).cloned().unwrap_or_default();
        each(ShowRow::Commit(Box::new(LogCommit { id, commit, parents, labels })))?;
        for (name, id) in profiled {
            let profile = resolver.reader().attachment(&id).map_err(Error::from)?;
            let profile = Profile::decode(&profile).map_err(Error::from)?;
            each(ShowRow::Profile(name, Box::new(profile)))?;
        }
        if let Some(overlaps) = overlaps_of(resolver.reader(), overlaps)? {
            each(ShowRow::Overlaps(Box::new(overlaps)))?;
        }
        if !request.compares {
            continue;
        }
        let comparison = DiffRequest {
            sides: DiffSides::Trees { old, new },
            paths: request.paths.clone(),
            reads_contents: request.reads_contents,
            row_samples: request.row_samples,
        };
        let report =
            diff(repository, &comparison, progress, |file| each(ShowRow::File(Box::new(file))))?;
        each(ShowRow::Compared(Box::new(report)))?;
    }
    Ok(())
}

/// Names the artifacts that have a profile; of those with the same one, the first.
fn profiled(commit: &Commit) -> Vec<(String, ObjectId)> {
    let mut seen = BTreeSet::new();
    let artifacts = commit.artifacts.iter();
    let profiles = artifacts.filter_map(|of| Some((of.name.clone(), of.profile?)));
    profiles.filter(|(_, id)| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::sample::Sample;

    fn shown(sample: &Sample, request: &ShowRequest) -> String {
        let mut shown = Vec::new();
        show(&sample.repository, request, &sample.progress, |row| {
            shown.push(match row {
                ShowRow::Commit(commit) => sample.letter(&commit.id).to_string(),
                ShowRow::File(file) => file.path.to_string(),
                ShowRow::Compared(report) => report.total().to_string(),
                ShowRow::Profile(..) => "profile".to_owned(),
                ShowRow::Overlaps(_) => "overlaps".to_owned(),
            });
            Ok::<(), Error>(())
        })
        .expect("shown");
        shown.join(" ")
    }

    #[test]
    fn each_commit_comes_with_what_it_changed() {
        let mut sample = Sample::new();
        let tree = sample.tree(&[("x", "1")]);
        sample.commit("a", tree);
        let tree = sample.tree(&[("x", "2"), ("y", "1")]);
        sample.commit("b:a", tree);
        sample.commit("c:ba", tree);
        sample.move_ref("heads/main", None, Some('b'));
        let all = ShowRequest { compares: true, ..ShowRequest::default() };
        assert_eq!(shown(&sample, &all), "b x y 2");
        assert_eq!(shown(&sample, &ShowRequest::default()), "b");
        let first = ShowRequest { commits: vec![b"main~1".to_vec()], ..all.clone() };
        assert_eq!(shown(&sample, &first), "a x 1");
        let paths = vec![TreePath::new(*b"y").expect("a good path")];
        let commits = ["main", "main~1"].map(|name| name.as_bytes().to_vec()).to_vec();
        let two = ShowRequest { commits, paths, ..all.clone() };
        assert_eq!(shown(&sample, &two), "b y 1 a 0");
        let merge = sample.ids[&'c'].to_string().into_bytes();
        assert_eq!(shown(&sample, &ShowRequest { commits: vec![merge], ..all }), "c 0");
    }

    #[test]
    fn what_is_not_there_is_an_error_before_anything_is_shown() {
        let sample = Sample::drawn("a");
        let commits = vec![b"main".to_vec(), b"nowhere".to_vec()];
        let request = ShowRequest { commits, ..ShowRequest::default() };
        let mut count = 0;
        let refused = show(&sample.repository, &request, &sample.progress, |_| {
            count += 1;
            Ok::<(), Error>(())
        });
        assert!(matches!(refused, Err(Error::NotFound { .. })));
        assert_eq!(count, 0);
    }
}
