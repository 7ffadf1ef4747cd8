//! What is older than its source: in a tree, and over all runs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Recorded, Standing, content_of, recorded};
use crate::object::{ObjectId, Timestamp, TreePath};
use crate::progress::Progress;
use crate::repo::lineage::{Containment, Derivations, LineageNode};
use crate::repo::{Error, Repository};
use crate::store::Reader;

/// A source that has changed, and what is older.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleSource {
    /// Its name.
    pub name: String,
    /// When the change was found.
    pub changed: Timestamp,
    /// The paths that hold older content.
    pub paths: Vec<String>,
}

/// Finds what a tree holds that is older than its source.
///
/// Cost: a few small reads for each source that was ever checked.
pub(in crate::repo) fn stale_in(
    repository: &Repository,
    reader: &mut Reader<'_>,
    tree: &ObjectId,
) -> Result<Vec<StaleSource>, Error> {
    let mut stale = Vec::new();
    for source in recorded(repository)? {
        let paths = outdated(reader, &source, tree)?;
        let changed = source.check.found.and_then(|found| found.changed);
        if let Some(changed) = changed.filter(|_| !paths.is_empty()) {
            stale.push(StaleSource { name: source.check.name, changed, paths });
        }
    }
    Ok(stale)
}

/// Gives the paths of a source at which a tree holds older content.
pub(super) fn outdated(
    reader: &mut Reader<'_>,
    source: &Recorded,
    tree: &ObjectId,
) -> Result<Vec<String>, Error> {
    let mut paths = Vec::new();
    if source.check.found.as_ref().is_none_or(|found| found.changed.is_none()) {
        return Ok(paths);
    }
    for path in source.paths() {
        let Some(content) = content_of(reader, tree, &path)? else { continue };
        if source.standing(reader, &content)? == Standing::Outdated {
            paths.push(path.to_string());
        }
    }
    Ok(paths)
}

type Names = BTreeSet<String>;

/// Which runs and which content are older than a source, by the names of the sources.
#[derive(Debug, Default)]
pub struct Staleness {
    stale: HashMap<LineageNode, Names>,
}

/// What is known of a run.
struct Run {
    id: ObjectId,
    tree: ObjectId,
    started: Timestamp,
    inputs: Vec<(TreePath, ObjectId)>,
}

impl Staleness {
    /// Finds out which sources have changed since something was recorded.
    ///
    /// Shape: none if nothing can be stale, and there is no need for [`Self::find`].
    pub(in crate::repo) fn changed(
        repository: &Repository,
    ) -> Result<Option<Vec<Recorded>>, Error> {
        let mut sources = recorded(repository)?;
        sources.retain(|source| {
            source.check.found.as_ref().is_some_and(|found| found.changed.is_some())
        });
        Ok((!sources.is_empty()).then_some(sources))
    }

    /// Finds every run that has read what is older than its source, and all that came of those.
    ///
    /// Cost: reads the record of every run and the nodes of every directory that it names, and
    /// looks a path up in the tree of those that have read from a source.
    pub(in crate::repo) fn find(
        repository: &Repository,
        sources: &[Recorded],
        progress: &Progress,
    ) -> Result<Self, Error> {
        let derivations = Derivations::load(repository, progress)?;
        let containment = Containment::find(&repository.store, &derivations, [], progress)?;
        let mut reader = repository.store.reader();
        let mut runs = Vec::new();
        for id in derivations.runs() {
            progress.check()?;
            let commit = reader.commit(id)?;
            let Some(run) = commit.run else { continue };
            let path = |text: String| TreePath::new(text).ok();
            let inputs = run.inputs.into_iter();
            let inputs = inputs.filter_map(|input| Some((path(input.path)?, input.content.id)));
            let (tree, started) = (commit.tree, run.started);
            runs.push(Run { id: *id, tree, started, inputs: inputs.collect() });
        }
        // The order in which things were made: mostly, one pass reaches everything.
        runs.sort_by_key(|run| (run.started, run.id));
        let mut staleness = Self::default();
        for source in sources {
            staleness.of_source(&mut reader, source, &runs)?;
        }
        if staleness.stale.is_empty() {
            return Ok(staleness);
        }
        let (made, inside) = (&derivations, &containment);
        let mut derived = Derived { made, inside, fresh: HashSet::new() };
        derived.prove(&runs, &staleness.stale);
        while staleness.pass(&runs, &derived) {
            progress.check()?;
        }
        staleness.mark_made(&runs, &derived);
        Ok(staleness)
    }

    /// Marks the runs that have read older content of a source, and that content.
    fn of_source(
        &mut self,
        reader: &mut Reader<'_>,
        source: &Recorded,
        runs: &[Run],
    ) -> Result<(), Error> {
        let paths: Vec<TreePath> = source.paths().collect();
        let mut known: HashMap<(ObjectId, usize), Option<ObjectId>> = HashMap::new();
        // Of each content of the source who read it; of each input whose content it is part of.
        let mut users: BTreeMap<ObjectId, Vec<&Run>> = BTreeMap::new();
        let mut inputs: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
        for run in runs {
            for (at, path) in paths.iter().enumerate() {
                for (input, id) in &run.inputs {
                    if !input.starts_with(path) && !path.starts_with(input) {
                        continue;
                    }
                    let whole = match input == path {
                        true => Some(*id),
                        false => match known.get(&(run.tree, at)) {
                            Some(known) => *known,
                            None => {
                                let found = content_of(reader, &run.tree, path)?;
                                *known.entry((run.tree, at)).or_insert(found)
                            }
                        },
                    };
                    let whole = whole.unwrap_or(*id);
                    users.entry(whole).or_default().push(run);
                    inputs.entry(*id).or_default().insert(whole);
                }
            }
        }
        let mut older: BTreeSet<ObjectId> = BTreeSet::new();
        let changed = source.check.found.as_ref().and_then(|found| found.changed);
        for (content, users) in &users {
            let first = users.iter().map(|run| run.started).min();
            let is_older = match source.standing(reader, content)? {
                Standing::Current => false,
                Standing::Outdated => true,
                Standing::Unseen => first < changed,
            };
            if is_older {
                older.insert(*content);
                self.put(LineageNode::Artifact(*content), &source.check.name);
                for run in users {
                    self.put(LineageNode::Commit(run.id), &source.check.name);
                }
            }
        }
        // A file that newer content holds as well is as good as new.
        for (input, _) in inputs.iter().filter(|(_, wholes)| wholes.is_subset(&older)) {
            self.put(LineageNode::Artifact(*input), &source.check.name);
        }
        Ok(())
    }

