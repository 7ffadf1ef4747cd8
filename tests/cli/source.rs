//! `source`: fingerprints of what lies outside, and what is stale because of them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::project::{Answer, Project};

fn run(project: &Project, name: &str, words: &[&str], script: &str) {
    let begin = ["-q", "run", "--name", name];
    let answer = project.run(&[&begin[..], words, &["--", "sh", "-c", script]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
}

fn lines(project: &Project, words: &[&str]) -> Vec<Value> {
    let answer = project.run(&[&["--json"], words].concat());
    let text = String::from_utf8(answer.out).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.out).into_owned()
}

/// Gives the names of the runs that are marked, sorted.
fn stale(project: &Project) -> Vec<String> {
    let runs = lines(project, &["runs", "--where", "has stale"]);
    let mut names: Vec<String> =
        runs.iter().map(|run| run["run"]["name"].as_str().expect("a name").to_owned()).collect();
    names.sort_unstable();
    names
}

/// A source file that is copied to raw/, from which come clean, model and twin; other is apart.
fn project() -> Project {
    let project = Project::new();
    let settings = "[source.survey]\nuri = \"up/survey.csv\"\npaths = [\"raw\"]\n";
    project.write(b"provenance.toml", settings.as_bytes());
    project.write(b".provenanceignore", b"up\n");
    project.write(b"up/survey.csv", b"1\n");
    project.write(b"raw/survey.csv", b"1\n");
    project.write(b"raw/fixed.csv", b"0\n");
    project.write(b"other.csv", b"5\n");
    project.commit("begin");
    assert_eq!(project.run(&["source", "check"]).code, Some(0));
    run(&project, "clean", &["-i", "raw", "-o", "clean"], "mkdir -p clean; cat raw/* > clean/all");
    run(&project, "model", &["-i", "clean/all", "-o", "model"], "sed s/^/w/ clean/all > model");
    run(&project, "other", &["-i", "other.csv", "-o", "apart"], "cp other.csv apart");
    project
}

#[test]
fn a_change_upstream_marks_all_that_came_of_it() {
    let project = project();
    assert_eq!(stale(&project), Vec::<String>::new());
    assert!(!project.text(&["status"]).contains("Stale"), "nothing has changed");
    assert_eq!(project.run(&["source", "check"]).code, Some(0), "unchanged");
    project.write(b"up/survey.csv", b"1\n2\n");
    let before = project.run(&["log", "--journal", "--oneline"]).out;
    assert_eq!(project.run(&["source", "check", "-n"]).code, Some(1));
    assert_eq!(project.run(&["log", "--journal", "--oneline"]).out, before, "nothing recorded");
    let answer = project.run(&["source", "check", "survey"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    assert!(text(&answer).contains("stale: raw"), "{}", text(&answer));
    assert_eq!(stale(&project), ["clean", "model"]);
    let status = project.text(&["status"]);
    assert!(status.contains("Stale: raw is older than source survey, changed "), "{status}");
    assert_eq!(lines(&project, &["status"])[0]["stale"][0]["paths"][0], "raw");
    assert!(project.text(&["runs"]).contains("stale"), "a column");
    let lineage = project.text(&["lineage", "runs/model"]);
    assert_eq!(lineage.matches("stale: survey").count(), lineage.lines().count(), "{lineage}");
    assert!(!project.text(&["lineage", "apart"]).contains("stale"));
    let row = &lines(&project, &["source", "list"])[0];
    assert_eq!((&row["state"], &row["stale"][0]), (&"changed".into(), &"raw".into()));
    assert_eq!(project.run(&["source", "check"]).code, Some(0), "it is known by now");
    assert_eq!(stale(&project), ["clean", "model"]);
}

/// What was fetched anew is fresh, and so is what is made of it; what was made before stays stale,
/// also where it has read a file that is still the same.
#[test]
fn what_is_recorded_after_a_change_is_fresh() {
    let project = project();
    run(
        &project,
        "fixed",
        &["-i", "raw/fixed.csv", "-o", "fixed"],
        "sed s/^/f/ raw/fixed.csv > fixed",
    );
    project.write(b"up/survey.csv", b"1\n2\n");
    assert_eq!(project.run(&["source", "check"]).code, Some(1));
    project.write(b"raw/survey.csv", b"1\n2\n");
    project.commit("fetched");
    assert!(!project.text(&["status"]).contains("Stale"));
    assert_eq!(project.run(&["source", "check"]).code, Some(0));
    assert!(!project.text(&["status"]).contains("Stale"), "the check has seen it");
    run(&project, "fixed2", &["-i", "raw/fixed.csv", "-o", "f2"], "sed s/^/g/ raw/fixed.csv > f2");
    run(&project, "clean2", &["-i", "raw", "-o", "clean"], "cat raw/* > clean/all");
    run(&project, "model2", &["-i", "clean/all", "-o", "model"], "sed s/^/w/ clean/all > model");
    assert_eq!(stale(&project), ["clean", "fixed", "model"]);
    // What is read of an old state is as old as that.
    assert_eq!(project.run(&["checkout", "-q", "clean"]).code, Some(0));
    run(&project, "late", &["-i", "raw", "-o", "late"], "cat raw/* > late");
    assert_eq!(stale(&project), ["clean", "fixed", "late", "model"]);
    // The source is again what it was once: what was recorded then is fresh again.
    project.write(b"up/survey.csv", b"1\n");
    assert_eq!(project.run(&["source", "check"]).code, Some(1));
    assert_eq!(stale(&project), ["clean2", "fixed2", "model2"]);
}

/// Two runs that made the same are one: a fresh one makes it fresh. A run that writes again what it
/// has read makes nothing fresh: it once counted as a maker of its own input.
#[test]
fn content_is_as_new_as_the_newest_run_that_made_it() {
    let project = project();
    run(&project, "copy", &["-i", "model", "-o", "copy"], "cp model copy");
    project.write(b"up/survey.csv", b"1\n2\n");
    assert_eq!(project.run(&["source", "check"]).code, Some(1));
    assert_eq!(stale(&project), ["clean", "copy", "model"]);
    let script = "printf 'w0\\nw1\\n' > again";
    run(&project, "again", &["-i", "other.csv", "-o", "again"], script);
    assert_eq!(stale(&project), ["clean", "model"]);
}

#[test]
fn what_was_fetched_before_the_check_can_be_said_to_be_new() {
    let project = project();
    project.write(b"provenance.toml", b"[source.survey]\ncheck = \"cat up/n\"\npaths = \"raw\"\n");
    project.write(b"up/n", b"first\n");
    project.commit("another way to ask");
    assert_eq!(project.run(&["source", "check"]).code, Some(1), "another fingerprint");
    assert_eq!(stale(&project), ["clean", "model"]);
    project.write(b"raw/survey.csv", b"not staged\n");
    let refused = project.run(&["source", "check", "--fetched"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("provenance add"), "{}", refused.err);
    project.write(b"raw/survey.csv", b"1\n");
    assert_eq!(project.run(&["source", "check", "--fetched"]).code, Some(0));
    assert_eq!(stale(&project), Vec::<String>::new());
    project.write(b"up/n", b"2\n");
    assert_eq!(project.run(&["source", "check"]).code, Some(1));
    assert_eq!(stale(&project), ["clean", "model"]);
    assert_eq!(project.run(&["undo"]).code, Some(0));
    assert_eq!(stale(&project), Vec::<String>::new(), "a check is undone as anything else");
}

#[test]
fn a_source_that_does_not_answer_leaves_what_was_known() {
    let project = project();
    let toml = "[source.survey]\nuri = \"up/survey.csv\"\npaths = \"raw\"\n\
                [source.late]\ncheck = [\"sleep\", \"600\"]\npaths = \"other.csv\"\n\
                [source.loud]\ncheck = \"echo partly; exit 3\"\npaths = \"raw\"\n";
    project.write(b"provenance.toml", toml.as_bytes());
    std::fs::remove_file(project.path(b"up/survey.csv")).expect("removed");
    let answer = project.run(&["source", "check", "--timeout", "0.3"]);
    assert_eq!(answer.code, Some(14), "{}", answer.err);
    let said = text(&answer);
    for words in ["late: unreachable, no answer within 0.3 s", "exit code 3", "No such file"] {
        assert!(said.contains(words), "{said}");
    }
    let rows = lines(&project, &["source", "list"]);
    assert!(rows.iter().all(|row| row["state"] == "unreachable"), "{rows:?}");
    assert_eq!(rows[2]["evidence"], "2 bytes", "known from before: {}", rows[2]);
    assert_eq!(stale(&project), Vec::<String>::new());
    project.write(b"up/survey.csv", b"9\n");
    assert_eq!(project.run(&["source", "check", "survey"]).code, Some(1));
    assert_eq!(stale(&project), ["clean", "model"]);
    assert_eq!(project.run(&["fsck", "--full"]).code, Some(0));
}

#[test]
fn declarations_that_say_nothing_are_refused_before_anything_is_asked() {
    let project = Project::new();
    for (toml, words) in [
        ("[source.a]\npaths = \"x\"\n", "neither uri nor check"),
        ("[source.a]\nuri = \"x\"\n", "has no paths"),
        ("[source.a]\nuri = \"x\"\npaths = \"*.csv\"\n", "without wildcards"),
        ("[source.a]\nuri = \"x\"\npaths = \"../x\"\n", "not usable"),
        ("[source.a]\nurl = \"x\"\npaths = \"x\"\n", "did you mean `uri`"),
        ("[source.a]\ncheck = []\npaths = \"x\"\n", "without a command"),
        ("[source.a]\nuri = \"s3://b/x\"\npaths = \"x\"\n", "needs a check"),
        ("[source.\"a b\"]\nuri = \"x\"\npaths = \"x\"\n", "no name for a source"),
    ] {
        project.write(b"provenance.toml", toml.as_bytes());
        let answer = project.run(&["source", "check"]);
        assert_eq!(answer.code, Some(2), "{toml}: {}", answer.err);
        assert!(answer.err.contains(words), "{toml}: {}", answer.err);
    }
    project.write(b"provenance.toml", b"");
    assert!(project.text(&["source", "check"]).contains("No sources"));
    assert_eq!(project.run(&["source", "check", "nobody"]).code, Some(2));
    assert_eq!(project.run(&["source", "forget", "nobody"]).code, Some(2));
}

#[test]
fn impact_of_a_source_is_all_that_ever_came_from_it() {
    let project = project();
    project.write(b"raw/survey.csv", b"1\n2\n");
    project.commit("fetched");
    run(
        &project,
        "second",
        &["-i", "raw/survey.csv", "-o", "second"],
        "wc raw/survey.csv > second",
    );
    let answer = project.run(&["--json", "impact", "survey"]);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    let json: Value = serde_json::from_slice(&answer.out).expect("JSON");
    assert_eq!(json["starts"].as_array().map(Vec::len), Some(2));
    let names = json["runs"].as_array().expect("runs").iter().map(|run| run["name"].clone());
    let mut names: Vec<String> = names.filter_map(|name| Some(name.as_str()?.into())).collect();
    names.sort_unstable();
    assert_eq!(names, ["clean", "model", "second"]);
}

/// A source that was taken off stays marked until it is forgotten, and is no part of any history.
#[test]
fn a_source_that_is_no_longer_declared_can_be_forgotten() {
    let project = project();
    project.write(b"up/survey.csv", b"2\n");
    assert_eq!(project.run(&["source", "check"]).code, Some(1));
    project.write(b"provenance.toml", b"");
    let list = project.text(&["source", "list"]);
    assert!(list.contains("no longer declared"), "{list}");
    assert!(!project.text(&["log", "--all", "--oneline"]).contains("source survey"));
    assert!(
        project.text(&["log", "--oneline", "sources/survey"]).contains("source survey: changed")
    );
    assert_eq!(project.run(&["gc"]).code, Some(0));
    assert_eq!(stale(&project), ["clean", "model"]);
    assert_eq!(project.run(&["source", "forget", "survey"]).code, Some(0));
    assert_eq!(stale(&project), Vec::<String>::new());
    assert!(project.text(&["source", "list"]).contains("No sources"));
}

/// Answers HTTP requests with what is set, each with what it got before.
fn server(answer: Arc<Mutex<String>>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend_from_slice(&buffer[..count]),
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let answer = match request.contains(" /moved ") {
                true => "HTTP/1.1 302 Found\r\nETag: \"of-the-way\"\r\nLocation: /x\r\n".to_owned(),
                false => answer.lock().expect("no panic").clone(),
            };
            kept.lock().expect("no panic").push(request);
            let end = "Connection: close\r\n\r\n";
            let _gone = stream.write_all(format!("{answer}{end}").as_bytes());
        }
    });
    (port, asked)
}

#[test]
fn a_server_is_asked_for_its_headers_alone() {
    let project = Project::new();
    let answer: Arc<Mutex<String>> = Arc::default();
    let (port, asked) = server(Arc::clone(&answer));
    let declare = |path: &str| {
        let toml = format!(
            "[source.api]\nuri = \"http://ada:hunter2secret@127.0.0.1:{port}/{path}\"\n\
             paths = \"raw.csv\"\n"
        );
        project.write(b"provenance.toml", toml.as_bytes());
    };
    let check = |headers: &str| {
        headers.clone_into(&mut answer.lock().expect("no panic"));
        let answer = project.run(&["source", "check"]);
        (answer.code, text(&answer))
    };
    declare("x");
    project.write(b"raw.csv", b"1\n");
    project.commit("begin");
    let (code, said) = check("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 5\r\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ETag \"v1\""), "{said}");
    let request = asked.lock().expect("no panic")[0].clone();
    assert!(request.starts_with("HEAD /x HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("Authorization: Basic"), "the server gets the password: {request}");
    let (code, said) = check("HTTP/1.1 200 OK\r\nEtag: \"v1\"\r\nLast-Modified: today\r\n");
    assert_eq!(code, Some(0), "an entity tag says it: {said}");
    let (code, said) = check("HTTP/1.1 200 OK\r\nETag: \"v2\"\r\n");
    assert_eq!(code, Some(1), "{said}");
    let dated = "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT\r\n";
    assert_eq!(check(&format!("{dated}Content-Length: 7\r\n")).0, Some(1));
    assert_eq!(check(&format!("{dated}Content-Length: 7\r\n")).0, Some(0));
    assert_eq!(check(&format!("{dated}Content-Length: 8\r\n")).0, Some(1));
    for (headers, words) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n", "neither ETag nor Last-Modified"),
        ("HTTP/1.1 404 Not Found\r\nETag: \"v3\"\r\n", "status 404"),
        ("HTTP/1.1 405 No\r\n", "does not answer to HEAD"),
        ("220 mail.example.org ESMTP\r\n", "unreachable"),
    ] {
        let (code, said) = check(headers);
        assert_eq!(code, Some(14), "{said}");
        assert!(said.contains(words), "{said}");
    }
    declare("moved");
    let (code, said) = check("HTTP/1.1 200 OK\r\nETag: \"v2\"\r\n");
    assert_eq!((code, said.contains("ETag \"v2\"")), (Some(1), true), "{said}");
    // A password is neither shown nor recorded.
    let shown = [&["source", "list"][..], &["cat", "sources/api:check.json"]];
    for words in shown {
        let said = project.text(words);
        assert!(said.contains("127.0.0.1") && !said.contains("hunter2secret"), "{said}");
    }
    // Somebody who takes calls, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let toml = format!("[source.api]\nuri = \"http://127.0.0.1:{port}/\"\npaths = \"x\"\n");
    project.write(b"provenance.toml", toml.as_bytes());
    let silence = project.run(&["source", "check", "--timeout", "0.5"]);
    assert_eq!(silence.code, Some(14), "{}", silence.err);
    assert!(text(&silence).contains("no answer within 0.5 s"), "{}", text(&silence));
    project
        .write(b"provenance.toml", b"[source.api]\nuri = \"http://127.0.0.1:1/\"\npaths = \"x\"\n");
    let (code, said) = check("");
    assert_eq!(code, Some(14), "{said}");
    assert!(said.contains("Failed to connect"), "{said}");
}
