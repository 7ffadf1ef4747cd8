//! What each form of a revision parses to, what is refused and where, and that nothing panics.

use proptest::prelude::*;

use super::*;

fn parse(typed: &str) -> Revision {
    Revision::parse(typed.as_bytes()).unwrap_or_else(|error| panic!("{typed}: {error}"))
}

fn refusal(typed: &str) -> String {
    Revision::parse(typed.as_bytes()).expect_err(typed).to_string()
}

fn name(text: &str) -> Start {
    Start::Name(text.to_owned())
}

fn past(text: Option<&str>, when: When) -> Start {
    Start::Past { name: text.map(str::to_owned), when }
}

#[test]
fn a_start_alone() {
    let id = ObjectId::of(b"");
    for (typed, start) in [
        ("HEAD", Start::Head),
        ("@", Start::Head),
        ("main", name("main")),
        ("heads/feature/x", name("heads/feature/x")),
        ("tags/v1.0", name("tags/v1.0")),
        ("af13", name("af13")),
        ("a@b", name("a@b")),
        ("@x", name("@x")),
        ("a{b", name("a{b")),
        (&id.to_string(), Start::Id(id)),
        (&id.to_record(), Start::Id(id)),
        ("@{1}", past(None, When::Changes(1))),
        ("HEAD@{0}", past(None, When::Changes(0))),
        ("main@{12}", past(Some("main"), When::Changes(12))),
        ("@{yesterday}", past(None, When::Date("yesterday".into()))),
        ("@{ 2 days ago }", past(None, When::Date("2 days ago".into()))),
        ("main@{2026-01-31 12:00}", past(Some("main"), When::Date("2026-01-31 12:00".into()))),
        ("@{1700000000}", past(None, When::Date("1700000000".into()))),
    ] {
        assert_eq!(parse(typed), Revision { start, steps: vec![], path: None }, "{typed}");
    }
}

#[test]
fn steps_in_a_row() {
    for (typed, steps) in [
        ("main~", vec![Step::Ancestor(1)]),
        ("main~2", vec![Step::Ancestor(2)]),
        ("main~0", vec![Step::Ancestor(0)]),
        ("main^", vec![Step::Parent(1)]),
        ("main^^", vec![Step::Parent(1), Step::Parent(1)]),
        ("main^2~3^", vec![Step::Parent(2), Step::Ancestor(3), Step::Parent(1)]),
        ("main^{}", vec![Step::Commit]),
        ("main^{commit}^{tree}", vec![Step::Commit, Step::Tree]),
        ("main~~", vec![Step::Ancestor(1), Step::Ancestor(1)]),
    ] {
        assert_eq!(parse(typed), Revision { start: name("main"), steps, path: None }, "{typed}");
    }
    assert_eq!(parse("@{1}~2").steps, [Step::Ancestor(2)]);
}

#[test]
fn a_path_after_the_first_colon_outside_of_braces() {
    assert_eq!(parse("main:data/a.csv").path.as_deref(), Some(&b"data/a.csv"[..]));
    assert_eq!(parse("main~1:").path.as_deref(), Some(&b""[..]));
    assert_eq!(parse("main:a:b~1").path.as_deref(), Some(&b"a:b~1"[..]));
    assert_eq!(parse("main@{12:00}:x").start, past(Some("main"), When::Date("12:00".into())));
    assert_eq!(parse(":data").start, Start::Stage);
    let exact = Revision::parse(b"main:caf\xe9").expect("a path need not be text");
    assert_eq!(exact.path.as_deref(), Some(&b"caf\xe9"[..]));
    let id = ObjectId::of(b"");
    let found = parse(&format!("{}:x", id.to_record()));
    assert_eq!((found.start, found.path), (Start::Id(id), Some(b"x".to_vec())));
}

#[test]
fn what_is_refused_and_where() {
    for (typed, reason) in [
        ("", "at byte 0: expected the name of a commit"),
        ("~1", "at byte 0: expected the name of a commit"),
        ("main^{tre}", "at byte 6: expected commit or tree in the braces"),
        ("main^{tree", "at byte 6: this brace is never closed"),
        ("main^{tree}~1", "at byte 11: nothing follows ^{tree}"),
        ("main^{tree}:x", "at byte 11: a path is looked up in a commit: leave out ^{tree}"),
        ("main~1x", "at byte 6: expected ~, ^ or a colon and a path"),
        ("main~99999999999999999999", "at byte 5: the number is too large"),
        ("main@{}", "at byte 6: expected a number of changes or a date"),
        ("@{-1}", "at byte 2: which branch was checked out before is not recorded"),
        ("a b", "at byte 1: this character is in no name of a branch, tag or commit"),
        ("a..b", "at byte 1: one commit is asked for here, not a range"),
    ] {
        let message = refusal(typed);
        assert!(message.ends_with(reason), "{typed}: {message}");
    }
    let message = Revision::parse(b"caf\xe9~1").expect_err("not text").to_string();
    assert!(message.ends_with("at byte 3: a name of a commit is UTF-8"), "{message}");
}

proptest! {
    #[test]
    fn no_bytes_panic(typed in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _parsed = Revision::parse(&typed);
    }

    #[test]
    fn no_string_of_the_grammar_panics(typed in "[a-c@{}~^:0-9. /é-]{0,24}") {
        let _parsed = Revision::parse(typed.as_bytes());
    }

    #[test]
    fn what_is_written_is_read(
        start in "[a-z][a-z0-9/_-]{0,12}[a-z]",
        steps in proptest::collection::vec((any::<bool>(), 0u64..1000), 0..6),
        path in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
    ) {
        let mut typed = start.clone().into_bytes();
        let mut expected = Vec::new();
        for (is_ancestor, count) in steps {
            let step = if is_ancestor { Step::Ancestor(count) } else { Step::Parent(count) };
            typed.extend(format!("{}{count}", if is_ancestor { '~' } else { '^' }).bytes());
            expected.push(step);
        }
        if let Some(path) = &path {
            typed.push(b':');
            typed.extend(path);
        }
        let expected = Revision { start: Start::Name(start), steps: expected, path };
        prop_assert_eq!(Revision::parse(&typed).expect("well formed"), expected);
    }
}
