//! Patches are what `diff -u` prints, and stay quick on texts made to be slow.

use proptest::prelude::*;

use super::*;

/// Words a patch as `diff -u` does, below its two lines of names.
fn unified(old: &str, new: &str) -> String {
    let TextDiff::Patch(hunks) = text_diff(old.as_bytes(), new.as_bytes(), 3) else {
        panic!("both are short texts");
    };
    let mut text = String::new();
    for hunk in hunks {
        text.push_str(&hunk.head());
        text.push('\n');
        for line in hunk.lines {
            text.push(match line.side {
                Side::Both => ' ',
                Side::Old => '-',
                Side::New => '+',
            });
            text.push_str(&String::from_utf8(line.content).expect("was text"));
            text.push('\n');
            if !line.is_ended {
                text.push_str("\\ No newline at end of file\n");
            }
        }
    }
    text
}

#[test]
fn a_changed_line_stands_between_its_neighbours() {
    let old = "1\n2\n3\n4\n5\n6\n7\n8\n";
    let new = "1\n2\n3\n4\nfive\n6\n7\n8\n";
    assert_eq!(unified(old, new), "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

#[test]
fn a_missing_last_line_feed_is_shown_on_its_side() {
    let expected = "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
    assert_eq!(unified("a", "a\n"), expected);
}

#[test]
fn from_and_to_nothing_name_the_line_before() {
    assert_eq!(unified("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_eq!(unified("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
    assert_eq!(unified("a\n", "a\n"), "");
}

#[test]
fn distant_changes_are_two_hunks() {
    let old: String = (0..30).map(|line| format!("{line}\n")).collect();
    let new = old.replace("2\n3\n", "2\nthree\n").replace("\n27\n", "\n");
    assert_eq!(unified(&old, &new).matches("@@ -").count(), 2);
}

#[test]
fn what_is_not_text_is_not_compared() {
    assert_eq!(text_diff(b"a\0b", b"a", 3), TextDiff::Binary);
    let large = vec![b'a'; TEXT_BYTES_MAX + 1];
    assert_eq!(text_diff(&large, b"a", 3), TextDiff::TooLarge);
}

#[test]
fn a_text_made_to_be_slow_is_not_slow() {
    // No common line in order: the worst case of Myers without git's bounds is quadratic.
    let old: String = (0..60_000).map(|line| format!("{}\n", line % 977)).collect();
    let new: String = (0..60_000).rev().map(|line| format!("{}\n", line % 983)).collect();
    assert!(matches!(text_diff(old.as_bytes(), new.as_bytes(), 3), TextDiff::Patch(_)));
}

proptest! {
    #[test]
    fn a_patch_applied_to_the_old_version_gives_the_new(
        old in "[ab\n]{0,60}", new in "[ab\n]{0,60}", context in 0_usize..4
    ) {
        let TextDiff::Patch(hunks) = text_diff(old.as_bytes(), new.as_bytes(), context) else {
            panic!("both are short texts");
        };
        let lines: Vec<&[u8]> = old.as_bytes().split_inclusive(|byte| *byte == b'\n').collect();
        let (mut at, mut made) = (0, Vec::new());
        for hunk in hunks {
            made.extend(lines[at..hunk.old.start].concat());
            at = hunk.old.end;
            for line in hunk.lines.iter().filter(|line| line.side != Side::Old) {
                made.extend(&line.content);
                made.extend(line.is_ended.then_some(b'\n'));
            }
        }
        made.extend(lines[at..].concat());
        prop_assert_eq!(made, new.into_bytes());
    }
}
