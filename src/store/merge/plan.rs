//! Which packs to merge: so many that those which stay are a geometric series.

/// A larger pack must be this many times the size of all smaller ones together, or it is merged
/// with them: then there are never more than a logarithm's worth of packs, and each byte is
/// copied a logarithm's number of times. Source: git's `repack --geometric`.
const FACTOR: u64 = 2;

/// Packs that are merged at once, at least: fewer would be copied, and their folder synced, after
/// nearly every commit.
const PACKS_MIN: usize = 8;

/// Chooses the smallest packs of one class so that the rest are a geometric series.
///
/// Shape: `sizes` in bytes, in any order; gives the positions of those to merge, some at once or
/// none.
pub fn plan(sizes: &[u64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&position| sizes[position]);
    let mut sum: u64 = 0;
    let mut chosen = 0;
    for (rank, &position) in order.iter().enumerate() {
        if sizes[position] < FACTOR.saturating_mul(sum) {
            chosen = rank + 1;
        }
        sum = sum.saturating_add(sizes[position]);
    }
    // Packs of about the same size are all smaller than twice the sum of those before.
    order.truncate(if chosen < PACKS_MIN { 0 } else { chosen });
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_packs_stay_as_they_are() {
        assert!(plan(&[]).is_empty());
        assert!(plan(&[100; PACKS_MIN - 1]).is_empty());
    }

    #[test]
    fn small_packs_are_merged_and_a_large_one_is_left() {
        let mut sizes = vec![10; PACKS_MIN];
        sizes.push(1_000_000);
        let mut chosen = plan(&sizes);
        chosen.sort_unstable();
        assert_eq!(chosen, (0..PACKS_MIN).collect::<Vec<_>>());
    }

    #[test]
    fn a_geometric_series_is_left_alone() {
        let sizes: Vec<u64> = (0..20).map(|n| 3u64.pow(n)).collect();
        assert!(plan(&sizes).is_empty());
    }

    /// Each of n commits adds one pack: what is copied in all stays within n log n.
    #[test]
    fn the_cost_of_many_commits_is_logarithmic_in_each() {
        let mut sizes: Vec<u64> = Vec::new();
        let (mut copied, mut most) = (0, 0);
        for _ in 0..10_000 {
            sizes.push(1);
            let chosen = plan(&sizes);
            if !chosen.is_empty() {
                let sum = chosen.iter().map(|&position| sizes[position]).sum();
                copied += sum;
                sizes =
                    (0..sizes.len()).filter(|p| !chosen.contains(p)).map(|p| sizes[p]).collect();
                sizes.push(sum);
            }
            most = most.max(sizes.len());
        }
        assert!(copied < 10_000 * 14, "{copied}");
        assert!(most <= 24, "{most}");
    }
}
