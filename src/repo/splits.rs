//! What the splits of the data share: whoever trains on what is tested on must be told.
//!
//! Specified in `docs/tables.md`. Compared when a commit or a run is recorded, and only if a split
//! is another than in the commit before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use super::describe::{error_of, half_of, line_of};
use super::diff::FileSide;
use super::diff::read::Files;
use super::table::overlap::{Finder, Place, Shared};
use super::table::{
    LooseTable, PART_COUNTS, Part, TableFault, can_be, common_columns, parquet, read_loosely,
};
use super::{Error, Repository};
use crate::object::tree::{self, Target};
use crate::object::{Artifact, ObjectId, Overlap, OverlapSample, Overlaps, SplitSize, TreePath};
use crate::progress::Progress;
use crate::store::Reader;
use crate::worktree::settings::Settings;

/// Most tables that are compared.
const TABLES_MAX: usize = 10_000;
/// Most notes that are kept.
const NOTES_MAX: usize = 100;
/// What is compared and how; another word for another way.
const WAY: &str = "overlaps 2";

/// What the splits of a commit share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlapReport {
    /// As it is recorded.
    pub overlaps: Overlaps,
    /// Rows that are among the samples, by file and line; none if nothing had to be compared.
    pub rows: BTreeMap<(String, u64), String>,
    /// Whether the commit before says the same.
    pub is_known: bool,
}

/// One split.
struct Set<'a> {
    split: &'a str,
    artifacts: Vec<&'a Artifact>,
    bytes: u64,
}

/// A table of a split.
struct Table {
    set: u32,
    path: TreePath,
    side: FileSide,
    table: LooseTable,
}

/// Compares the splits of a tree; `None` if there are no two.
///
/// Errors: what cannot be read from the store; a table that is malformed is noted.
/// Cost: reads every table of every split once, several times if more than 1,800,000 rows lie in
/// all but the largest split; nothing if the commit `before` has the same splits.
pub(super) fn overlaps(
    repository: &Repository,
    (root, artifacts, settings): (&ObjectId, &[Artifact], &Settings),
    before: Option<ObjectId>,
    progress: &Progress,
) -> Result<Option<OverlapReport>, Error> {
    let sets = sets(artifacts);
    if sets.len() < 2 {
        return Ok(None);
    }
    let of = identity(&sets, settings, parquet::IS_BUILT_IN);
    // Whoever read more said all that would be said again.
    let of_more = identity(&sets, settings, true);
    let mut reader = repository.store.reader();
    if let Some(overlaps) = known(&mut reader, before, &[of, of_more])? {
        return Ok(Some(OverlapReport { overlaps, rows: BTreeMap::new(), is_known: true }));
    }
    let mut search = Search {
        root,
        sets: &sets,
        reader,
        files: Files::new(repository, progress),
        sizes: sets.iter().map(|set| size(set.split)).collect(),
        notes: Vec::new(),
        rows: BTreeMap::new(),
    };
    let same_files = search.in_parts(Search::same_files)?;
    let tables = search.tables(settings)?;
    let same_rows = match tables.is_empty() {
        true => HashMap::new(),
        false => search.in_parts(|search, part| search.same_rows(&tables, part))?,
    };
    let pairs = search.pairs(same_files, same_rows, &tables)?;
    let Search { sizes, notes, rows, .. } = search;
    let overlaps = Overlaps { of, splits: sizes, pairs, notes };
    Ok(Some(OverlapReport { overlaps, rows, is_known: false }))
}

/// Reads what a commit says about its splits.
pub(super) fn overlaps_of(
    reader: &mut Reader<'_>,
    id: Option<ObjectId>,
) -> Result<Option<Overlaps>, Error> {
    let Some(id) = id else { return Ok(None) };
    Ok(Some(Overlaps::decode(&reader.attachment(&id)?)?))
}

fn known(
    reader: &mut Reader<'_>,
    before: Option<ObjectId>,
    ids: &[ObjectId],
) -> Result<Option<Overlaps>, Error> {
    let Some(before) = before else { return Ok(None) };
    let id = reader.commit(&before)?.overlaps;
    Ok(overlaps_of(reader, id)?.filter(|overlaps| ids.contains(&overlaps.of)))
}

