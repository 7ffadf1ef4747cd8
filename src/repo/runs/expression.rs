//! The language of `runs --where`: comparisons of fields, joined by and, or and not.
//!
//! Specified in `docs/runs.md`. A field that a run does not have makes every comparison with it
//! false, so `not` turns that around; `has FIELD` asks for presence alone.

use super::field::{Field, insist_on_field};
use crate::repo::Error;

/// How deep expressions may be nested.
const DEPTH_MAX: usize = 64;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Node);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Has(String),
    Compare { field: String, how: Comparison, with: Literal },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// The text holds the other one.
    Holds,
    /// It does not.
    HoldsNot,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
enum Literal {
    Number(f64),
    Bool(bool),
    Text(String),
}

impl Expression {
    /// Reads an expression.
    ///
    /// Errors: `Usage`, with the place that is not understood.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut parser = Parser { text, rest: text, depth: 0 };
        let node = parser.alternatives()?;
        match parser.peek() {
            "" => Ok(Self(node)),
            _ => Err(parser.refuse("and, or, or the end")),
        }
    }

    /// Appends the fields that it asks for.
    pub fn fields(&self, fields: &mut Vec<String>) {
        self.0.fields(fields);
    }

    /// Tells whether it holds for what has these fields.
    pub fn holds<'r>(&self, find: &dyn Fn(&str) -> Option<Field<'r>>) -> bool {
        self.0.holds(find)
    }
}

impl Node {
    fn fields(&self, fields: &mut Vec<String>) {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.fields(fields);
                right.fields(fields);
            }
            Self::Not(inner) => inner.fields(fields),
            Self::Has(field) | Self::Compare { field, .. } => fields.push(field.clone()),
        }
    }

    fn holds<'r>(&self, find: &dyn Fn(&str) -> Option<Field<'r>>) -> bool {
        match self {
            Self::And(left, right) => left.holds(find) && right.holds(find),
            Self::Or(left, right) => left.holds(find) || right.holds(find),
            Self::Not(inner) => !inner.holds(find),
            Self::Has(field) => find(field).is_some(),
            Self::Compare { field, how, with } => {
                find(field).is_some_and(|found| how.holds(&found, with))
            }
        }
    }
}

impl Comparison {
    fn holds(self, found: &Field<'_>, with: &Literal) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        if matches!(self, Self::Holds | Self::HoldsNot) {
            let sought = with.text();
            return found.text().contains(&*sought) == (self == Self::Holds);
        }
        let order = match (found.number(), with) {
            (Some(found), Literal::Number(with)) => found.partial_cmp(with),
            (None, Literal::Number(_)) => None,
            (_, Literal::Bool(with)) => found.boolean().map(|found| found.cmp(with)),
            (_, Literal::Text(with)) => Some(found.text().as_ref().cmp(with.as_str())),
        };
        match self {
            Self::Equal => order == Some(Equal),
            Self::Unequal => order != Some(Equal),
            Self::Less => order == Some(Less),
            Self::LessOrEqual => matches!(order, Some(Less | Equal)),
            Self::Greater => order == Some(Greater),
            Self::GreaterOrEqual => matches!(order, Some(Greater | Equal)),
            Self::Holds | Self::HoldsNot => false,
        }
    }
}

impl Literal {
    fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.to_string().into(),
            Self::Bool(value) => value.to_string().into(),
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn alternatives(&mut self) -> Result<Node, Error> {
        let mut node = self.all()?;
        while self.takes_word("or") {
            node = Node::Or(Box::new(node), Box::new(self.all()?));
        }
        Ok(node)
    }

    fn all(&mut self) -> Result<Node, Error> {
        let mut node = self.one()?;
        while self.takes_word("and") {
            node = Node::And(Box::new(node), Box::new(self.one()?));
        }
        Ok(node)
    }

