//! `runs` over its index: the answers are those without one, whatever happens to its files.

use super::project::Project;

/// What the names of its files begin with.
const INDEX: &str = "runs-index";

/// Questions of every kind.
const QUESTIONS: &[&[&str]] = &[
    &["--sort", "-metrics.accuracy", "-n", "5"],
    &["--where", "metrics.accuracy > 0.5 and params.lr <= 0.01", "--sort", "params.lr"],
    &["--where", "not has params.extra", "--sort", "name", "-n", "7"],
    &["--where", "params.opt ~ da or exit != 0", "--sort", "-started,name"],
    &["--where", "params.deep.inner = true"],
    &["--where", "params.wide7 = 7"],
    &["--where", "metrics.loss.min < 0.1 and metrics.loss.count = 3"],
    &["--where", "started >= 2026-07-31T09:35", "--sort", "metrics.nan"],
    &["--since", "2026-07-31T09:36:00Z", "--until", "2026-07-31T09:38:00Z"],
    &[],
];

fn line(number: u32) -> String {
    let wide: Vec<String> = (0..600).map(|n| format!("\"wide{n}\":{n}")).collect();
    let extra = match number % 25 {
        0 => format!(",{}", wide.join(",")),
        1 => ",\"extra\":\"NaN\"".to_owned(),
        2 => ",\"deep\":{\"inner\":true,\"n\":null}".to_owned(),
        _ => String::new(),
    };
    let accuracy = f64::from(number * 37 % 101) / 101.0;
    let opt = if number.is_multiple_of(2) { "adam" } else { "sgd" };
    let nan = if number.is_multiple_of(7) { "NaN".to_owned() } else { number.to_string() };
    format!(
        "{{\"record\":{{\"run\":{{\"name\":\"r{number}\",\"started\":\"2026-07-31T09:{:02}:00Z\",\
         \"exit_code\":{},\"params\":{{\"lr\":{},\"opt\":\"{opt}\"{extra}}},\
         \"metrics\":{{\"accuracy\":{accuracy},\"nan\":{nan},\"loss\":[1,{accuracy},0.2]}}}}}}}}\n",
        30 + number % 20,
        number % 3,
        f64::from(number % 11) / 500.0,
    )
}

fn stream(numbers: std::ops::Range<u32>) -> String {
    let lines: String = numbers.map(line).collect();
    format!("{{\"schema\":\"provenance/exchange/v1\"}}\n{lines}")
}

fn import(project: &Project, numbers: std::ops::Range<u32>) {
    project.write(b"stream.jsonl", stream(numbers).as_bytes());
    project.done(&["import", "--jsonl", "stream.jsonl"]);
}

fn ask(project: &Project, words: &[&str]) -> String {
    project.done(&[&["--json", "runs"][..], words].concat())
}

fn answers(project: &Project) -> Vec<String> {
    QUESTIONS.iter().map(|words| ask(project, words)).collect()
}

#[test]
fn answers_are_the_same_with_and_without_an_index_as_it_grows() {
    let project = Project::new();
    assert!(answers(&project).iter().all(String::is_empty));
    for (from, to) in [(0, 60), (60, 61), (61, 100)] {
        import(&project, from..to);
        let told = answers(&project);
        assert_eq!(told, project.without_cache(|| answers(&project)), "{to} runs");
        assert_eq!(told.last().map(|all| all.lines().count()), Some(to as usize));
        assert!(!told[1].is_empty() && !told[3].is_empty() && !told[4].is_empty());
        assert!(told[5].lines().count() > 1, "a run with very many parameters is found");
        assert!(!project.derived(INDEX).is_empty());
    }
    // What an undo takes away is gone from the answers, and back when that is undone.
    let all = answers(&project);
    project.done(&["undo"]);
    let fewer = answers(&project);
    assert_eq!(fewer.last().map(|all| all.lines().count()), Some(61));
    assert_eq!(fewer, project.without_cache(|| answers(&project)));
    project.done(&["undo"]);
    assert_eq!(answers(&project), all);
}

#[test]
fn many_small_steps_keep_the_index_small() {
    let project = Project::new();
    for number in 0..20 {
        import(&project, number..number + 1);
        project.done(&["--json", "runs", "-n", "1"]);
    }
    assert!(project.derived(INDEX).len() < 8, "{:?}", project.derived(INDEX));
    assert_eq!(answers(&project), project.without_cache(|| answers(&project)));
}

#[test]
fn damage_changes_no_answer() {
    let project = Project::new();
    import(&project, 0..50);
    let question = QUESTIONS[1];
    ask(&project, question);
    project.damaged(&project.derived(INDEX), || ask(&project, question));
    assert!(project.done(&["fsck", "--full"]).contains("No problem found"));
}
