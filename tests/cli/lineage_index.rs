//! `lineage` and `impact` over their index: the answers are those without one, whatever happens to
//! its files, and those of a plain model.

use std::collections::BTreeSet;
use std::fs;

use provenance::format::lineage_index::State;
use provenance::object::tree::EMPTY_TREE;
use serde_json::Value;

use super::project::Project;

/// What the names of its files begin with.
const INDEX: &str = "lineage-index";

/// What a file or a directory holds, by name; a file is one content without a name.
type Held = Vec<(String, String)>;

/// A run of the model: what it read, and what it made.
struct Run {
    name: String,
    inputs: Vec<Held>,
    output: Held,
}

/// Runs that read files and directories of older runs, and copy some of them.
struct World {
    project: Project,
    runs: Vec<Run>,
    /// All that there is, by path.
    there: Vec<(String, Held)>,
    seed: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let project = Project::new();
        let mut there = Vec::new();
        for number in 0..4 {
            let content = format!("{number}\n");
            project.write(format!("raw{number}").as_bytes(), content.as_bytes());
            there.push((format!("raw{number}"), vec![(String::new(), content)]));
        }
        project.commit("begin");
        Self { project, runs: Vec::new(), there, seed }
    }

    fn chance(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.seed >> 33).expect("32 bits") % below
    }

    /// Runs a command that reads one or two things, and makes a file, or a directory which may
    /// hold copies of what was read.
    fn run(&mut self) {
        let number = self.runs.len();
        let (name, path) = (format!("r{number}"), format!("o{number}"));
        let inputs: BTreeSet<usize> =
            (0..=self.chance(2)).map(|_| self.chance(self.there.len())).collect();
        let inputs: Vec<(String, Held)> =
            inputs.into_iter().map(|at| self.there[at].clone()).collect();
        let made = format!("made by {name}\n");
        let mut output = vec![(String::new(), made.clone())];
        if self.chance(3) > 0 {
            output[0].0 = "deep/own".to_owned();
            for (at, (_, held)) in inputs.iter().enumerate() {
                for (inner, content) in held {
                    if self.chance(2) > 0 {
                        let inner = inner.replace('/', "-");
                        output.push((format!("copy{at}{inner}"), content.clone()));
                    }
                }
            }
        }
        let mut script = String::new();
        for (inner, content) in &output {
            let to = if inner.is_empty() { path.clone() } else { format!("{path}/{inner}") };
            script += &format!("mkdir -p \"$(dirname {to})\"; printf '{content}' > {to}; ");
        }
        let mut words = vec!["-q", "run", "--name", &name, "-o", &path];
        for (input, _) in &inputs {
            words.extend(["-i", input]);
        }
        words.extend(["--", "sh", "-c", &script]);
        let answer = self.project.run(&words);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        let inputs = inputs.into_iter().map(|(_, held)| held).collect();
        self.runs.push(Run { name, inputs, output: output.clone() });
        self.there.push((path, output));
    }

    /// The runs that have read something, or what came of it: by the words of `docs/lineage.md`.
    fn affected(&self, start: &Held) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut queue = vec![start.clone()];
        while let Some(content) = queue.pop() {
            for run in &self.runs {
                let has_read = run.inputs.iter().any(|input| {
                    *input == content || is_part(&content, input) || self.leads(&content, input)
                });
                if has_read && names.insert(run.name.clone()) {
                    queue.push(run.output.clone());
                }
            }
        }
        names
    }

    /// The runs from whose output a run came, itself among them.
    fn upstream(&self, run: &Run) -> BTreeSet<String> {
        let mut names = BTreeSet::from([run.name.clone()]);
        let mut queue = run.inputs.clone();
        let makers = |content: &Held| {
            let made = |run: &&Run| run.output == *content || is_part(content, &run.output);
            self.runs.iter().filter(made).collect::<Vec<_>>()
        };
        while let Some(content) = queue.pop() {
            let mut found = makers(&content);
            if found.is_empty() {
                // Of a directory that nobody made, the makers of what it holds.
                for (_, inner) in &content {
                    let inner = vec![(String::new(), inner.clone())];
                    let is_whole = self.runs.iter().any(|run| run.output == inner);
                    found.extend(if is_whole { makers(&inner) } else { Vec::new() });
                }
            }
            for run in found {
                if names.insert(run.name.clone()) {
                    queue.extend(run.inputs.clone());
                }
            }
        }
        names
    }

    /// Tells whether a directory holds something that was read, by itself or in `input`.
    fn leads(&self, directory: &Held, input: &Held) -> bool {
        let all = self.runs.iter().flat_map(|run| &run.inputs);
        all.filter(|read| is_part(read, directory))
            .any(|read| read == input || is_part(read, input))
    }
}