/// Sorts the artifacts by split, the smallest split first.
fn sets(artifacts: &[Artifact]) -> Vec<Set<'_>> {
    let mut by_split: BTreeMap<&str, Vec<&Artifact>> = BTreeMap::new();
    for artifact in artifacts {
        if let Some(split) = &artifact.split {
            // They come by path: what lies in a directory of the same split is counted with it.
            let of_split: &mut Vec<&Artifact> = by_split.entry(split).or_default();
            let holds = |other: &&&Artifact| {
                let below = artifact.path.strip_prefix(&other.path);
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !of_split.iter().any(|other| holds(&other)) {
                of_split.push(artifact);
            }
        }
    }
    let mut sets = Vec::new();
    for (split, artifacts) in by_split {
        let bytes = artifacts.iter().map(|artifact| artifact.content.bytes).sum();
        sets.push(Set { split, artifacts, bytes });
    }
    sets.sort_by_key(|set| set.bytes);
    sets
}

/// Stands for everything that the answer depends on.
fn identity(sets: &[Set<'_>], settings: &Settings, reads_parquet: bool) -> ObjectId {
    let mut text = WAY.to_owned();
    for set in sets {
        for artifact in &set.artifacts {
            let id = artifact.content.id;
            text.push_str(&format!("\n{:?} {:?} {id}", set.split, artifact.path));
        }
    }
    text.push_str(&format!("\n{:?} {}", keys(settings), reads_parquet));
    ObjectId::of(text.as_bytes())
}

/// Names the columns that tell the rows of split tables apart: they say nothing of what rows hold.
fn keys(settings: &Settings) -> BTreeSet<&str> {
    let of_splits = settings.artifacts.iter().filter(|declared| declared.split.is_some());
    of_splits.filter_map(|declared| declared.key.as_deref()).collect()
}

fn size(split: &str) -> SplitSize {
    SplitSize { split: split.to_owned(), files: 0, rows: 0 }
}

type Found = HashMap<(u32, u32), Shared>;

struct Search<'a> {
    root: &'a ObjectId,
    sets: &'a [Set<'a>],
    reader: Reader<'a>,
    files: Files<'a>,
    sizes: Vec<SplitSize>,
    notes: Vec<String>,
    rows: BTreeMap<(String, u64), String>,
}

