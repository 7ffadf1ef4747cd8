//! Records with every field set, and with as few as possible.

use provenance::format::lease::{Holder, Lease};
use provenance::object::canonical::{Number, Object, Value};
use provenance::object::tree::{Entry, Node, Target};
use provenance::object::{
    Actor, Artifact, ArtifactKind, Author, Code, Commit, Content, FineTune, Gpu, Input, Metric,
    Metrics, Name, ObjectId, Output, Params, Reading, Resources, Run, Series, Sha256, System,
    Timestamp, Trace, Transaction, TransactionId, Update, merkle,
};

/// Makes an id that says what it stands for.
pub fn id(word: &str) -> ObjectId {
    ObjectId::of(word.as_bytes())
}

pub fn author() -> Author {
    Author { name: "Ada Lovelace".to_owned(), email: "ada@example.org".to_owned() }
}

/// A commit without any optional field.
pub fn minimal_commit() -> Commit {
    Commit {
        tree: id("tree"),
        parents: Vec::new(),
        author: author(),
        time: Timestamp(1_785_490_200_000),
        message: "the first".to_owned(),
        system: System::default(),
        artifacts: Vec::new(),
        run: None,
        code: None,
        environment: None,
        fine_tune: None,
        overlaps: None,
    }
}

/// A commit with every optional field.
pub fn complete_commit() -> Commit {
    Commit {
        parents: vec![id("parent"), id("merged")],
        message: "Zürich: lr 0.001 → 0.01\n\nTwo lines, \"quoted\", and a \u{1f427}.\n".to_owned(),
        system: system(),
        artifacts: vec![
            Artifact {
                name: "penguins".to_owned(),
                path: "data/penguins.csv".to_owned(),
                content: content(ArtifactKind::Dataset, "penguins.csv", 1, 13_478),
                split: Some("train".to_owned()),
                base: None,
                profile: Some(id("profile")),
            },
            Artifact {
                name: "adapter".to_owned(),
                path: "out/adapter".to_owned(),
                content: content(ArtifactKind::Adapter, "out/adapter", 2, 1_048_976),
                split: None,
                base: Some("example/base-7b".to_owned()),
                profile: None,
            },
        ],
        run: Some(run()),
        code: Some(Code {
            repository: Some("https://example.org/penguins.git".to_owned()),
            git_commit: Some("2fd4e1c67a2d28fced849ee1bb76e7391b93eb12".to_owned()),
            branch: Some("main".to_owned()),
            dirty: true,
            changes: Some(id("changes")),
        }),
        environment: Some(id("environment")),
        fine_tune: Some(FineTune {
            base: Some("example/base-7b".to_owned()),
            method: Some("lora".to_owned()),
            rank: Some(16),
            alpha: Some(number(32.0)),
            target_modules: Some(vec!["k_proj".to_owned(), "q_proj".to_owned()]),
            dropout: Some(number(0.05)),
        }),
        overlaps: Some(id("overlaps")),
        ..minimal_commit()
    }
}

fn system() -> System {
    System {
        host: Some("trainer-1".to_owned()),
        user: Some("ada".to_owned()),
        os: Some("Debian GNU/Linux 12".to_owned()),
        kernel: Some("Linux 6.1.0".to_owned()),
        cpu: Some("Example CPU 3000".to_owned()),
        cores: Some(64),
        memory: Some(540_000_000_000),
        gpus: Some(vec![Gpu {
            name: "Example GPU 80GB".to_owned(),
            memory: Some(85_899_345_920),
            uuid: Some("GPU-00000000-0000-0000-0000-000000000001".to_owned()),
        }]),
        driver: Some("550.54.15".to_owned()),
        cuda: Some("12.4".to_owned()),
    }
}

fn run() -> Run {
    let mut params = Object::new();
    params.set("lr", number(0.01));
    params.set("seed", Value::number_or_text("12345678901234567890"));
    params.set("layers", Value::list([number(8.0), number(3.0)]));
    params.set("resume", Value::Null);
    Run {
        name: "penguins-7".to_owned(),
        command: vec!["python3".to_owned(), "train.py".to_owned(), "--note=a\nb".to_owned()],
        directory: "src".to_owned(),
        started: Timestamp(1_785_490_100_000),
        ended: Some(Timestamp(1_785_490_199_500)),
        exit_code: Some(0),
        params: Params::Here(params),
        metrics: Metrics::Here(vec![
            ("accuracy".to_owned(), Metric::Single(Reading::Number(number(0.978)))),
            ("gradient".to_owned(), Metric::Single(Reading::Text("NaN".to_owned()))),
            ("loss".to_owned(), Metric::Series(loss())),
        ]),
        inputs: vec![Input {
            path: "data/penguins.csv".to_owned(),
            content: content(ArtifactKind::Dataset, "penguins.csv", 1, 13_478),
            commit: Some(id("parent")),
            is_observed: false,
        }],
        outputs: vec![
            Output {
                path: "out/adapter".to_owned(),
                content: Some(content(ArtifactKind::Adapter, "out/adapter", 2, 1_048_976)),
                is_observed: false,
            },
            Output { path: "out/report.html".to_owned(), content: None, is_observed: false },
        ],
        log: Some(id("log")),
        resources: Resources {
            elapsed_ms: Some(99_500),
            user_ms: Some(180_000),
            system_ms: Some(1_200),
            memory_bytes_max: Some(734_003_200),
            read_bytes: Some(13_478),
            written_bytes: Some(1_048_976),
        },
        trace: None,
    }
}

