//! How fast history is walked: a million commits, every tenth of them a merge.

use std::convert::Infallible;
use std::hint::black_box;

use criterion::Criterion;
use provenance::graph::{ByTime, Topological, Vertex, between, is_ancestor, merge_bases, reach};

const COMMITS: u32 = 1_000_000;
const TIP: u32 = COMMITS - 1;

/// Measures what `log`, `merge-base` and `rev-list` ask of a history in memory.
pub fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk");
    group.bench_function("the latest 100", |b| {
        b.iter(|| ByTime::new([black_box(TIP)], read).map(|walk| walk.take(100).count()));
    });
    group.bench_function("the topmost 100", |b| {
        b.iter(|| Topological::new([black_box(TIP)], read).map(|walk| walk.take(100).count()));
    });
    group.bench_function("is an ancestor, 1,000 back", |b| {
        b.iter(|| is_ancestor(black_box(TIP - 1_000), TIP, read));
    });
    group.bench_function("best common ancestor of two neighbours", |b| {
        b.iter(|| merge_bases(black_box(TIP - 3), [TIP], read));
    });
    group.bench_function("what the last 1,000 brought", |b| {
        b.iter(|| between([TIP], [black_box(TIP - 1_000)], read));
    });
    group.sample_size(10);
    group.bench_function("reach all 1,000,000", |b| b.iter(|| count_reached(black_box(TIP))));
    group.finish();
}

/// Gives a commit's parents: the one before it, and for every tenth the one seven before it.
fn read(node: u32, parents: &mut Vec<u32>) -> Result<Vertex, Infallible> {
    parents.extend(node.checked_sub(1));
    if node.is_multiple_of(10) {
        parents.extend(node.checked_sub(7));
    }
    Ok(Vertex { time: i64::from(node), generation: i64::from(node) })
}

fn count_reached(tip: u32) -> usize {
    let mut seen = vec![false; COMMITS as usize];
    let mut count = 0;
    let enter = |node: &u32| {
        let is_new = !std::mem::replace(&mut seen[*node as usize], true);
        count += usize::from(is_new);
        is_new
    };
    let Ok(()) = reach([tip], enter, |node, parents| read(node, parents).map(|_| ()));
    count
}