/// Tells whether something lies in a directory.
fn is_part(inner: &Held, outer: &Held) -> bool {
    let is_directory = |held: &Held| held.iter().any(|(name, _)| !name.is_empty());
    if !is_directory(outer) || inner == outer {
        return false;
    }
    match inner.as_slice() {
        [(name, content)] if name.is_empty() => outer.iter().any(|(_, held)| held == content),
        _ => false,
    }
}

fn answers(project: &Project, paths: &[String]) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in paths {
        for words in [
            &["--json", "lineage", path][..],
            &["--json", "lineage", "--down", path],
            &["--json", "lineage", "--depth", "1", path],
            &["--json", "impact", path],
        ] {
            let answer = project.run(words);
            assert!(matches!(answer.code, Some(0 | 1)), "{words:?}: {}", answer.err);
            answers.push(serde_json::from_slice(&answer.out).expect("JSON"));
        }
    }
    answers
}

#[test]
fn answers_are_those_of_a_plain_model_with_and_without_an_index() {
    for seed in [3, 17] {
        let mut world = World::new(seed);
        for _ in 0..5 {
            for _ in 0..4 {
                world.run();
            }
            for (path, held) in &world.there {
                let answer = world.project.run(&["--json", "impact", path]);
                let answer: Value = serde_json::from_slice(&answer.out).expect("JSON");
                let runs = answer["runs"].as_array().expect("a list").iter();
                let names: BTreeSet<String> =
                    runs.map(|run| run["name"].as_str().expect("a name").to_owned()).collect();
                assert_eq!(names, world.affected(held), "seed {seed}, {path}");
            }
        }
        for run in &world.runs {
            let answer = world.project.run(&["--json", "lineage", &format!("runs/{}", run.name)]);
            let answer: Value = serde_json::from_slice(&answer.out).expect("JSON");
            let nodes = answer["nodes"].as_array().expect("a list").iter();
            let names: BTreeSet<String> =
                nodes.filter_map(|node| node["name"].as_str().map(str::to_owned)).collect();
            assert_eq!(names, world.upstream(run), "seed {seed}, {}", run.name);
        }
        let paths: Vec<String> = world.there.iter().map(|(path, _)| path.clone()).collect();
        let told = answers(&world.project, &paths[..8]);
        let without = || answers(&world.project, &paths[..8]);
        assert_eq!(told, world.project.without_cache(without));
        let files = world.project.derived(INDEX);
        assert!(files.len() < 6, "{files:?}");
    }
}

/// The index never forgets a run; whether one counts is asked anew.
#[test]
fn what_no_ref_leads_to_any_more_does_not_count() {
    let mut world = World::new(5);
    let count = |world: &World| {
        let all = answers(&world.project, &["raw0".to_owned(), "raw1".to_owned()]);
        all.iter().map(|answer| answer["runs"].as_array().map_or(0, Vec::len)).sum::<usize>()
    };
    for _ in 0..6 {
        world.run();
    }
    world.there.truncate(1);
    world.run();
    let (paths, all) = (["raw0".to_owned(), "raw1".to_owned()], count(&world));
    world.project.done(&["undo"]);
    let fewer = count(&world);
    assert!(fewer < all, "{fewer}, {all}");
    let ask = || answers(&world.project, &paths);
    assert_eq!(ask(), world.project.without_cache(ask));
    world.project.done(&["undo"]);
    assert_eq!(count(&world), all);
}

#[test]
fn damage_changes_no_answer() {
    let mut world = World::new(9);
    for _ in 0..6 {
        world.run();
    }
    let paths = vec!["raw0".to_owned(), "o3".to_owned()];
    answers(&world.project, &paths);
    let files = world.project.derived(INDEX);
    assert!(files.len() > 1, "a state and a segment");
    world.project.damaged(&files, || answers(&world.project, &paths));
    assert!(world.project.done(&["fsck", "--full"]).contains("No problem found"));
}

/// A state of hostile lengths, whose check is right: sums of them overflowed.
#[test]
fn lengths_of_a_state_are_not_believed() {
    let mut world = World::new(2);
    world.run();
    let paths = vec!["raw0".to_owned()];
    let told = answers(&world.project, &paths);
    let path = b".provenance/cache/lineage-index";
    let good = State::decode(&fs::read(world.project.path(path)).expect("read")).expect("a state");
    for length in [u64::MAX, u64::MAX / 4, u64::MAX / 2] {
        let segments = vec![([1; 16], length), ([2; 16], length)];
        let state = State { refs: Some(EMPTY_TREE), segments, ..good.clone() };
        world.project.write(path, &state.encode());
        assert_eq!(answers(&world.project, &paths), told, "{length}");
    }
}