    fn put(&mut self, node: LineageNode, name: &str) {
        self.stale.entry(node).or_default().insert(name.to_owned());
    }

    /// Marks runs that have read what came of stale runs; tells whether there were any.
    fn pass(&mut self, runs: &[Run], derived: &Derived<'_>) -> bool {
        let mut is_any = false;
        for run in runs.iter().filter(|run| !derived.fresh.contains(&run.id)) {
            let mut names = Names::new();
            for (_, input) in &run.inputs {
                names.extend(self.of_content(input, Some(&run.id), derived));
            }
            let known = self.stale.get(&LineageNode::Commit(run.id));
            if !names.is_empty() && known.is_none_or(|known| !known.is_superset(&names)) {
                self.stale.entry(LineageNode::Commit(run.id)).or_default().extend(names);
                is_any = true;
            }
        }
        is_any
    }

    /// Tells why content that somebody has read is stale, as far as it is known by now.
    fn of_content(&self, id: &ObjectId, reader: Option<&ObjectId>, derived: &Derived<'_>) -> Names {
        let stale =
            derived.makers(id, reader).into_iter().filter(|makers| !derived.is_any_fresh(makers));
        let of = |id: &ObjectId| self.stale.get(&LineageNode::Commit(*id));
        stale.flatten().filter_map(|id| of(&id)).flatten().cloned().collect()
    }

    /// Marks the content that stale runs have made and read.
    fn mark_made(&mut self, runs: &[Run], derived: &Derived<'_>) {
        let inputs = runs.iter().flat_map(|run| run.inputs.iter().map(|(_, id)| *id));
        let all = derived.made.all().map(|content| content.id);
        let ids: BTreeSet<ObjectId> = all.chain(inputs).collect();
        for id in ids {
            let names = self.of_content(&id, None, derived);
            if !names.is_empty() {
                self.stale.entry(LineageNode::Artifact(id)).or_default().extend(names);
            }
        }
    }

    /// Marks content that a check saw and that no run has read.
    pub(in crate::repo) fn look_at(
        &mut self,
        repository: &Repository,
        sources: &[Recorded],
        content: ObjectId,
    ) -> Result<(), Error> {
        let mut reader = repository.store.reader();
        for source in sources {
            if source.standing(&mut reader, &content)? == Standing::Outdated {
                self.put(LineageNode::Artifact(content), &source.check.name);
            }
        }
        Ok(())
    }

    /// Gives the names of the sources than which a node is older, ascending.
    pub fn of(&self, node: &LineageNode) -> Vec<String> {
        self.stale.get(node).into_iter().flatten().cloned().collect()
    }
}

/// Who made what, and which runs are as new as all sources.
struct Derived<'d> {
    made: &'d Derivations,
    inside: &'d Containment,
    fresh: HashSet<ObjectId>,
}

impl Derived<'_> {
    /// Finds the runs that have read nothing but what is fresh.
    ///
    /// Shape: only what leads back to fresh beginnings is fresh, so a run that writes again what it
    /// has read does not make that fresh.
    fn prove(&mut self, runs: &[Run], stale: &HashMap<LineageNode, Names>) {
        let mut left: Vec<&Run> =
            runs.iter().filter(|run| !stale.contains_key(&LineageNode::Commit(run.id))).collect();
        loop {
            let before = left.len();
            left.retain(|run| {
                let is_fresh = run.inputs.iter().all(|(_, input)| {
                    self.makers(input, Some(&run.id)).iter().all(|makers| self.is_any_fresh(makers))
                });
                if is_fresh {
                    self.fresh.insert(run.id);
                }
                !is_fresh
            });
            if left.len() == before {
                return;
            }
        }
    }

    /// Gives who made content: the runs that made it as a whole; else those of a directory that it
    /// lies in; else, for each part that a run made, those runs.
    ///
    /// Shape: `reader` is none of them: it had the content before it wrote it again.
    fn makers(&self, id: &ObjectId, reader: Option<&ObjectId>) -> Vec<Vec<ObjectId>> {
        let of = |id: &ObjectId| {
            let makers = self.made.makers(id).iter().map(|used| used.commit);
            makers.filter(|maker| reader != Some(maker))
        };
        let mut whole: Vec<ObjectId> = of(id).collect();
        if whole.is_empty() {
            whole = self.inside.around(id).iter().flat_map(|(outer, _)| of(outer)).collect();
        }
        if !whole.is_empty() {
            return vec![whole];
        }
        let parts = self.inside.inside(id).iter().map(|(inner, _)| of(inner).collect());
        parts.filter(|makers: &Vec<ObjectId>| !makers.is_empty()).collect()
    }

    /// Tells whether one of these is fresh: what it made is as good as new, whoever else made it.
    fn is_any_fresh(&self, makers: &[ObjectId]) -> bool {
        makers.iter().any(|id| self.fresh.contains(id))
    }
}
