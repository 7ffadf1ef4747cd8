//! A commit in words and as JSON: for `log`, `show` and whatever makes one.

use serde_json::{Map, Value};

use super::print::Paint;
use super::{escape, units};
use crate::object::{Commit, ObjectId};
use crate::repo::{Error, Label, LogCommit};

/// Gives the record of a commit, its id, and the full names that stand at it.
pub fn json(shown: &LogCommit) -> Result<Value, Error> {
    let mut object = Map::new();
    object.insert("id".into(), shown.id.to_record().into());
    if let Ok(Value::Object(record)) = serde_json::from_slice(&shown.commit.encode()?) {
        object.extend(record);
    }
    let names = shown.labels.iter().flat_map(|label| match label {
        Label::Head(None) => vec!["HEAD".to_owned()],
        Label::Head(Some(branch)) => vec!["HEAD".to_owned(), format!("heads/{branch}")],
        Label::Tag(name) => vec![format!("tags/{name}")],
        Label::Branch(name) => vec![format!("heads/{name}")],
    });
    object.insert("refs".into(), names.collect::<Vec<_>>().into());
    Ok(Value::Object(object))
}

/// Gives the name of a branch without its folder.
pub fn branch_of(full: &str) -> &str {
    full.strip_prefix("heads/").unwrap_or(full)
}

/// Gives the first paragraph of a message on one line, as git's subject.
pub fn first_line(message: &str) -> String {
    let lines = message.trim_start().lines().take_while(|line| !line.trim().is_empty());
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Gives the same for a terminal.
pub fn subject(message: &str) -> String {
    escape::line(&first_line(message))
}

/// Gives the line of `log --oneline`.
pub fn one_line(id: &ObjectId, commit: &Commit, labels: &[Label], paint: Paint) -> String {
    let labels = labelled(labels, paint);
    format!("{}{labels} {}", paint.id(id.short()), subject(&commit.message))
}

/// Gives the head of a commit, a blank line, and its message, indented by four blanks.
pub fn full(id: &ObjectId, commit: &Commit, labels: &[Label], paint: Paint) -> Vec<String> {
    let head = paint.id(format_args!("commit {id}"));
    let mut lines = vec![format!("{head}{}", labelled(labels, paint))];
    if commit.parents.len() > 1 {
        let parents: Vec<String> = commit.parents.iter().map(ObjectId::short).collect();
        lines.push(format!("Merge: {}", parents.join(" ")));
    }
    let author = &commit.author;
    lines.push(format!("Author: {} <{}>", escape::line(&author.name), escape::line(&author.email)));
    lines.push(format!("Date:   {}", units::time(commit.time.0)));
    if let Some(run) = &commit.run {
        lines.push(format!("Run:    {}", escape::line(&run.name)));
    }
    lines.push(String::new());
    let message = escape::text(commit.message.trim_matches('\n'));
    lines.extend(message.lines().map(|line| format!("    {line}").trim_end().to_owned()));
    lines
}

/// Gives a name of a commit, as git words it.
pub fn label(label: &Label) -> String {
    match label {
        Label::Head(None) => "HEAD".to_owned(),
        Label::Head(Some(branch)) => format!("HEAD -> {branch}"),
        Label::Tag(name) => format!("tag: {name}"),
        Label::Branch(name) => name.clone(),
    }
}

/// Gives ` (HEAD -> main, tag: v1)`, or nothing.
fn labelled(labels: &[Label], paint: Paint) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let labels: Vec<String> = labels.iter().map(|name| escape::line(&label(name))).collect();
    format!(" {}", paint.place(format_args!("({})", labels.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Author, System, Timestamp};

    fn commit(message: &str, parents: Vec<ObjectId>) -> Commit {
        Commit {
            tree: ObjectId::of(b"tree"),
            parents,
            author: Author { name: "Ada\u{1b}[2J".into(), email: "ada@example.org".into() },
            time: Timestamp(0),
            message: message.into(),
            system: System::default(),
            artifacts: vec![],
            run: None,
            code: None,
            environment: None,
            fine_tune: None,
            overlaps: None,
        }
    }

    #[test]
    fn a_commit_in_words_cannot_repaint_the_terminal() {
        let (first, second) = (ObjectId::of(b"1"), ObjectId::of(b"2"));
        let commit = commit("one\ntwo\n\nthree\x1b[2J\n", vec![first, second]);
        let id = ObjectId::of(b"id");
        let labels = [Label::Head(Some("main".to_owned())), Label::Tag("v1".to_owned())];
        let lines = full(&id, &commit, &labels, Paint::PLAIN);
        assert_eq!(lines[0], format!("commit {id} (HEAD -> main, tag: v1)"));
        assert_eq!(lines[1], format!("Merge: {} {}", first.short(), second.short()));
        assert_eq!(lines[2], "Author: Ada\\u{1b}[2J <ada@example.org>");
        assert_eq!(lines[4..], ["", "    one", "    two", "", "    three\\u{1b}[2J"]);
        let line = one_line(&id, &commit, &[], Paint::PLAIN);
        assert_eq!(line, format!("{} one two", id.short()));
    }

    #[test]
    fn json_is_the_record_and_its_id() {
        let mut commit = commit("one", vec![]);
        commit.author.name = "Ada".into();
        let (id, labels) = (ObjectId::of(b"id"), vec![Label::Head(Some("main".to_owned()))]);
        let shown = LogCommit { id, commit, parents: vec![], labels };
        let json = json(&shown).expect("a good commit");
        assert_eq!(json["refs"], serde_json::json!(["HEAD", "heads/main"]));
        assert_eq!(json["id"], ObjectId::of(b"id").to_record());
        assert_eq!(json["message"], "one");
        assert_eq!(json["schema"], "provenance/commit/v1");
    }
}
