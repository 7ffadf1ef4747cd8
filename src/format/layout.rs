//! Every file name and key of a repository, and the version of the whole.
//!
//! Names are made and taken apart here and nowhere else. What the files hold is on their own
//! pages; where they lie, and in which order they are written, in `docs/format/layout.md`.

use super::pack::{PackClass, PackId};
use crate::object::canonical::{Number, Object, Value, decode_record};
use crate::object::{DecodeError, ObjectId};

/// Folder of a repository, beside the user's files.
pub const FOLDER: &str = ".provenance";

/// File that says which version of this layout a repository has; created last by `init`.
pub const FORMAT: &str = "format";

/// Version that this program writes, and the newest it reads.
pub const VERSION: u64 = 1;

/// Longest `format` file in bytes; one of a newer version may hold more fields.
pub const FORMAT_BYTES_MAX: usize = 4096;

/// Folders that `init` makes durable before anything is written into them.
pub const FOLDERS: &[&str] = &["pack", "journal", "journal/entry"];

/// What the names of all packs begin with.
pub const PACKS: &str = "pack/";

/// What the names of all single journal entries begin with.
pub const ENTRIES: &str = "journal/entry/";

/// What the names of all bundles of journal entries begin with.
pub const BUNDLES: &str = "journal/tile/entries/";

/// What the names of all hash tiles and bundles begin with.
pub const TILES: &str = "journal/tile/";

/// What the names of all leases of running writers begin with.
pub const LEASES: &str = "lease/";

/// What the names of lists of unreachable objects begin with.
pub const CANDIDATES: &str = "candidate/";

/// What the names of files begin with that are no longer needed.
pub const TRASH: &str = "trash/";

/// Folder of files that have no name yet; what a killed process leaves there has no effect.
pub const TEMPORARY: &str = "tmp";

/// What the names of damaged files begin with.
pub const QUARANTINE: &str = "quarantine/";

/// File that names the branch or commit of this worktree.
pub const HEAD: &str = "HEAD";

/// File that one command at a time locks while it changes the worktree; it holds nothing.
pub const LOCK: &str = "lock";

/// File that names the tree of the next commit.
pub const STAGE: &str = "stage";

/// File of the repository's settings.
pub const CONFIG: &str = "config";

/// File of the search for a bad commit that is under way.
pub const BISECT: &str = "bisect";

/// Folder of the runs that are under way in this worktree.
pub const RUNS: &str = "run";

/// Folder of derived files, which can be deleted at any time.
pub const CACHE: &str = "cache";

/// Derived file of what the worktree's files looked like when they were hashed.
pub const STAMPS: &str = "stamps";

/// Derived file of parents and generations of commits.
pub const COMMIT_GRAPH: &str = "commit-graph";

/// Derived file of the hashes that the next journal entry builds on.
pub const JOURNAL_FRONTIER: &str = "journal";

/// Derived file that says which segments make up the index of runs.
pub const RUNS_INDEX: &str = "runs-index";

/// Gives the name of a derived file with some rows of the index of runs.
pub fn runs_segment_name(name: &[u8; 16]) -> String {
    format!("{RUNS_INDEX}-{:032x}", u128::from_be_bytes(*name))
}

/// Derived file that says which segments make up the index of lineage.
pub const LINEAGE_INDEX: &str = "lineage-index";

/// Gives the name of a derived file with a part of the index of lineage.
pub fn lineage_segment_name(name: &[u8; 16]) -> String {
    format!("{LINEAGE_INDEX}-{:032x}", u128::from_be_bytes(*name))
}

const ENTRY_DIGITS: usize = 20;
const ENTRY_SUFFIX: &str = ".json";
const BUNDLE_SUFFIX: &str = ".zst";
const PACK_SUFFIX: &str = ".pack";

/// Names a pack: `pack/records-<64 hex>.pack`.
pub fn pack_name(class: PackClass, id: &PackId) -> String {
    format!("{PACKS}{}-{id}{PACK_SUFFIX}", class.name())
}

/// Takes the name of a pack apart; `None` if it is not one.
pub fn parse_pack_name(name: &str) -> Option<(PackClass, PackId)> {
    let (class, hex) = name.strip_prefix(PACKS)?.strip_suffix(PACK_SUFFIX)?.split_once('-')?;
    let class =
        [PackClass::Records, PackClass::Data].into_iter().find(|known| known.name() == class)?;
    Some((class, PackId::parse(hex).ok()?))
}

/// Names a list of unreachable objects by the BLAKE3 of its bytes: `candidate/<64 hex>.txt`.
pub fn candidates_name(hash: &ObjectId) -> String {
    format!("{CANDIDATES}{hash}.txt")
}

/// Takes the name of a list of unreachable objects apart; `None` if it is not one.
pub fn parse_candidates_name(name: &str) -> Option<ObjectId> {
    ObjectId::parse(name.strip_prefix(CANDIDATES)?.strip_suffix(".txt")?).ok()
}

/// Names a lease by random bits: `lease/<32 hex>.json`.
pub fn lease_name(random: u128) -> String {
    format!("{LEASES}{random:032x}.json")
}

/// Names the journal entry `number`: `journal/entry/<20 digits>.json`, so that names sort.
pub fn entry_name(number: u64) -> String {
    format!("{ENTRIES}{number:0ENTRY_DIGITS$}{ENTRY_SUFFIX}")
}

