//! Which commits `log` shows: by time, author and message.

use regex::{Regex, RegexBuilder};

use crate::object::{Commit, Timestamp, Transaction};
use crate::repo::Error;

/// Says which commits to show; what is not asked for lets every commit pass.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    authors: Vec<Regex>,
    messages: Vec<Regex>,
}

impl Filter {
    /// Lets pass what was made at `since` or later and at `until` or earlier.
    pub fn between(since: Option<Timestamp>, until: Option<Timestamp>) -> Self {
        Self { since, until, ..Self::default() }
    }

    /// Asks for an author in whose `NAME <EMAIL>` one of these expressions is found.
    ///
    /// Errors: `Usage` for what is no regular expression.
    pub fn authors(mut self, patterns: &[String], ignore_case: bool) -> Result<Self, Error> {
        self.authors = compile(patterns, ignore_case)?;
        Ok(self)
    }

    /// Asks for a message in a line of which one of these expressions is found.
    ///
    /// Errors: `Usage` for what is no regular expression.
    pub fn messages(mut self, patterns: &[String], ignore_case: bool) -> Result<Self, Error> {
        self.messages = compile(patterns, ignore_case)?;
        Ok(self)
    }

    /// Tells whether the time alone rules a commit out, so that its record need not be read.
    pub fn is_out_of_time(&self, time: Timestamp) -> bool {
        self.since.is_some_and(|since| time < since) || self.until.is_some_and(|until| time > until)
    }

    /// Tells whether a commit is shown.
    pub fn lets_pass(&self, commit: &Commit) -> bool {
        let author = &commit.author;
        !self.is_out_of_time(commit.time) && self.fits(&author.name, &author.email, &commit.message)
    }

    /// Tells whether a transaction is shown; its command is taken for the message.
    pub fn lets_transaction_pass(&self, transaction: &Transaction) -> bool {
        let actor = &transaction.actor;
        !self.is_out_of_time(transaction.time)
            && self.fits(&actor.name, &actor.email, &transaction.command)
    }

    fn fits(&self, name: &str, email: &str, message: &str) -> bool {
        let is_found = |patterns: &[Regex], text: &str| {
            patterns.is_empty()
                || patterns.iter().any(|pattern| text.lines().any(|line| pattern.is_match(line)))
        };
        is_found(&self.messages, message) && is_found(&self.authors, &format!("{name} <{email}>"))
    }
}

fn compile(patterns: &[String], ignore_case: bool) -> Result<Vec<Regex>, Error> {
    let one = |pattern: &String| {
        let mut builder = RegexBuilder::new(pattern);
        builder.case_insensitive(ignore_case).build().map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Error::Usage(format!("{pattern:?} is no regular expression: {reason}"))
        })
    };
    patterns.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Author, ObjectId, System};

    fn commit(time: i64, name: &str, message: &str) -> Commit {
        Commit {
            tree: ObjectId::of(b"tree"),
            parents: vec![],
            author: Author { name: name.into(), email: "x@example.org".into() },
            time: Timestamp(time),
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
    fn every_kind_of_question_must_have_a_yes() {
        let filter = Filter::between(Some(Timestamp(10)), Some(Timestamp(20)))
            .authors(&["^Ada".into(), "Grace".into()], false)
            .and_then(|filter| filter.messages(&["^fix".into()], false))
            .expect("good expressions");
        assert!(filter.lets_pass(&commit(10, "Ada", "subject\nfix it")));
        assert!(filter.lets_pass(&commit(20, "Grace", "fix")));
        assert!(!filter.lets_pass(&commit(9, "Ada", "fix")));
        assert!(!filter.lets_pass(&commit(21, "Ada", "fix")));
        assert!(!filter.lets_pass(&commit(15, "Alan", "fix")));
        assert!(!filter.lets_pass(&commit(15, "Ada", "a fix")));
    }

    #[test]
    fn an_email_is_part_of_the_author_and_case_may_not_matter() {
        let filter = Filter::default().authors(&["ADA <x@".into()], true).expect("good");
        assert!(filter.lets_pass(&commit(0, "Ada", "")));
        let error = Filter::default().authors(&["(".into()], false).expect_err("bad").to_string();
        assert_eq!(error, r#""(" is no regular expression: unclosed group"#);
    }
}
