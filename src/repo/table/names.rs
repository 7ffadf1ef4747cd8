//! Names of columns, each once: a table may have a name twice, a column has one of its own.

use std::collections::{HashMap, HashSet};

/// So few names are compared with each other without a set of them.
const FEW: usize = 16;

/// Numbers names that come again: `a`, `a (2)`; a number that is another name is passed over.
///
/// Shape: what comes first keeps its name. Cost: nothing is allocated if all are different and few.
pub(super) fn distinct<T>(named: &mut [T], name: impl Fn(&mut T) -> &mut String) {
    if is_distinct(named, &name) {
        return;
    }
    let taken: HashSet<String> = named.iter_mut().map(|named| name(named).clone()).collect();
    let mut counts: HashMap<String, u32> = HashMap::new();
    for named in named {
        let name = name(named);
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 {
            continue;
        }
        let first = std::mem::take(name);
        loop {
            *name = format!("{first} ({count})");
            if !taken.contains(name) {
                break;
            }
            *count += 1;
        }
    }
}

fn is_distinct<T>(named: &mut [T], name: &impl Fn(&mut T) -> &mut String) -> bool {
    if named.len() > FEW {
        let names: HashSet<String> = named.iter_mut().map(|named| name(named).clone()).collect();
        return names.len() == named.len();
    }
    let mut rest = named;
    while let Some((first, others)) = rest.split_first_mut() {
        let first = name(first);
        if others.iter_mut().any(|other| name(other) == first) {
            return false;
        }
        rest = others;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(names: &[&str]) -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        distinct(&mut names, |name| name);
        names
    }

    #[test]
    fn no_number_takes_the_name_of_another() {
        assert_eq!(numbered(&["b", "a"]), ["b", "a"]);
        assert_eq!(numbered(&["a", "a", "a"]), ["a", "a (2)", "a (3)"]);
        assert_eq!(numbered(&["a", "a (2)", "a", "a"]), ["a", "a (2)", "a (3)", "a (4)"]);
        assert_eq!(numbered(&["a", "a", "a (2)", "a (2)"]), ["a", "a (3)", "a (2)", "a (2) (2)"]);
        let many = numbered(&["x"; 40]);
        assert_eq!((many[0].as_str(), many[39].as_str()), ("x", "x (40)"));
    }
}
