//! Looks for damage: in every pack, in everything that is reachable, in every byte.
//!
//! Damage is a finding, not an error; whatever is found is looked at once more through a new
//! descriptor, so that a disk that stuttered is no false alarm.

pub(super) mod affected;
mod blocks;
mod ledger;

use std::sync::Arc;

use super::pack::Pack;
use super::reach::{Files, Marker};
use super::{Fault, Root, Store, StoreError};
use crate::format::layout;
use crate::format::pack::{KindSet, PackClass};
use crate::object::ObjectId;
use crate::progress::{Phase, Progress};
use crate::storage::Key;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// The file, or the commit and path, that it concerns.
    pub place: String,
    /// What to do about it.
    pub mend: String,
    /// The objects that are missing or damaged; more than one if they share a block.
    pub objects: Vec<ObjectId>,
    /// Which paths of which commits need one of them that can be read nowhere: the first 20.
    pub affected: Vec<Affected>,
}

/// A path that needs something lost, and the commits in which it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Affected {
    /// The path from the root; empty for the record of the commit, or its whole tree.
    pub path: String,
    /// The first 20 of the commits; none for what is only staged.
    pub commits: Vec<ObjectId>,
    /// How many commits there are.
    pub commit_count: u64,
}

impl Finding {
    /// Words a problem that concerns no object.
    pub fn new(what: impl Into<String>, place: impl Into<String>, mend: &str) -> Self {
        let (what, place, mend) = (what.into(), place.into(), mend.to_owned());
        Self { what, place, mend, objects: Vec::new(), affected: Vec::new() }
    }
}

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Checked {
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// Packs that were opened.
    pub packs: u64,
    /// Their length in bytes.
    pub bytes: u64,
    /// Objects that the roots reach.
    pub reachable: u64,
    /// Blocks that were decoded, and the raw bytes in them.
    pub blocks: u64,
    /// Raw bytes that were decoded and hashed, those of whole large files again.
    pub raw_bytes: u64,
    /// Names in the folder of packs that are no packs; they have no effect.
    pub foreign: Vec<String>,
}

const MEND_PACK: &str = "run `provenance fsck --repair`; what that does not find again is in a \
    good copy of this file, which a copy of the repository may have";
const MEND_OBJECT: &str = "run `provenance fsck --repair` where the file is still there; or copy \
    the packs that a copy of the repository has and this one has not into `pack/`";
const MEND_RECORD: &str = "copy the packs that a copy of the repository has and this one has not \
    into `pack/`; what this record says is lost otherwise";
const MEND_READ: &str = "look at the disk, then check again";

/// Checks all packs, and that everything the roots reach is there; with `full`, every byte.
///
/// Shape: findings sorted, none twice. Errors: only what keeps the check from going on.
/// Cost: reads the footers, and all records that are reachable; with `full` every block once,
/// and again those that more than one large file is made of. Memory: 20 to 80 bytes for each
/// object, and a few blocks for each core.
pub fn check(
    store: &Store,
    roots: &[Root],
    full: bool,
    progress: &Progress,
) -> Result<Checked, StoreError> {
    let mut checked = Checked::default();
    progress.begin(Phase { name: "checking packs", ..Phase::default() });
    check_packs(store, &mut checked, progress)?;
    let sound = store.sound_part();
    check_bases(&sound, &mut checked)?;
    progress.begin(Phase { name: "checking reachable objects", ..Phase::default() });
    let files = check_reachable(&sound, roots, full, &mut checked, progress)?;
    if full {
        let total = Some(checked.bytes);
        progress.begin(Phase { name: "reading packs", bytes_total: total, files_total: None });
        blocks::check_bytes(&sound, &files, &mut checked, progress)?;
    }
    progress.begin(Phase { name: "looking for what is affected", ..Phase::default() });
    affected::fill(store, roots, &mut checked.findings, progress)?;
    merge(&mut checked.findings);
    Ok(checked)
}

