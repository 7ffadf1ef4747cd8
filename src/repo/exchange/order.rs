//! The order of a stream's lines: a first one, perhaps a last one, and content in one piece.

use super::content::Spool;
use super::line::{Line, SCHEMA};

/// How far a stream is.
#[derive(Debug, Default)]
pub(super) struct Order {
    has_begun: bool,
    has_end: bool,
    has_ended: bool,
}

impl Order {
    /// Checks that a line may come here, after `before` others; `spool` is content that is not
    /// whole yet.
    pub fn check(&mut self, line: &Line, before: u64, spool: Option<&Spool>) -> Result<(), String> {
        if self.has_ended {
            return Err("the stream has ended before it".to_owned());
        }
        match line {
            Line::Begin { .. } if self.has_begun => {
                return Err("the stream begins a second time".to_owned());
            }
            Line::Begin { has_end } => (self.has_begun, self.has_end) = (true, *has_end),
            _ if !self.has_begun => {
                return Err(format!("the first line must be {{\"schema\":\"{SCHEMA}\"}}"));
            }
            Line::End { lines } if *lines != before => {
                return Err(format!("lines: {before} came before it, and not {lines}"));
            }
            Line::End { .. } => self.has_ended = true,
            _ => {}
        }
        let is_same = |spool: &Spool| matches!(line, Line::Content { id, .. } if *id == spool.id);
        match spool {
            Some(spool) if !is_same(spool) => {
                Err(format!("the content before it is not whole yet, content={}", spool.id))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the stream may end here.
    pub fn check_end(&self, spool: Option<&Spool>) -> Result<(), String> {
        let cut = |what: &str| Err(format!("the stream is cut off: {what}"));
        match spool {
            _ if !self.has_begun => cut("it has no line"),
            Some(spool) => cut(&format!("content is not whole, content={}", spool.id)),
            None if self.has_end && !self.has_ended => {
                cut("its first line promises a last one, and that is not there")
            }
            None => Ok(()),
        }
    }
}
