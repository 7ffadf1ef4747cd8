//! Which columns two tables share, and how their rows are read so that they can be compared.

use std::collections::HashSet;

use super::compare::ColumnDiff;
use super::reading::Reading;
use super::shape::Shape;

/// How both tables are read, and how their columns differ.
pub(super) struct Common {
    pub old: Reading,
    pub new: Reading,
    pub diff: ColumnDiff,
}

/// Brings two tables together; `None` if they have no column in common.
///
/// Shape: `key` counts if both have it, else a column that both call `id` or alike.
pub(super) fn common(old: Shape, new: Shape, key: Option<&str>) -> Option<Common> {
    let renamed = renamed(&old, &new);
    let called = |name: &String| {
        let new_name = renamed.iter().find(|(old, _)| old == name).map(|(_, new)| new);
        new_name.unwrap_or(name).clone()
    };
    let old_names: Vec<String> = old.columns.iter().map(called).collect();
    let in_old: HashSet<&String> = old_names.iter().collect();
    let in_new: HashSet<&String> = new.columns.iter().collect();
    let added: Vec<String> =
        new.columns.iter().filter(|name| !in_old.contains(name)).cloned().collect();
    let removed: Vec<String> =
        old_names.iter().filter(|name| !in_new.contains(name)).cloned().collect();
    let shared: Vec<String> =
        new.columns.iter().filter(|name| in_old.contains(name)).cloned().collect();
    if shared.is_empty() {
        return None;
    }
    let key = match key.filter(|key| shared.iter().any(|name| name == key)) {
        Some(key) => Some(key.to_owned()),
        None => {
            let likely = new.likely_key().filter(|key| shared.iter().any(|name| name == key));
            likely.map(str::to_owned)
        }
    };
    let is_json = new.form.is_json();
    let is_same_order = old_names == new.columns;
    let needs_picks = match is_json {
        true => !(added.is_empty() && removed.is_empty() && renamed.is_empty()),
        false => !is_same_order,
    };
    let reordered = !is_json && {
        let kept = old_names.iter().filter(|name| in_new.contains(name));
        !kept.eq(shared.iter())
    };
    let is_plain = old.form == new.form && !needs_picks && (!is_json || renamed.is_empty());
    let reading = |shape: Shape, names: Vec<String>| {
        let at: std::collections::HashMap<&String, usize> =
            names.iter().enumerate().map(|(at, name)| (name, at)).collect();
        let picks = shared.iter().filter_map(|name| at.get(name).copied()).collect();
        let picks = needs_picks.then_some(picks);
        Reading { shape, names, picks, key: key.clone(), is_plain, is_loose: false }
    };
    let new_names = new.columns.clone();
    Some(Common {
        diff: ColumnDiff { added: added.clone(), removed: removed.clone(), renamed, reordered },
        old: reading(old, old_names.clone()),
        new: reading(new, new_names),
    })
}

/// Finds columns that were given another name: in the same order among those that only one
/// table has, with at least half of the values at the beginning the same.
fn renamed(old: &Shape, new: &Shape) -> Vec<(String, String)> {
    let only = |of: &Shape, other: &Shape| -> Vec<usize> {
        let others: HashSet<&String> = other.columns.iter().collect();
        let columns = of.columns.iter().enumerate();
        columns.filter(|(_, name)| !others.contains(name)).map(|(at, _)| at).collect()
    };
    let (gone, came) = (only(old, new), only(new, old));
    if gone.len() != came.len() {
        return Vec::new();
    }
    let is_unnamed = !old.form.is_json() && old.has_header != new.has_header;
    let pairs = gone.into_iter().zip(came).filter(|(gone, came)| {
        let values = (old.values.get(*gone), new.values.get(*came));
        let (Some(before), Some(after)) = values else { return false };
        let shared = before.intersection(after).count();
        is_unnamed || (shared > 0 && shared * 2 >= before.len().min(after.len()))
    });
    let named = |(gone, came): (usize, usize)| {
        Some((old.columns.get(gone)?.clone(), new.columns.get(came)?.clone()))
    };
    pairs.filter_map(named).collect()
}
