//! The examples in the help of every command run as they are written.

use std::path::Path;
use std::process::Command;

use super::project::Project;

/// What the examples speak of: a few commits, names for them, and files of these names.
const PREPARE: &str = r#"
set -e
mkdir -p data weights models scratch my bin .zfunc
for file in data/train.csv data/gone.csv config.yaml config.toml train.py old.csv scratch/x \
    model.safetensors weights/w models/m; do echo "$file" > "$file"; done
provenance config set user.name Ada; provenance config set user.email ada@example.org
printf '[run.train]\ncommand = "true"\n' > provenance.toml
printf '[source.survey]\nuri = "config.toml"\npaths = "data"\n' >> provenance.toml
provenance add -A; provenance commit -m one
for number in 2 3 4; do
  echo "$number" >> data/train.csv; echo "$number" > config.yaml
  provenance commit -am "$number"
done
provenance tag v1; rm data/gone.csv; provenance commit -am five
for name in v2 paper; do provenance tag "$name"; done
for name in a b; do provenance branch "$name"; done
provenance checkout -b trial main~1; echo other > config.yaml; provenance commit -am other
provenance branch experiment; provenance checkout main
echo new > data/new.csv; provenance add data/new.csv; echo more >> train.py
mkdir -p .local/share/bash-completion/completions .config/fish/completions
mkdir -p copy artifacts mlruns/0; provenance -C copy init
echo "experiment_id: '0'" > mlruns/0/meta.yaml
echo '{"schema":"provenance/exchange/v1"}' | tee runs.jsonl > theirs.jsonl
echo '{"record":{"run":{"name":"theirs","started":0}}}' | tee -a runs.jsonl >> theirs.jsonl
# Programs of others that an example may name, and that need not be there.
printf '#!/bin/sh\ncat >/dev/null\n' > bin/b3sum; cp bin/b3sum bin/jq
for line in '#!/bin/sh' "mkdir -p out" "tee out/w model.pt < train.py" "echo {} > metrics.json"; do
  echo "$line" >> bin/python
done
chmod +x bin/*
"#;

/// What examples of names need first, where it is in the way of others.
const FREED: [(&str, &str); 12] = [
    (
        "import dvc",
        "git init -q ../project && cd ../project && echo lr: 0.1 > params.yaml && git add . \
         && git -c user.name=a -c user.email=a@b commit -qm one",
    ),
    (
        "bisect start --metric",
        "for value in 0.95 0.5; do echo \"{\\\"accuracy\\\": $value}\" > metrics.json; \
         provenance run -q --metrics metrics.json -- true; done",
    ),
    (
        "bisect run",
        "provenance commit -qam six && provenance bisect start main v1 && cp bin/b3sum test.sh",
    ),
    ("provenance rollback", "provenance commit -qam six"),
    (
        "provenance reproduce",
        "provenance run -q --name first -o out --metrics m.json -- \
         sh -c 'mkdir out; echo x > out/w; echo {\\\"seconds\\\": 1} > m.json'",
    ),
    (
        "bisect inputs",
        "script='mkdir -p out; cp old.csv out/w; (echo accuracy; cat old.csv) > m.csv'; \
         for run in a:1 b:0.5; do echo ${run#*:} > old.csv; provenance add old.csv; \
         provenance run -q --name ${run%:*} --metrics m.csv -- sh -c \"$script\"; done",
    ),
    ("bisect good", "provenance bisect start main main~3"),
    ("branch experiment ", "provenance branch -D experiment"),
    ("branch -d trial", "provenance branch -f trial main"),
    ("branch -m experiment trial", "provenance branch -D trial"),
    ("tag v1", "provenance tag -d v1"),
    ("tag paper main~3", "provenance tag -d paper"),
];

/// Whose answer is no here, so that they end with 1.
const ANSWERS_NO: [&str; 2] = ["diff --exit-code -q HEAD", "sha256sum -c"];

fn shell(project: &Path, line: &str) -> std::process::Output {
    let program = Path::new(env!("CARGO_BIN_EXE_provenance"));
    let programs = program.parent().expect("a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("bash")
        .args(["-c", line])
        .current_dir(project)
        .env_clear()
        .env("PATH", format!("{}/bin:{programs}:{path}", project.display()))
        .env("HOME", project)
        .output()
        .expect("bash runs")
}

fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    let examples = lines.take_while(|line| line.starts_with("  ")).map(str::trim);
    examples.map(str::to_owned).collect()
}

#[test]
fn every_example_runs_as_it_is_written() {
    let project = Project::new();
    let day_before_yesterday = "export PROVENANCE_CLOCK=$(date -d '2 days ago' +%s000)\n";
    let prepared = shell(project.root(), &format!("{day_before_yesterday}{PREPARE}"));
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let help = project.text(&["--help"]);
    let commands =
        help.lines().skip(3).filter(|line| line.starts_with("  ") && !line.contains('-'));
    let commands: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    let plumbing = ["rev-parse", "rev-list", "merge-base", "commit-tree"];
    let mut failures = Vec::new();
    let mut count = 0;
    for command in commands.into_iter().chain(plumbing) {
        let copy = tempfile::tempdir().expect("a folder");
        let examples = examples(&project.text(&[command, "--help"]));
        assert!(!examples.is_empty(), "{command} has no example");
        for (number, example) in examples.iter().enumerate() {
            let place = copy.path().join(number.to_string());
            let source = project.root();
            let copied = Command::new("cp").arg("-a").arg(source).arg(&place).status();
            assert!(copied.expect("cp runs").success());
            for (_, line) in FREED.iter().filter(|(words, _)| example.contains(words)) {
                assert!(shell(&place, line).status.success(), "{line}");
            }
            let ran = shell(&place, example);
            let says_no = ANSWERS_NO.iter().any(|words| example.contains(words));
            if ran.status.code() != Some(i32::from(says_no)) {
                let said = String::from_utf8_lossy(&ran.stderr);
                failures.push(format!("{example}\n    {:?} {said}", ran.status.code()));
            }
            count += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 80, "only {count} examples were found");
}
