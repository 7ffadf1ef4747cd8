//! Sets of commits, listed and counted.

use super::*;
use crate::repo::sample::Sample;

fn request(words: &str) -> RevListRequest {
    let (options, revisions): (Vec<&str>, Vec<&str>) =
        words.split_whitespace().partition(|word| word.starts_with('-'));
    RevListRequest {
        revisions: revisions.into_iter().map(|word| word.as_bytes().to_vec()).collect(),
        all: options.contains(&"--all"),
        is_topological: options.contains(&"--topo-order"),
        count_max: options.iter().find_map(|option| option.strip_prefix("-n")?.parse().ok()),
    }
}

fn list(sample: &Sample, words: &str) -> String {
    let mut listed = String::new();
    let request = request(words);
    rev_list(&sample.repository, &request, &sample.progress, |id| {
        listed.push(sample.letter(&id));
        Ok::<(), Error>(())
    })
    .expect("listed");
    let count = rev_list_count(&sample.repository, &request, &sample.progress).expect("counted");
    assert_eq!(count, u64::try_from(listed.len()).expect("few"), "{words}");
    listed
}

/// ```text
/// a---b-------e---g  main
///  \\         /
///   c---d---f        side; each a minute after the one before in the alphabet
/// ```
fn forked() -> Sample {
    let sample = Sample::drawn("a b:a c:a d:c e:b f:d g:ef");
    sample.move_ref("heads/side", None, Some('f'));
    sample.move_ref("tags/v1", None, Some('b'));
    sample
}

#[test]
fn sets_of_commits() {
    let sample = forked();
    for (words, expected) in [
        ("", "gfedcba"),
        ("main", "gfedcba"),
        ("main side", "gfedcba"),
        ("side", "fdca"),
        ("-n2 main", "gf"),
        ("-n0 main", ""),
        ("v1..side", "fdc"),
        ("side..main", "geb"),
        ("^side", "geb"),
        ("main ^side ^v1", "ge"),
        ("side..", "geb"),
        ("main..side", ""),
        ("v1...side", "fdcb"),
        ("main...main", ""),
        ("--all", "gfedcba"),
        ("--topo-order main", "gfdceba"),
        ("--topo-order v1..main", "gfdce"),
        ("--topo-order side v1", "fdcba"),
    ] {
        assert_eq!(list(&sample, words), expected, "{words}");
    }
}

#[test]
fn a_repository_without_commits_has_none_to_list() {
    let sample = Sample::new();
    assert_eq!(list(&sample, ""), "");
    assert_eq!(list(&sample, "--all"), "");
}

#[test]
fn an_error_of_the_reader_ends_the_list() {
    let sample = forked();
    let mut count = 0;
    let ended = rev_list(&sample.repository, &request("main"), &sample.progress, |_| {
        count += 1;
        Err(Error::Usage("enough".into()))
    });
    assert!(matches!(ended, Err(Error::Usage(_))));
    assert_eq!(count, 1);
}

#[test]
fn a_damaged_graph_changes_no_answer() {
    let sample = forked();
    assert_eq!(list(&sample, "side"), "fdca");
    let path = sample.repository.location.folder.join("cache/commit-graph");
    let whole = std::fs::read(&path).expect("the graph is kept");
    for at in (16..whole.len()).step_by(7) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &damaged))
            .expect("damaged");
        assert_eq!(list(&sample, "side"), "fdca", "byte {at}");
    }
}
