//! `lineage` and `impact` over what would grow without end: directories that hold one another many
//! times, and long chains of runs.

use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use provenance::clock::{Clock, Timestamp};
use provenance::format::pack::ObjectKind;
use provenance::object::tree::{Entry, Node, Target};
use provenance::object::{Name, ObjectId, Sha256};
use provenance::repo::Repository;
use serde_json::{Value, json};

use super::project::Project;

const CONTENT: &[u8] = b"payload\n";

/// Directories in one another, each of which holds the one below twice.
const BOMB_DEPTH: u32 = 40;

/// Runs of a chain.
const CHAIN: usize = 300;

/// Imports records of runs.
fn import(project: &Project, records: &[Value]) {
    let mut stream = json!({"schema": "provenance/exchange/v1"}).to_string();
    for record in records {
        stream.push_str(&format!("\n{}", json!({ "record": record })));
    }
    project.write(b"runs.jsonl", stream.as_bytes());
    project.done(&["-q", "import", "--jsonl", "runs.jsonl"]);
}

fn run(name: &str, inputs: Value, outputs: Value) -> Value {
    json!({"run": {"name": name, "started": 1_700_000_000_000_u64, "exit_code": 0,
                   "inputs": inputs, "outputs": outputs}})
}

fn content(path: &str, content: &[u8]) -> Value {
    json!([{"path": path, "id": ObjectId::of(content).to_record(), "bytes": content.len()}])
}

/// Stores the bomb; gives the id of its outermost directory, and what it says of itself.
fn bomb(project: &Project) -> (ObjectId, u64, u64) {
    let clock = Clock::Fixed(Timestamp(1_700_000_000_000));
    let repository = Repository::open(project.root(), clock).expect("opened");
    let transaction = repository.store.transaction().expect("begun");
    transaction.put(ObjectKind::Blob, CONTENT).expect("stored");
    let name = |name: &str| Name::new(name.as_bytes()).expect("a good name");
    let (id, size) = (ObjectId::of(CONTENT), CONTENT.len() as u64);
    let file = Target::File { id, size, sha256: Sha256::of(CONTENT), executable: false };
    let mut node = Node::Leaf(vec![Entry { name: name("x"), target: file }]).encode();
    let (mut files, mut bytes) = (1, size);
    for _ in 0..BOMB_DEPTH {
        transaction.put(ObjectKind::Tree, &node).expect("stored");
        let target = Target::Directory { id: ObjectId::of(&node), files, bytes };
        let twice = ["a", "b"].map(|at| Entry { name: name(at), target });
        node = Node::Leaf(twice.to_vec()).encode();
        (files, bytes) = (2 * files, 2 * bytes);
    }
    transaction.put(ObjectKind::Tree, &node).expect("stored");
    transaction.finish().expect("finished");
    (ObjectId::of(&node), files, bytes)
}

/// Runs the program, which must end soon; gives its answer.
fn soon(project: &Project, words: &[&str]) -> Value {
    let mut command = project.command(&[&["--json"], words].concat());
    let mut child: Child = command.stdout(Stdio::piped()).spawn().expect("started");
    let answer = child.stdout.take().expect("a pipe");
    let answer = thread::spawn(move || serde_json::from_reader::<_, Value>(answer));
    let began = Instant::now();
    while child.try_wait().expect("looked").is_none() {
        if began.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("does not end: {words:?}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    answer.join().expect("no panic").expect("a document")
}

/// Each way through the directories was gone alone: 2^40 of them.
#[test]
fn a_directory_that_holds_others_again_and_again_is_looked_into_once() {
    let project = Project::new();
    let (root, files, bytes) = bomb(&project);
    let data = json!([{"path": "data", "id": root.to_record(), "kind": "dataset",
                       "files": files, "bytes": bytes}]);
    import(
        &project,
        &[
            run("maker", json!([]), content("x", CONTENT)),
            run("reader", data, content("model.bin", b"weights")),
        ],
    );
    let start = ObjectId::of(CONTENT).to_string();
    let impact = soon(&project, &["impact", &start]);
    let affected = impact["affected"].to_string();
    assert!(affected.contains("model.bin"), "{impact}");
    let up = soon(&project, &["lineage", "reader"]);
    let names: Vec<&str> = up["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter_map(|node| node["name"].as_str())
        .collect();
    assert!(names.contains(&"reader") && names.contains(&"maker"), "{up}");
    let down = soon(&project, &["lineage", "--down", "maker"]);
    assert!(down["nodes"].to_string().contains("\"reader\""), "{down}");
}

#[test]
fn a_long_chain_is_cut_where_it_is_drawn_and_nowhere_else() {
    let project = Project::new();
    let file = |number: usize| format!("{number}\n");
    let of = |number: usize| content(&format!("f{number}"), file(number).as_bytes());
    let runs = (0..CHAIN).map(|number| run(&format!("r{number:03}"), of(number), of(number + 1)));
    import(&project, &runs.collect::<Vec<_>>());
    let last = format!("r{:03}", CHAIN - 1);
    for (words, end) in [(["--up", &*last], "r000"), (["--down", "r000"], &*last)] {
        let drawn = project.text(&[&["lineage"][..], &words].concat());
        let cut = drawn.lines().last().expect("a line");
        assert!(cut.ends_with("└─ … and so on (--format json has all)"), "{drawn}");
        assert!(drawn.lines().count() < 70, "{drawn}");
        assert!(!drawn.contains(&format!("run {end} ")), "{drawn}");
        let whole = soon(&project, &[&["lineage"][..], &words].concat());
        let nodes = whole["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.iter().filter(|node| node["type"] == "run").count(), CHAIN);
        assert_eq!(whole["edges"].as_array().map(Vec::len), Some(2 * CHAIN - 1), "{words:?}");
        let dot = project.text(&[&["lineage", "--format", "dot"][..], &words].concat());
        assert_eq!(dot.matches("shape=box").count(), CHAIN);
    }
    let first = ObjectId::of(file(0).as_bytes()).to_string();
    let impact = soon(&project, &["impact", &first]);
    assert_eq!(impact["runs"].as_array().map(Vec::len), Some(CHAIN));
}