impl Search<'_> {
    /// Adds everything in one part, or in more if one cannot be held.
    fn in_parts(
        &mut self,
        add: impl Fn(&mut Self, (&mut Finder, Part)) -> Result<bool, Error>,
    ) -> Result<Found, Error> {
        for count in PART_COUNTS {
            let mut finder = Finder::default();
            let mut fits = true;
            for index in 0..count {
                fits = add(self, (&mut finder, Part { index, count }))?;
                if !fits {
                    break;
                }
                finder.next_part();
            }
            if fits {
                return Ok(finder.shared);
            }
        }
        self.note("too much to compare".to_owned());
        Ok(HashMap::new())
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_MAX && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Gives each file of the splits with its number.
    fn each_file(
        &mut self,
        mut take: impl FnMut(u32, u32, &TreePath, &Target),
    ) -> Result<(), Error> {
        let Self { root, sets, reader, files, .. } = self;
        let mut number = 0;
        for (set, artifacts) in (0..).zip(sets.iter().map(|set| &set.artifacts)) {
            for artifact in artifacts {
                let path = TreePath::new(artifact.path.as_str());
                let path = path.map_err(|error| Error::Internal(error.to_string()))?;
                let found = tree::find(root, &path, |id| reader.node(id))?;
                let Some(target) = found else { continue };
                if !target.is_directory() {
                    take(set, number, &path, &target);
                    number += 1;
                    continue;
                }
                for entry in tree::walk(root, Some(&path), |id| reader.node(id))? {
                    let entry = entry?;
                    if !entry.target.is_directory() {
                        take(set, number, &entry.path, &entry.target);
                        number += 1;
                    }
                }
            }
            files.check().map_err(error_of)?;
        }
        Ok(())
    }

    fn same_files(&mut self, (finder, part): (&mut Finder, Part)) -> Result<bool, Error> {
        let last = u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX);
        let mut sizes = vec![0u64; self.sets.len()];
        let mut fits = true;
        self.each_file(|set, number, _, target| {
            let Target::File { id, size: 1.., .. } = target else { return };
            if let Some(count) = usize::try_from(set).ok().and_then(|set| sizes.get_mut(set)) {
                *count += 1;
            }
            let hash = half_of(id);
            let [first, _] = hash;
            if fits && part.holds(first) {
                let place = Place { file: number, line: 0 };
                fits = finder.add(set, set == last, hash, place).is_ok();
            }
        })?;
        for (size, count) in self.sizes.iter_mut().zip(sizes) {
            size.files = count;
        }
        Ok(fits)
    }

    /// Looks at the tables of all splits, and which columns they share.
    fn tables(&mut self, settings: &Settings) -> Result<Vec<Table>, Error> {
        let mut found: Vec<(u32, TreePath, FileSide)> = Vec::new();
        let mut more = 0;
        self.each_file(|set, _, path, target| {
            let Target::File { size: 1.., .. } = target else { return };
            if can_be(path) && found.len() < TABLES_MAX {
                found.push((set, path.clone(), FileSide::stored(target)));
            } else {
                more += u64::from(can_be(path));
            }
        })?;
        if more > 0 {
            self.note(format!("{more} more tables were not compared"));
        }
        let mut shapes = Vec::new();
        for (set, path, side) in found {
            match super::table::probe(&mut self.files, (&path, &side)).map_err(error_of)? {
                Ok(shape) => shapes.push((set, path, side, shape)),
                Err(why) => self.note(format!("{}: no table: {why}", line_of(&path))),
            }
        }
        let columns = common_columns(shapes.iter().map(|(.., shape)| shape), &keys(settings));
        if columns.is_empty() && shapes.len() > 1 {
            self.note("the tables of the splits have no column in common".to_owned());
            return Ok(Vec::new());
        }
        let table = |(set, path, side, shape)| Table {
            set,
            path,
            side,
            table: LooseTable::new(shape, &columns),
        };
        Ok(shapes.into_iter().map(table).collect())
    }

    fn same_rows(
        &mut self,
        tables: &[Table],
        (finder, part): (&mut Finder, Part),
    ) -> Result<bool, Error> {
        let last = u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX);
        let mut counts = vec![0u64; self.sets.len()];
        for (number, Table { set, path, side, table }) in (0..).zip(tables) {
            let mut fits = true;
            let rows = &mut self.rows;
            let read = read_loosely(&mut self.files, (path, side), table, part, |row| {
                let place = Place { file: number, line: row.line };
                match finder.add(*set, set == &last, row.hash, place) {
                    Ok(false) => {}
                    Ok(true) => {
                        rows.insert((line_of(path), row.line), row.text());
                    }
                    Err(_) => fits = false,
                }
                if fits { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            match read {
                Ok(count) => {
                    let set = usize::try_from(*set).ok();
                    if let Some(sum) = set.and_then(|set| counts.get_mut(set)) {
                        *sum += count;
                    }
                }
                Err(TableFault::Refused(refusal)) => return Err(error_of(refusal)),
                Err(TableFault::Broken(broken)) => {
                    self.note(format!("{}: {broken}; not compared from there", line_of(path)));
                }
            }
            if !fits {
                return Ok(false);
            }
        }
        for (size, count) in self.sizes.iter_mut().zip(counts) {
            size.rows = count;
        }
        Ok(true)
    }

    fn pairs(
        &mut self,
        files: Found,
        rows: Found,
        tables: &[Table],
    ) -> Result<Vec<Overlap>, Error> {
        let wanted = files.values().flat_map(|shared| &shared.samples);
        let wanted: BTreeSet<u32> = wanted.flat_map(|(a, b)| [a.file, b.file]).collect();
        let mut paths: HashMap<u32, String> = HashMap::new();
        if !wanted.is_empty() {
            self.each_file(|_, number, path, _| {
                if wanted.contains(&number) {
                    paths.insert(number, line_of(path));
                }
            })?;
        }
        let file = |place: &Place| paths.get(&place.file).cloned().unwrap_or_default();
        let table = |place: &Place| {
            let table = usize::try_from(place.file).ok().and_then(|at| tables.get(at));
            table.map(|table| line_of(&table.path)).unwrap_or_default()
        };
        let keys: BTreeSet<(u32, u32)> = files.keys().chain(rows.keys()).copied().collect();
        let split = |set: u32| {
            let set = usize::try_from(set).ok().and_then(|set| self.sets.get(set));
            set.map(|set| set.split.to_owned()).unwrap_or_default()
        };
        let pair = |key: (u32, u32)| {
            let (same_files, same_rows) = (files.get(&key), rows.get(&key));
            let of_files = same_files.iter().flat_map(|shared| &shared.samples);
            let of_files = of_files.map(|(a, b)| OverlapSample {
                path: file(a),
                line: None,
                other_path: file(b),
                other_line: None,
            });
            let of_rows = same_rows.iter().flat_map(|shared| &shared.samples);
            let of_rows = of_rows.map(|(a, b)| OverlapSample {
                path: table(a),
                line: Some(a.line),
                other_path: table(b),
                other_line: Some(b.line),
            });
            Overlap {
                split: split(key.0),
                other: split(key.1),
                files: same_files.map_or(0, |shared| shared.count),
                rows: same_rows.map_or(0, |shared| shared.count),
                samples: of_files.chain(of_rows).collect(),
            }
        };
        Ok(keys.into_iter().map(pair).collect())
    }
}
