//! Of which kind the artifacts of a commit are, now and after something changed.

use serde_json::Value;

use super::project::Project;

/// Gives the kind of the artifact at each path of the last commit.
fn kinds(project: &Project) -> Vec<(String, String)> {
    let record = project.record("HEAD");
    let artifacts = record["artifacts"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    artifacts.map(|one| (text(&one["path"]), text(&one["kind"]))).collect()
}

fn kind(project: &Project, path: &str) -> String {
    kinds(project).into_iter().find(|(known, _)| known == path).expect("an artifact").1
}

/// What is unchanged is not looked at again; but what was declared once must not stick to it.
#[test]
fn a_kind_is_declared_only_as_long_as_it_is_declared() {
    let project = Project::new();
    project.write(b"blob/x.bin", b"1");
    project.write(b"data/train.csv", b"a,b\n1,2\n");
    project.commit("nothing is declared");
    let guessed = kinds(&project);
    project.write(b"provenance.toml", b"[artifact.blob]\npath = \"blob\"\nkind = \"adapter\"\n");
    project.commit("declared");
    assert_eq!(kind(&project, "blob"), "adapter");
    project.write(b"other.txt", b"1");
    project.commit("unchanged");
    assert_eq!(kind(&project, "blob"), "adapter");
    project.write(b"provenance.toml", b"");
    project.commit("declared no more");
    for (path, kind_before) in guessed {
        assert_eq!(kind(&project, &path), kind_before, "{path}");
    }
}

#[test]
fn what_changed_is_looked_at_again() {
    let project = Project::new();
    project.write(b"stuff/notes.txt", b"1");
    project.write(b"same/train.csv", b"a\n1\n");
    project.commit("notes");
    let before = kinds(&project);
    project.write(b"stuff/model.safetensors", b"1");
    project.commit("a model");
    assert_eq!(kind(&project, "stuff"), "model");
    let of_same = before.into_iter().find(|(path, _)| path == "same").expect("it").1;
    assert_eq!(kind(&project, "same"), of_same);
}

/// The bytes of a link are those of a file that says where it leads.
#[test]
fn a_link_is_not_what_a_file_of_its_bytes_was() {
    let project = Project::new();
    project.write(b"train.csv", b"elsewhere");
    project.commit("a file");
    assert_eq!(kind(&project, "train.csv"), "dataset");
    let path = project.path(b"train.csv");
    std::fs::remove_file(&path).expect("removed");
    std::os::unix::fs::symlink("elsewhere", &path).expect("linked");
    project.commit("a link");
    assert_eq!(kind(&project, "train.csv"), "other");
}
