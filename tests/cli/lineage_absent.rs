//! `lineage` and `impact` where runs name directories that are not here, or not yet.

use provenance::clock::{Clock, Timestamp};
use provenance::format::pack::ObjectKind;
use provenance::object::tree::{Entry, Node, Target};
use provenance::object::{Name, ObjectId, Sha256};
use provenance::repo::Repository;
use serde_json::{Value, json};

use super::project::Project;

/// Gives the id of a directory with these files, and what it says of itself.
fn directory(files: &[(&str, &[u8])]) -> (Vec<u8>, Value) {
    let entries = files.iter().map(|(name, content)| {
        let (id, size) = (ObjectId::of(content), content.len() as u64);
        let target = Target::File { id, size, sha256: Sha256::of(content), executable: false };
        Entry { name: Name::new(name.as_bytes()).expect("a good name"), target }
    });
    let node = Node::Leaf(entries.collect()).encode();
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    let id = ObjectId::of(&node).to_record();
    let data = json!({"path": "data", "id": id, "kind": "dataset", "files": files.len(),
                      "bytes": bytes});
    (node, data)
}

/// Imports a run that has read a directory which is not here.
fn import(project: &Project, name: &str, data: &Value) {
    let made_id = ObjectId::of(name.as_bytes()).to_record();
    let made = json!([{"path": format!("{name}.bin"), "id": made_id,
                       "bytes": 4}]);
    let run = json!({"name": name, "started": 1_700_000_000_000_u64, "exit_code": 0,
                     "inputs": [data], "outputs": made});
    let schema = json!({"schema": "provenance/exchange/v1"});
    let stream = format!("{schema}\n{}", json!({"record": {"run": run}}));
    project.write(b"runs.jsonl", stream.as_bytes());
    project.done(&["-q", "import", "--jsonl", "runs.jsonl"]);
}

/// Gives the runs that are affected by some content.
fn affected(project: &Project, start: &str) -> usize {
    let answer = project.run(&["--json", "impact", start]);
    assert!(matches!(answer.code, Some(0 | 1)), "{}", answer.err);
    let answer: Value = serde_json::from_slice(&answer.out).expect("JSON");
    answer["runs"].as_array().expect("a list").len()
}

/// The run was there before its directory, and nobody looked again: nothing was affected.
#[test]
fn a_directory_that_comes_after_the_run_that_names_it_is_looked_into() {
    for files in [&[("a.csv", &b"1\n"[..]), ("b.csv", b"2\n")][..], &[("a.csv", b"1\n")]] {
        for is_committed in [true, false] {
            let project = Project::new();
            let (_, data) = directory(files);
            import(&project, "reader", &data);
            let up = project.run(&["lineage", "reader"]);
            assert_eq!(up.code, Some(0), "{}", up.err);
            for (name, content) in files {
                project.write(format!("data/{name}").as_bytes(), content);
            }
            if is_committed {
                project.commit("the data");
            } else {
                project.done(&["add", "data"]);
            }
            let start = ObjectId::of(files[0].1).to_string();
            assert_eq!(affected(&project, &start), 1, "{files:?}, {is_committed}");
            // As well as one that comes later, and names what came in between.
            import(&project, "other", &data);
            assert_eq!(affected(&project, &start), 2);
            project.write(b"new.txt", b"new\n");
            project.commit("more");
            assert_eq!(affected(&project, &start), 2);
        }
    }
}

/// Nodes may come without any ref that moves, and inside of one another.
#[test]
fn nodes_that_only_were_stored_are_looked_into() {
    let project = Project::new();
    let content = b"1\n";
    let (inner, _) = directory(&[("a.csv", content)]);
    let target = Target::Directory { id: ObjectId::of(&inner), files: 1, bytes: 2 };
    let name = Name::new(b"inner").expect("a good name");
    let outer = Node::Leaf(vec![Entry { name, target }]).encode();
    let id = ObjectId::of(&outer).to_record();
    import(&project, "reader", &json!({"path": "data", "id": id, "files": 1, "bytes": 2}));
    let start = ObjectId::of(content).to_string();
    project.write(b"a.csv", content);
    project.commit("the file");
    assert_eq!(affected(&project, &start), 0);
    let clock = Clock::Fixed(Timestamp(1_700_000_000_000));
    let repository = Repository::open(project.root(), clock).expect("opened");
    let transaction = repository.store.transaction().expect("begun");
    for node in [&inner, &outer] {
        transaction.put(ObjectKind::Tree, node).expect("stored");
    }
    transaction.finish().expect("finished");
    assert_eq!(affected(&project, &start), 1);
    project.done(&["gc"]);
    assert_eq!(affected(&project, &start), 1);
}