    fn one(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::Usage("--where: nested too deep".to_owned()));
        }
        let node = if self.takes_word("not") {
            Node::Not(Box::new(self.one()?))
        } else if self.takes_word("has") {
            Node::Has(self.field()?)
        } else if self.takes("(") {
            let inner = self.alternatives()?;
            if !self.takes(")") {
                return Err(self.refuse("a closing parenthesis"));
            }
            inner
        } else {
            let field = self.field()?;
            let how = self.comparison()?;
            Node::Compare { field, how, with: self.literal()? }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn field(&mut self) -> Result<String, Error> {
        let word = self.take_while(|c| c.is_alphanumeric() || "_.-/[]".contains(c));
        match word {
            "" | "and" | "or" | "not" => Err(self.refuse("a field such as params.lr")),
            word => {
                insist_on_field(word)?;
                Ok(word.to_owned())
            }
        }
    }

    fn comparison(&mut self) -> Result<Comparison, Error> {
        // Longer ones first: `<=` begins with `<`.
        let known = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Unequal),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("!~", Comparison::HoldsNot),
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
            ("~", Comparison::Holds),
        ];
        let found = known.into_iter().find(|(word, _)| self.takes(word));
        found.map(|(_, how)| how).ok_or_else(|| self.refuse("one of = != < <= > >= ~ !~"))
    }

    fn literal(&mut self) -> Result<Literal, Error> {
        for quote in ['"', '\''] {
            if let Some(inside) = self.peek().strip_prefix(quote) {
                let Some((text, rest)) = inside.split_once(quote) else {
                    return Err(self.refuse("a text that ends with its quote"));
                };
                self.rest = rest;
                return Ok(Literal::Text(text.to_owned()));
            }
        }
        let word = self.take_while(|c| !c.is_whitespace() && !"()".contains(c));
        match word {
            "" => Err(self.refuse("a number or a text")),
            "true" => Ok(Literal::Bool(true)),
            "false" => Ok(Literal::Bool(false)),
            word => Ok(match word.parse::<f64>() {
                Ok(number) if !number.is_nan() => Literal::Number(number),
                _ => Literal::Text(word.to_owned()),
            }),
        }
    }

    fn peek(&mut self) -> &'t str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn takes(&mut self, word: &str) -> bool {
        let after = self.peek().strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let after = self.peek().strip_prefix(word);
        let is_word = |after: &&str| !after.starts_with(|c: char| c.is_alphanumeric() || c == '.');
        let after = after.filter(is_word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.peek();
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word
    }

    fn refuse(&self, expected: &str) -> Error {
        let at = self.text.len() - self.rest.trim_start().len();
        let before = self.text.get(..at).unwrap_or_default();
        let after = self.rest.trim_start();
        let after = if after.is_empty() { "the end" } else { after };
        Error::Usage(format!("--where: expected {expected} after {before:?}, found {after:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let find = |name: &str| match name {
            "params.lr" => Some(Field::Number(1e-4)),
            "params.optimizer.name" => Some(Field::text_of("adam")),
            "params.fp16" => Some(Field::Bool(true)),
            "metrics.accuracy" => Some(Field::Number(0.93)),
            "exit" => Some(Field::Number(0.0)),
            _ => None,
        };
        Expression::parse(text).expect(text).holds(&find)
    }

    #[test]
    fn what_holds_and_what_does_not() {
        for text in [
            "metrics.accuracy > 0.9 and params.lr <= 1e-4",
            "params.lr = 0.0001",
            "params.optimizer.name = adam",
            "params.optimizer.name == \"adam\"",
            "params.optimizer.name ~ da",
            "params.optimizer.name !~ sgd",
            "params.fp16 = true",
            "not params.fp16 = false",
            "exit = 0 and (metrics.accuracy < 0.5 or has params.lr)",
            "not has params.momentum",
            "not params.momentum > 0",
            "params.lr != 1 or params.lr = 1 and params.lr = 2",
        ] {
            assert!(holds(text), "{text}");
        }
        for text in [
            "metrics.accuracy > 0.93",
            "params.momentum > 0",
            "params.momentum != 0",
            "params.optimizer.name > 5",
            "has params.momentum",
            "(params.lr = 1 or params.lr = 1e-4) and params.lr = 2",
        ] {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_shown() {
        for (text, expected) in [
            ("", "a field"),
            ("params.lr", "one of = !="),
            ("params.lr >", "a number or a text"),
            ("(params.lr > 1", "a closing parenthesis"),
            ("params.lr > 1 params.x", "and, or, or the end"),
            ("params.name = \"x", "ends with its quote"),
            ("and", "a field"),
        ] {
            let error = Expression::parse(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(Expression::parse(&"(".repeat(10_000)).is_err());
        assert!(Expression::parse(&"not ".repeat(10_000)).is_err());
    }
}
