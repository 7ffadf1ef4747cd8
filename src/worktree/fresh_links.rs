//! Links of a fresh directory that lead out of it, into the worktree that it is a copy of: whoever
//! writes through one there would write over the user's file.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use crate::listing;

/// Most links that lead from one to the next: as many as Linux follows, path_resolution(7).
const LINKS_MAX: usize = 40;

/// Has links below `fresh` that lead into `from` lead to the same place below `fresh`: into
/// `worktree`, which is `from` or lies in it, all of them; elsewhere those to what is there.
///
/// Shape: gives the paths of those that were turned, below `fresh`, ascending. What a link leads to
/// need not be there. One that leads to another link of `fresh` stays as it is. Errors: what the
/// system says; a part has been turned then. Cost: a walk over `fresh`.
pub fn turn(fresh: &Path, from: &Path, worktree: &Path) -> io::Result<Vec<PathBuf>> {
    let (from, worktree) = (from.canonicalize()?, worktree.canonicalize()?);
    let mut links = Vec::new();
    find(fresh, &mut links)?;
    links.sort_unstable();
    let mut turned = Vec::new();
    // A relative one may lead out by way of an absolute one, which is to be turned then.
    let (absolute, relative): (Vec<_>, Vec<_>) =
        links.into_iter().partition(|(_, target)| target.is_absolute());
    for (link, target) in absolute.into_iter().chain(relative) {
        let leads_to = resolved(&link.parent().unwrap_or(fresh).join(&target));
        if leads_to.starts_with(fresh) {
            continue;
        }
        let Ok(place) = leads_to.strip_prefix(&from) else { continue };
        let place = fresh.join(place);
        // What is around the worktree and not in git is no part of the run: data, say.
        if !leads_to.starts_with(&worktree) && place.symlink_metadata().is_err() {
            continue;
        }
        fs::remove_file(&link)?;
        symlink(place, &link)?;
        turned.extend(link.strip_prefix(fresh).map(Path::to_owned));
    }
    turned.sort_unstable();
    Ok(turned)
}

/// Finds the links in a directory, with what they say.
fn find(directory: &Path, links: &mut Vec<(PathBuf, PathBuf)>) -> io::Result<()> {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in listing::entries(&directory)? {
            let entry = entry?;
            let (kind, path) = (entry.kind()?, entry.path);
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_symlink() {
                let target = path.read_link()?;
                links.push((path, target));
            }
        }
    }
    Ok(())
}

/// Finds where an absolute path leads, whether anything is there or not.
fn resolved(path: &Path) -> PathBuf {
    let words = |path: &Path| -> Vec<OsString> {
        path.components().map(|word| word.as_os_str().to_owned()).collect()
    };
    let mut ahead: VecDeque<OsString> = words(path).into();
    let (mut at, mut followed) = (PathBuf::from("/"), 0);
    while let Some(word) = ahead.pop_front() {
        match Path::new(&word).components().next() {
            Some(Component::RootDir) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                at.pop();
            }
            Some(Component::Normal(name)) => {
                let next = at.join(name);
                match next.read_link() {
                    Ok(target) if followed < LINKS_MAX => {
                        followed += 1;
                        for word in words(&target).into_iter().rev() {
                            ahead.push_front(word);
                        }
                    }
                    _ => at = next,
                }
            }
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_into_the_worktree_lead_below_the_fresh_directory() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let [from, fresh, other] = ["work", "fresh", "other"].map(|name| root.join(name));
        for place in [&from.join("data"), &fresh.join("a/b"), &other] {
            fs::create_dir_all(place).unwrap();
        }
        symlink(&from, other.join("alias")).unwrap();
        let link = |name: &str, target: &Path| symlink(target, fresh.join(name)).unwrap();
        let out =
            "../".repeat(40) + from.join("data/up").strip_prefix("/").unwrap().to_str().unwrap();
        link("file", &from.join("data/x"));
        link("a/b/alias", &other.join("alias/data"));
        link("a/relative", Path::new(&out));
        link("whole", &from);
        link("first", Path::new("a/b/alias/y"));
        link("here", Path::new("a/nothing"));
        link("there", &other);
        link("round", Path::new("round"));
        let turned = turn(&fresh, &from, &from).unwrap();
        assert_eq!(turned, ["a/b/alias", "a/relative", "file", "whole"].map(PathBuf::from));
        let of = |name: &str| fs::read_link(fresh.join(name)).unwrap();
        assert_eq!(of("file"), fresh.join("data/x"));
        assert_eq!(of("a/b/alias"), fresh.join("data"));
        assert_eq!(of("a/relative"), fresh.join("data/up"));
        assert_eq!(of("whole"), fresh.join(""));
        assert_eq!(of("first"), Path::new("a/b/alias/y"));
        assert_eq!(of("here"), Path::new("a/nothing"));
        assert_eq!(of("there"), other);
        assert!(turn(&fresh, &from, &from).unwrap().is_empty());
    }

    #[test]
    fn a_fresh_directory_in_the_worktree_keeps_its_own_links() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().canonicalize().unwrap();
        let fresh = from.join("kept");
        fs::create_dir(&fresh).unwrap();
        symlink("x", fresh.join("own")).unwrap();
        symlink(from.join("y"), fresh.join("out")).unwrap();
        assert_eq!(turn(&fresh, &from, &from).unwrap(), [PathBuf::from("out")]);
        assert_eq!(fs::read_link(fresh.join("out")).unwrap(), fresh.join("y"));
    }

    #[test]
    fn around_the_worktree_only_what_is_there_as_well_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let [outer, worktree, fresh] = ["out", "out/work", "fresh"].map(|name| root.join(name));
        fs::create_dir_all(&worktree).unwrap();
        fs::create_dir_all(fresh.join("code")).unwrap();
        symlink(outer.join("code"), fresh.join("a")).unwrap();
        symlink(outer.join("data"), fresh.join("b")).unwrap();
        symlink(worktree.join("data"), fresh.join("c")).unwrap();
        assert_eq!(turn(&fresh, &outer, &worktree).unwrap(), ["a", "c"].map(PathBuf::from));
    }
}