/// A commit of a run whose files were seen.
pub fn traced_commit() -> Commit {
    let inputs = vec![Input {
        path: "train.py".to_owned(),
        content: content(ArtifactKind::Script, "train.py", 1, 512),
        commit: None,
        is_observed: true,
    }];
    let model = content(ArtifactKind::Model, "model.pkl", 1, 2_048);
    let outputs =
        vec![Output { path: "model.pkl".to_owned(), content: Some(model), is_observed: true }];
    let trace = Trace {
        files: id("trace"),
        read: 1,
        written: 1,
        outside: 1_204,
        calls: 5_310,
        cost_ms: 92,
        missed: 3,
    };
    let run = Run { inputs, outputs, trace: Some(trace), ..run() };
    Commit { run: Some(run), ..minimal_commit() }
}

fn loss() -> Series {
    Series {
        count: 400,
        first: Reading::Number(number(1.0986)),
        last: Reading::Number(number(0.0713)),
        min: Some(number(0.0702)),
        max: Some(number(1.0986)),
        series: Some(id("series")),
    }
}

fn content(kind: ArtifactKind, word: &str, files: u64, bytes: u64) -> Content {
    Content { kind, id: id(word), files, bytes }
}

fn number(value: f64) -> Number {
    Number::from_f64(value).expect("a plain number")
}

/// Entry 0 of a journal, as `init` makes it.
pub fn first_transaction() -> Transaction {
    Transaction {
        number: 0,
        transaction: TransactionId::from_bytes([7; 16]),
        time: Timestamp(1_785_490_000_000),
        actor: Actor {
            name: "Ada Lovelace".to_owned(),
            email: "ada@example.org".to_owned(),
            host: None,
            user: None,
        },
        command: "init".to_owned(),
        updates: Vec::new(),
        unlisted: 0,
        refs: id("no refs"),
        attestations: id("no attestations"),
        previous: merkle::empty_root(),
    }
}

/// The lease of a process on another machine.
pub fn lease() -> Lease {
    Lease {
        holder: Holder {
            host: "trainer-1".to_owned(),
            boot: "5f0c1f0e-3b8e-4d0a-9a53-0a7f5a3c9d11".to_owned(),
            namespace: "pid:[4026531836]".to_owned(),
            process: 4711,
            started: 1_234_567,
        },
        since: Timestamp(1_785_490_200_120),
    }
}

/// Entry 1, which creates, moves and removes a ref.
pub fn transaction() -> Transaction {
    let first = first_transaction();
    let update = |name: &str, old: Option<&str>, new: Option<&str>| Update {
        name: name.to_owned(),
        old: old.map(id),
        new: new.map(id),
    };
    Transaction {
        number: 1,
        transaction: TransactionId::from_bytes([0xab; 16]),
        time: Timestamp(1_785_490_200_120),
        actor: Actor {
            host: Some("trainer-1".to_owned()),
            user: Some("ada".to_owned()),
            ..first.actor.clone()
        },
        command: "commit -m 'Zürich'".to_owned(),
        updates: vec![
            update("heads/main", Some("parent"), Some("commit")),
            update("heads/old", Some("parent"), None),
            update("tags/v1", None, Some("commit")),
        ],
        unlisted: 0,
        refs: id("refs"),
        attestations: id("no attestations"),
        previous: merkle::leaf_hash(&first.encode().expect("valid")),
    }
}

/// Entry 2, which names more runs than it lists.
pub fn bulk_transaction() -> Transaction {
    let before = transaction();
    Transaction {
        number: 2,
        transaction: TransactionId::from_bytes([0xcd; 16]),
        command: "import --jsonl runs.jsonl".to_owned(),
        updates: Vec::new(),
        unlisted: 1_000_000,
        refs: id("a million refs"),
        previous: merkle::leaf_hash(&before.encode().expect("valid")),
        ..before
    }
}

/// The bytes of the first `count` entries of a journal in which nothing happens.
pub fn journal(count: u64) -> Vec<Vec<u8>> {
    let mut frontier = merkle::Frontier::new();
    let mut entries = Vec::new();
    for number in 0..count {
        let previous = frontier.root();
        let entry = Transaction { number, previous, ..first_transaction() };
        entries.push(entry.encode().expect("valid"));
        frontier.push(merkle::leaf_hash(&entries[entries.len() - 1]));
    }
    entries
}

/// The bytes of a directory that holds one file.
pub fn node(content: &[u8]) -> Vec<u8> {
    named("a file of a name that makes its tree worth collecting", content)
}

/// The bytes of a directory that holds one file of this name.
pub fn named(name: &str, content: &[u8]) -> Vec<u8> {
    let (id, size) = (ObjectId::of(content), content.len() as u64);
    let target = Target::File { id, size, sha256: Sha256::of(content), executable: false };
    Node::Leaf(vec![Entry { name: Name::new(name.as_bytes()).expect("a name"), target }]).encode()
}
