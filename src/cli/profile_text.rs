//! What tables hold, in words.

use super::{escape, units};
use crate::object::{ColumnProfile, LabelProfile, Profile};

/// Columns and labels that are shown.
const SHOWN: usize = 20;

/// Describes the tables of an artifact, a line for each column.
pub fn lines(name: &str, profile: &Profile) -> Vec<String> {
    let columns = units::count(profile.column_count, "column");
    let rows = units::count(profile.rows, "row");
    let tables = match profile.tables {
        0 | 1 => String::new(),
        tables => format!(" in {} tables", units::grouped(tables)),
    };
    let mut lines = vec![format!("{}: {rows}, {columns}{tables}", escape::line(name))];
    let cells: Vec<Vec<String>> = profile.columns.iter().take(SHOWN).map(column).collect();
    let cells = units::columns(&cells, &[false, false, false, false]);
    lines.extend(cells.into_iter().map(|line| format!("  {line}")));
    let more = profile.column_count.saturating_sub(SHOWN as u64);
    if more > 0 {
        lines.push(format!("  and {} more", units::count(more, "column")));
    }
    lines.extend(profile.label.as_ref().map(|label| format!("  {}", labels(label))));
    lines.extend(profile.notes.iter().map(|note| format!("  {}", escape::line(note))));
    lines
}

fn column(column: &ColumnProfile) -> Vec<String> {
    let missing = match column.missing {
        0 => String::new(),
        missing => format!("{} missing", units::grouped(missing)),
    };
    let range = match (column.min, column.max) {
        (Some(min), Some(max)) => format!("{} to {}", min.as_f64(), max.as_f64()),
        _ => String::new(),
    };
    vec![escape::line(&column.name), column.kind.as_str().to_owned(), range, missing]
}

/// Says how rows are spread: `species: Adelie 151, Gentoo 123, Chinstrap 68`.
fn labels(label: &LabelProfile) -> String {
    let shown = label.values.iter().take(SHOWN);
    let mut values: Vec<String> = shown
        .map(|(value, rows)| format!("{} {}", escape::line(value), units::grouped(*rows)))
        .collect();
    let rest: u64 = label.values.iter().skip(SHOWN).map(|(_, rows)| rows).sum();
    let rest = rest + label.other_rows;
    if rest > 0 {
        values.push(format!("others {}", units::grouped(rest)));
    }
    format!("label {}: {}", escape::line(&label.column), values.join(", "))
}
