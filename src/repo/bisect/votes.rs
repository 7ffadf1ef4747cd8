//! What a test says, and what several tests or several values say together.

use std::cmp::Ordering;

use super::{MetricRule, Verdict};

/// Gives what the exit code of a test says.
///
/// Shape: `Skip` for a test that was stopped too. `None` for a code that says nothing of what was
/// tested: the test itself is broken. Source: git-bisect(1), "Bisect run".
pub(super) const fn of_exit_code(code: Option<u8>) -> Option<Verdict> {
    match code {
        Some(0) => Some(Verdict::Good),
        Some(1..=124) => Some(Verdict::Bad),
        Some(125) | None => Some(Verdict::Skip),
        Some(126..) => None,
    }
}

/// Gives what most tests say; as many on both sides say nothing.
pub(super) fn of_most(bad: usize, good: usize) -> Verdict {
    match bad.cmp(&good) {
        Ordering::Less => Verdict::Good,
        Ordering::Equal => Verdict::Skip,
        Ordering::Greater => Verdict::Bad,
    }
}

/// Gives what the mean of the values of some runs says, at least one, and why, in a line.
pub(super) fn of_mean(rule: &MetricRule, values: &[f64]) -> (Verdict, String) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let mut reason = format!("{} is {mean}", rule.name);
    if values.len() > 1 {
        reason = format!("{reason}, the mean of {} runs", values.len());
    }
    let verdict = rule.decide(mean).unwrap_or(Verdict::Skip);
    if verdict == Verdict::Skip {
        reason.push_str(", too near to the bound");
    }
    (verdict, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::BoundSide;

    #[test]
    fn codes_from_126_on_say_nothing_of_what_was_tested() {
        let said = [Some(0), Some(1), Some(124), Some(125), None, Some(126), Some(255)];
        let (good, bad, skip) = (Some(Verdict::Good), Some(Verdict::Bad), Some(Verdict::Skip));
        assert_eq!(said.map(of_exit_code), [good, bad, bad, skip, skip, None, None]);
    }

    #[test]
    fn the_mean_decides_unless_it_is_too_near() {
        let rule = MetricRule::new("metrics.m".to_owned(), BoundSide::Below, 0.5, 0.1);
        let rule = rule.expect("a rule");
        let of = |values: &[f64]| of_mean(&rule, values);
        assert_eq!(of(&[0.25]), (Verdict::Bad, "metrics.m is 0.25".to_owned()));
        let two = "metrics.m is 0.75, the mean of 2 runs";
        assert_eq!(of(&[0.25, 1.25]), (Verdict::Good, two.to_owned()));
        let near = "metrics.m is 0.5, too near to the bound";
        assert_eq!(of(&[0.5]), (Verdict::Skip, near.to_owned()));
    }
}
