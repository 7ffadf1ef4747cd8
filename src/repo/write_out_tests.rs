//! What is noted of files that a command found as they should be.

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use crate::clock::Clock;
use crate::object::TreePath;
use crate::progress::Progress;
use crate::repo::restore::{RestoreRequest, restore};
use crate::repo::{AddRequest, InitRequest, Repository, add, init};
use crate::worktree::local;
use crate::worktree::stamps::Stamps;

const HOUR: Duration = Duration::from_secs(3600);

/// It was believed like one that was just written: of a change right after it nothing showed.
#[test]
fn the_stamp_of_a_young_file_that_is_kept_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().to_owned();
    init(&InitRequest { directory }, Clock::System).unwrap();
    let repository = Repository::open(folder.path(), Clock::System).unwrap();
    let mut file = File::create(folder.path().join("a")).unwrap();
    file.write_all(b"1").unwrap();
    let progress = Progress::default();
    add(&repository, &AddRequest::default(), &progress).unwrap();
    let stamps = local::stamps_file(&repository.location.folder);
    let path = TreePath::new("a").unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    // Of whatever time the clock of the file system is, one to come is no older than that.
    for (modified, is_believed) in [(now + HOUR, false), (now - HOUR, true)] {
        file.set_modified(modified).unwrap();
        if is_believed {
            // The time of the last change cannot be set: it must pass.
            std::thread::sleep(Duration::from_millis(50));
        }
        let request = RestoreRequest { in_worktree: true, ..RestoreRequest::default() };
        assert_eq!(restore(&repository, &request, &progress).unwrap().written.kept, 1);
        let stamps = Stamps::open(&stamps).unwrap();
        let record = stamps.finder().unwrap().find(&path).unwrap().unwrap();
        assert_eq!(record.stamp.mtime_ns != 0, is_believed);
    }
}
