//! What differs between the data of two commits, as far as their profiles tell.

use std::collections::BTreeMap;

use super::Error;
use super::run_diff::{ValueDiff, compared};
use crate::object::{Commit, Profile};
use crate::store::Reader;

/// Most columns of an artifact that are compared.
const COLUMNS_MAX: usize = 100;

/// Compares the profiles of artifacts of the same name.
pub(super) fn data_diff(
    reader: &mut Reader<'_>,
    old: &Commit,
    new: &Commit,
) -> Result<Vec<ValueDiff>, Error> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    for artifact in &new.artifacts {
        let Some(new_id) = artifact.profile else { continue };
        let named = old.artifacts.iter().find(|old| old.name == artifact.name);
        let Some(old_id) = named.and_then(|old| old.profile) else { continue };
        if old_id != new_id {
            put(&mut before, &artifact.name, &Profile::decode(&reader.attachment(&old_id)?)?);
            put(&mut after, &artifact.name, &Profile::decode(&reader.attachment(&new_id)?)?);
        }
    }
    Ok(compared(&before, &after))
}

fn put(facts: &mut BTreeMap<String, String>, name: &str, profile: &Profile) {
    let mut fact = |what: &str, value: u64| {
        facts.insert(format!("{name}: {what}"), value.to_string());
    };
    fact("rows", profile.rows);
    fact("columns", profile.column_count);
    for column in profile.columns.iter().take(COLUMNS_MAX) {
        fact(&format!("{} missing", column.name), column.missing);
    }
    if let Some(label) = &profile.label {
        for (value, rows) in &label.values {
            fact(&format!("{} = {value}", label.column), *rows);
        }
    }
    for column in profile.columns.iter().take(COLUMNS_MAX) {
        let kind = column.kind.as_str().to_owned();
        facts.insert(format!("{name}: {} type", column.name), kind);
    }
}