/// Takes the name of a journal entry apart; `None` if it is not one.
pub fn parse_entry_name(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(ENTRIES)?.strip_suffix(ENTRY_SUFFIX)?;
    // Every command reads some hundred of these: no name is spelled again to compare it.
    let is_spelled = digits.len() == ENTRY_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_spelled)
}

/// Names the bundle of entries `index * 256` to `index * 256 + 255`.
pub fn bundle_name(index: u64) -> String {
    format!("{BUNDLES}{}{BUNDLE_SUFFIX}", tile_path(index))
}

/// Takes the name of a bundle apart; `None` if it is not one.
pub fn parse_bundle_name(name: &str) -> Option<u64> {
    let path = name.strip_prefix(BUNDLES)?.strip_suffix(BUNDLE_SUFFIX)?;
    let digits: String = path.chars().filter(char::is_ascii_digit).collect();
    let index: u64 = digits.parse().ok()?;
    (bundle_name(index) == name).then_some(index)
}

/// Names a hash tile: level 0 holds leaf hashes, each further one the roots of full tiles below.
pub fn hash_tile_name(level: u8, index: u64) -> String {
    format!("{TILES}{level}/{}", tile_path(index))
}

/// Takes the name of a hash tile apart, into level and index; `None` if it is not one.
pub fn parse_hash_tile_name(name: &str) -> Option<(u8, u64)> {
    let (level, path) = name.strip_prefix(TILES)?.split_once('/')?;
    let digits: String = path.chars().filter(char::is_ascii_digit).collect();
    let (level, index) = (level.parse().ok()?, digits.parse().ok()?);
    (hash_tile_name(level, index) == name).then_some((level, index))
}

/// Spells a tile's index in groups of three digits, all but the last after an `x`.
///
/// Source: C2SP `tlog-tiles`, parameter N: 1234067 is `x001/x234/067`.
fn tile_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// Gives the bytes of the `format` file of a new repository.
pub fn encode_format() -> Vec<u8> {
    let mut object = Object::new();
    if let Ok(version) = Number::from_u64(VERSION) {
        object.set("provenance", version);
    }
    Value::Object(object).encode()
}

/// Reads the version out of a `format` file.
///
/// Shape: a version above [`VERSION`] is returned as well, whatever else the file says, so that
/// the caller can say that a newer program is needed.
pub fn decode_format(bytes: &[u8]) -> Result<u64, DecodeError> {
    const WHAT: &str = "format file";
    let version = decode_record(bytes, WHAT, FORMAT_BYTES_MAX, |fields| {
        fields.required("provenance", Value::counted)
    });
    match version {
        Ok(0) => Err(DecodeError::new(WHAT, 0, "version 0 was never written")),
        Ok(version) => Ok(version),
        Err(error) => newer(bytes).ok_or(error),
    }
}

/// Gives the version of a file that only a newer version may have written.
fn newer(bytes: &[u8]) -> Option<u64> {
    let value = crate::object::canonical::capture(bytes, "format file", FORMAT_BYTES_MAX).ok()?;
    let version = value.object().ok()?.find("provenance")?.counted().ok()?;
    (version > VERSION).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_named_as_c2sp_names_them() {
        assert_eq!(hash_tile_name(0, 1_234_067), "journal/tile/0/x001/x234/067");
        assert_eq!(hash_tile_name(2, 0), "journal/tile/2/000");
        assert_eq!(bundle_name(999), "journal/tile/entries/999.zst");
        assert_eq!(bundle_name(1000), "journal/tile/entries/x001/000.zst");
    }

    #[test]
    fn a_name_is_taken_apart_only_if_it_is_the_one_spelling() {
        for number in [0, 1, 255, 256, 1_234_067, u64::MAX] {
            assert_eq!(parse_entry_name(&entry_name(number)), Some(number));
            assert_eq!(parse_bundle_name(&bundle_name(number)), Some(number));
            assert_eq!(parse_hash_tile_name(&hash_tile_name(7, number)), Some((7, number)));
        }
        for name in [
            "journal/entry/1.json",
            "journal/entry/+0000000000000000001.json",
            "journal/entry/00000000000000000001",
            "journal/entry/99999999999999999999.json",
            "journal/tile/entries/1.zst",
            "journal/tile/entries/x000/001.zst",
            "journal/tile/entries/001/002.zst",
            "journal/tile/0/1",
            "journal/tile/00/001",
        ] {
            assert_eq!(parse_entry_name(name), None, "{name}");
            assert_eq!(parse_bundle_name(name), None, "{name}");
            assert_eq!(parse_hash_tile_name(name), None, "{name}");
        }
    }

    #[test]
    fn packs_are_named_by_class_and_id() {
        let id = PackId::from_bytes([0xAB; 32]);
        let name = pack_name(PackClass::Records, &id);
        assert_eq!(name, format!("pack/records-{}.pack", "ab".repeat(32)));
        assert_eq!(parse_pack_name(&name), Some((PackClass::Records, id)));
        assert_eq!(parse_pack_name(&name.to_uppercase()), None);
        assert_eq!(parse_pack_name("pack/other-00.pack"), None);
    }

    #[test]
    fn a_newer_format_is_told_from_a_damaged_one() {
        assert_eq!(encode_format(), br#"{"provenance":1}"#);
        assert_eq!(decode_format(&encode_format()), Ok(1));
        assert_eq!(decode_format(br#"{"provenance":2,"needs":["x"]}"#), Ok(2));
        for damaged in ["", "{}", r#"{"provenance":0}"#, r#"{"provenance":1,"x":1}"#, "{\"prov"] {
            assert!(decode_format(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }
}
