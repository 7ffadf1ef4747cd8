//! What a `provenance.toml` may say, and how each mistake is named.

use super::*;

fn error(text: &str) -> String {
    parse(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn declarations_are_read_in_the_order_of_their_names() {
    let text = "\u{feff}[artifact.train]\r\npath = \"data/train*.csv\"\r\nkind = \"dataset\"\r\n\
                split = \"train\"\r\n\r\n[artifact.\"LoRA 8\"]\npath = [\"out/**\", \"x\"]\n\
                base = \"species-net\"\n";
    let settings = parse(text.as_bytes()).unwrap();
    let [lora, train] = &settings.artifacts[..] else { panic!("two") };
    assert_eq!((lora.name.as_str(), lora.patterns.len(), lora.kind), ("LoRA 8", 2, None));
    assert_eq!(lora.base.as_deref(), Some("species-net"));
    assert_eq!(train.kind, Some(ArtifactKind::Dataset));
    assert_eq!((train.name.as_str(), train.split.as_deref()), ("train", Some("train")));
    for empty in ["", "# nothing\n", "[artifact]\n"] {
        assert!(parse(empty.as_bytes()).unwrap().artifacts.is_empty(), "{empty:?}");
    }
}

#[test]
fn runs_are_read() {
    let text = "[run.train]\ncommand = [\"python\", \"train.py\"]\ninputs = \"data\"\n\
                outputs = [\"model.bin\"]\nparams = {lr = 1e-4, opt = \"adam\", fp16 = true}\n\
                metrics = \"metrics.json\"\n\
                [run.clean]\ncommand = \"rm -f out/*\"\nparams = \"p.yaml\"\n";
    let settings = parse(text.as_bytes()).unwrap();
    let [clean, train] = &settings.runs[..] else { panic!("two") };
    assert_eq!(clean.command, ["sh", "-c", "rm -f out/*"]);
    assert_eq!(clean.params_files, ["p.yaml"]);
    assert_eq!(train.params, ["lr=1e-4", "opt=adam", "fp16=true"]);
    assert_eq!(
        (&train.inputs[..], &train.outputs[..]),
        (&["data".to_owned()][..], &["model.bin".to_owned()][..])
    );
}

#[test]
fn each_mistake_is_named_with_its_line() {
    let cases = [
        ("[artefact.a]\npath = 'x'", "1: unknown table \"artefact\"; did you mean `artifact`?"),
        ("\n\n[zzz]", "3: unknown table \"zzz\"; known: artifact run source"),
        ("[artifact.a]\n\npaht = 'x'", "3: unknown key \"paht\"; did you mean `path`?"),
        (
            "[artifact.a]\nqqq = 'x'",
            "2: unknown key \"qqq\"; known: path kind split base key label",
        ),
        (
            "[artifact.a]\npath='x'\nkind='modle'",
            "3: unknown kind \"modle\"; did you mean `model`?",
        ),
        ("[artifact.a]\npath='x'\nkind=1", "3: kind is not a text but: integer"),
        ("[artifact.a]\nkind='model'", "1: artifact \"a\" has no path"),
        ("[artifact.a]\npath=[]", "1: artifact \"a\" has no path"),
        ("[artifact.a]\npath=''", "2: path is empty"),
        ("[artifact.a]\npath='x'\nsplit=\"a\\nb\"", "3: split has control characters"),
        ("artifact = 1", "1: artifact is written [artifact.NAME]"),
        ("[[artifact]]\npath='x'", "1: artifact is written [artifact.NAME]"),
        ("[artifact]\npath='x'", "2: artifact \"path\" is not a table: give it a path"),
        ("[artifact.'']\npath='x'", "1: the name of an artifact is empty"),
        ("[run.a]\ninputs='x'", "1: run \"a\" has no command"),
        ("[run.a]\ncommand='x'\ninput='y'", "3: unknown key \"input\"; did you mean `inputs`?"),
        ("[run.a]\ncommand=[1]", "2: command is not a text but: integer"),
        ("[source.a]\npaths='x'", "1: source \"a\" has neither uri nor check"),
        (
            "[source.a]\nuri='x'\npaths='a*'",
            "3: path \"a*\" is not usable: name a file or a directory, without wildcards",
        ),
        ("[source.a]\nurl='x'", "2: unknown key \"url\"; did you mean `uri`?"),
        ("[source]\nuri='x'", "2: source \"uri\" is not a table: give it a uri and paths"),
        (
            "[run.a]\ncommand='x'\nparams.b=[1]",
            "3: params.b is neither text nor number but: array; a file may hold it",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("provenance.toml:{expected}"), "{text:?}");
    }
}

#[test]
fn syntax_globs_bytes_and_size_are_refused_with_a_line() {
    let starts = |text: &str, start: &str| {
        let words = error(text);
        assert!(words.starts_with(start) && !words.contains('\n'), "{text:?}: {words}");
    };
    starts("[artifact.a]\npath = 'x'\n[artifact.a]\npath = 'y'", "provenance.toml:3: duplicate");
    starts("[artifact.a]\npath = 'x'\npath = 'y'", "provenance.toml:3: duplicate");
    starts("[artifact.a]\npath = ", "provenance.toml:2: ");
    starts("[artifact.a\n", "provenance.toml:1: ");
    starts("[artifact.a]\npath = ['ok', '[x']", "provenance.toml:2: path \"[x\" is not usable: ");
    starts("[artifact.a]\npath = '../x'", "provenance.toml:2: path \"../x\" is not usable: ");
    starts("[artifact.a]\npath = '/x'", "provenance.toml:2: path \"/x\" is not usable: ");
    let refused = parse(b"a = 1\n\xff").unwrap_err();
    assert_eq!(refused, SettingsError { line: 2, reason: "not UTF-8".to_owned() });
    assert!(parse(&vec![b'\n'; (1 << 20) + 1]).unwrap_err().reason.contains("bytes"));
    let many: Vec<String> = (0..2000).map(|number| format!("'{number}'")).collect();
    starts(&format!("[artifact.a]\npath = [{}]", many.join(",")), "provenance.toml:1: more than");
    starts(&format!("a = {}", "[".repeat(500_000)), "provenance.toml:1: ");
}
