//! The help is held to its word: every command is in a group, every example parses.

use super::*;

#[test]
fn the_definition_is_sound() {
    definition().debug_assert();
}

#[test]
fn each_command_can_be_described_alone() {
    let definition = definition();
    let mut all: Vec<&str> = definition.get_subcommands().map(clap::Command::get_name).collect();
    all.sort_unstable();
    let alone: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(alone, all);
}

#[test]
fn every_visible_command_is_in_one_group() {
    let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
    let definition = definition();
    let mut visible: Vec<&str> = definition
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(clap::Command::get_name)
        .collect();
    grouped.sort_unstable();
    visible.sort_unstable();
    assert_eq!(grouped, visible);
}

#[test]
fn every_example_of_the_help_parses() {
    for command in definition().get_subcommands().filter(|command| !command.is_hide_set()) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with("Examples:\n"), "{} has no examples", command.get_name());
        for line in help.lines().filter_map(|line| line.trim().strip_prefix("provenance ")) {
            let line = line.split("  #").next().unwrap_or(line);
            let words = std::iter::once("provenance".to_owned()).chain(words(line));
            let words: Vec<OsString> = words.map(OsString::from).collect();
            let parsed = parse(words.clone());
            assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("just seen"));
            let matches = definition().get_matches_from(with_counts(words.clone()));
            let whole = Typed::from_arg_matches(&matches).expect("parsed");
            let words: Vec<OsString> = with_counts(words).collect();
            let one = parse_one(&words).expect("it has no mistake");
            assert_eq!(format!("{one:?}"), format!("{whole:?}"), "{line}");
        }
    }
}

/// Splits a line at blanks outside of quotes, up to a pipe or a redirection.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for c in line.chars() {
        match c {
            '"' | '\'' if quote.is_none() => quote = Some(c),
            c if quote == Some(c) => quote = None,
            '|' | '>' if quote.is_none() => break,
            ' ' if quote.is_none() => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn arguments_need_not_be_text() {
    use std::os::unix::ffi::OsStringExt as _;
    let dir = OsString::from_vec(b"caf\xe9".to_vec());
    let words = ["provenance".into(), "-C".into(), dir.clone(), "completion".into(), "bash".into()];
    let typed = parse(words).expect("a directory is bytes");
    assert_eq!(typed.global.dir, Some(PathBuf::from(dir)));
}

#[test]
fn no_argument_of_a_command_is_mistaken_for_a_global_one() {
    let definition = definition();
    let global: Vec<&str> = definition.get_arguments().map(|arg| arg.get_id().as_str()).collect();
    for command in definition.get_subcommands() {
        for arg in command.get_arguments() {
            let id = arg.get_id().as_str();
            assert!(!global.contains(&id), "{}: {id} is a global option", command.get_name());
        }
    }
}

#[test]
fn a_number_alone_is_how_many_to_show() {
    let parsed = |line: &str| parse(line.split(' ').map(OsString::from));
    for line in ["provenance log -5", "provenance -q log main -12", "provenance rev-list -3 HEAD"] {
        assert!(parsed(line).is_ok(), "{line}");
    }
    for line in ["provenance status -5", "provenance log -5x", "provenance log -"] {
        let is_option = line.ends_with('x') || line.contains("status");
        assert_eq!(parsed(line).is_err(), is_option, "{line}");
    }
    let typed = parsed("provenance log -- -5").expect("a path");
    assert!(format!("{typed:?}").contains("\"-5\""), "{typed:?}");
}

/// The command of `bisect run` got `-n5` where `-5` was typed.
#[test]
fn a_number_for_another_command_stays_as_it_is() {
    let counted = |line: &str| {
        let words = with_counts(line.split(' ').map(OsString::from));
        words.map(|word| word.into_string().expect("text")).collect::<Vec<_>>().join(" ")
    };
    for line in ["provenance bisect run ./count log -5", "provenance -C log status -5", "log -5"] {
        assert_eq!(counted(line), line);
    }
    for line in ["provenance -qC add log -5", "provenance --color never log -5"] {
        assert_eq!(counted(line), line.replace("-5", "-n5"));
    }
    assert_eq!(counted("provenance -C/tmp/C log -5"), "provenance -C/tmp/C log -n5");
}

/// Words in any order: what is one command to `parse_one` is the same to the whole definition.
#[test]
fn what_is_parsed_alone_is_what_the_whole_definition_makes_of_it() {
    let some = "-q --json -C -C. --color --color=never -v -vq -- - --help -h -V --version help \
                run log config get status bisect start branch main HEAD~2 -5 -n -n3 --name x -i \
                a=b -o -m --depth 2 add lineage --down rev-list -f -d -D diff --stat";
    let some: Vec<&str> = some.split(' ').chain([""]).collect();
    let whole = definition();
    let mut seed = 7_u64;
    let mut chance = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    let mut alike = 0;
    for _ in 0..3000 {
        let mut words = vec![OsString::from("provenance")];
        words.extend((0..=chance(5)).map(|_| match chance(3) {
            0 => OsString::from(COMMANDS[chance(COMMANDS.len())].0),
            _ => OsString::from(some[chance(some.len())]),
        }));
        let Some(one) = parse_one(&words) else { continue };
        let matches = whole.clone().try_get_matches_from(&words);
        let matches = matches.unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let whole = Typed::from_arg_matches(&matches).expect("parsed");
        assert_eq!(format!("{one:?}"), format!("{whole:?}"), "{words:?}");
        alike += 1;
    }
    assert!(alike > 100, "{alike}");
}