/// Sorts findings, and makes one of those that say the same of several objects.
fn merge(findings: &mut Vec<Finding>) {
    findings.sort();
    findings.dedup_by(|next, first| {
        let key = |finding: &Finding| (finding.what.clone(), finding.place.clone());
        let is_same = key(next) == key(first);
        if is_same {
            first.objects.append(&mut next.objects);
            first.affected.append(&mut next.affected);
            first.objects.sort_unstable();
            first.objects.dedup();
            first.affected.sort();
            first.affected.dedup();
        }
        is_same
    });
}

fn check_packs(
    store: &Store,
    checked: &mut Checked,
    progress: &Progress,
) -> Result<(), StoreError> {
    for key in store.storage().list(layout::PACKS)? {
        progress.check()?;
        if layout::parse_pack_name(key.as_str()).is_none() {
            checked.foreign.push(key.to_string());
            continue;
        }
        match twice(|| open(store, &key)) {
            Ok(None) => {}
            Ok(Some(pack)) => {
                checked.packs += 1;
                checked.bytes += pack.bytes();
                progress.add_files(1);
            }
            Err(error) => checked.findings.push(finding(key.to_string(), error)?),
        }
    }
    Ok(())
}

/// Looks whether all is there that blocks are stored as the difference to.
fn check_bases(sound: &Store, checked: &mut Checked) -> Result<(), StoreError> {
    let listing = sound.packs().listing()?;
    for pack in listing.of(PackClass::Data).iter().chain(listing.of(PackClass::Records)) {
        for id in pack.index()?.bases() {
            if sound.packs().find(&id, KindSet::CONTENT)?.is_none() {
                let missing = StoreError::Missing { id };
                checked.findings.push(finding(format!("{}, a base", pack.key()), missing)?);
            }
        }
    }
    Ok(())
}

/// Opens a pack with a new descriptor; none if somebody merged it away meanwhile.
fn open(store: &Store, key: &Key) -> Result<Option<Arc<Pack>>, StoreError> {
    let Some(source) = store.storage().open(key)? else { return Ok(None) };
    let pack = Pack::open(key.clone(), source)?;
    pack.verify()?;
    Ok(Some(Arc::new(pack)))
}

/// Does something once more if it fails.
fn twice<T>(mut run: impl FnMut() -> Result<T, StoreError>) -> Result<T, StoreError> {
    run().or_else(|_| run())
}

fn check_reachable(
    sound: &Store,
    roots: &[Root],
    full: bool,
    checked: &mut Checked,
    progress: &Progress,
) -> Result<Files, StoreError> {
    let findings = &mut checked.findings;
    let mut failed = |place: String, error| {
        findings.push(finding(place, error)?);
        Ok(())
    };
    let mut marker = Marker::new(sound, progress, &mut failed);
    marker.files = full.then(Files::default);
    for root in roots {
        marker.mark(*root)?;
    }
    checked.reachable = marker.seen.len();
    Ok(marker.files.unwrap_or_default())
}

/// Words damage; hands on every error that is none.
fn finding(place: String, error: StoreError) -> Result<Finding, StoreError> {
    let is_damage = matches!(error.fault(), Fault::Corrupt)
        || matches!(error.fault(), Fault::Denied | Fault::Unavailable)
            && !matches!(error, StoreError::OutOfMemory);
    if !is_damage {
        return Err(error);
    }
    let (place, mend) = match &error {
        StoreError::Damaged { key, .. } | StoreError::Mismatch { key, .. } => {
            (key.to_string(), MEND_PACK)
        }
        StoreError::Missing { .. } => (place, MEND_OBJECT),
        StoreError::Malformed { .. } | StoreError::Tree(_) => (place, MEND_RECORD),
        _ => (place, MEND_READ),
    };
    let mut finding = Finding::new(worded(&error), place, mend);
    match error {
        StoreError::Mismatch { id, .. }
        | StoreError::Missing { id }
        | StoreError::Malformed { id, .. } => finding.objects.push(id),
        _ => {}
    }
    Ok(finding)
}

/// Words an error and what it comes from, outermost first.
pub fn worded(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        words = format!("{words}: {source}");
        cause = source.source();
    }
    words
}
