//! What a search for the first bad commit knows so far.
//!
//! Specified in `docs/format/bisect.md`.

use crate::object::canonical::{FieldError, Number, NumberError, Object, Value, decode_record};
use crate::object::{DecodeError, ObjectId};

/// Longest file in bytes.
pub const BISECT_BYTES_MAX: usize = 4 << 20;

const WHAT: &str = "bisection";
const SCHEMA: &str = "provenance/bisect/v1";

/// A search that is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Bisection {
    /// What was checked out before, as in `HEAD`, without a newline.
    pub head: String,
    /// What a commit is called that has what is searched for.
    pub bad_word: String,
    /// What one is called that does not have it.
    pub good_word: String,
    /// Whether only first parents are followed.
    pub first_parent: bool,
    /// Only commits that change one of these can be the culprit; any can where it is empty.
    pub paths: Vec<String>,
    /// What decides by itself.
    pub metric: Option<MetricRule>,
    /// What was said, in order.
    pub log: Vec<Said>,
}

/// A rule by which recorded values say what is bad.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRule {
    /// A field of a run.
    pub name: String,
    /// Where bad begins.
    pub bound: Number,
    /// On which side of it bad is.
    pub bad_side: Side,
    /// A value not farther than this from the bound decides nothing.
    pub tolerance: Number,
}

/// A side of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// More than the bound.
    Above,
    /// Less than the bound.
    Below,
}

/// What somebody said of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The commit.
    pub commit: ObjectId,
    /// What it is.
    pub verdict: Verdict,
    /// What decided, in a line.
    pub reason: Option<String>,
}

/// What a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has what is searched for.
    Bad,
    /// It does not have it.
    Good,
    /// Nobody can tell.
    Skip,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Bad, Self::Good, Self::Skip];

    /// Gives the word that stands for it in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Skip => "skip",
        }
    }
}

impl Side {
    /// Gives the word that stands for it in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

impl Bisection {
    /// Gives the bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("head", self.head.as_str());
        object.set("bad_word", self.bad_word.as_str());
        object.set("good_word", self.good_word.as_str());
        object.set("first_parent", self.first_parent);
        object.set("paths", Value::list(self.paths.clone()));
        object.set_some("metric", self.metric.as_ref().map(MetricRule::to_value));
        object.set("log", Value::list(self.log.iter().map(Said::to_value)));
        Value::from(object).encode()
    }

    /// Takes the bytes of the file.
    ///
    /// Errors: anything that `encode` does not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, BISECT_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            Ok(Self {
                head: fields.required("head", text)?,
                bad_word: fields.required("bad_word", text)?,
                good_word: fields.required("good_word", text)?,
                first_parent: fields.required("first_parent", Value::boolean)?,
                paths: fields.required("paths", |value| value.items(text))?,
                metric: fields.optional("metric", MetricRule::read)?,
                log: fields.required("log", |value| value.items(Said::read))?,
            })
        })
    }
}

impl MetricRule {
    fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.set("name", self.name.as_str());
        object.set("bound", self.bound);
        object.set("is_bad", self.bad_side.word());
        object.set("tolerance", self.tolerance);
        object.into()
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        value.record(|fields| {
            Ok(Self {
                name: fields.required("name", text)?,
                bound: fields.required("bound", Value::number)?,
                bad_side: fields.required("is_bad", |value| match value.text()? {
                    "above" => Ok(Side::Above),
                    "below" => Ok(Side::Below),
                    _ => Err(FieldError::new("must be \"above\" or \"below\"")),
                })?,
                tolerance: fields.required("tolerance", Value::number)?,
            })
        })
    }

    /// Makes a rule.
    ///
    /// Errors: a bound or tolerance that is no finite number.
    pub fn new(
        name: String,
        bad_side: Side,
        bound: f64,
        tolerance: f64,
    ) -> Result<Self, NumberError> {
        let (bound, tolerance) = (Number::from_f64(bound)?, Number::from_f64(tolerance)?);
        Ok(Self { name, bound, bad_side, tolerance })
    }

    /// Decides about a value; `None` if it is too near to the bound, or no number.
    pub fn decide(&self, value: f64) -> Option<Verdict> {
        let beyond = value - self.bound.as_f64();
        let is_bad = match self.bad_side {
            Side::Above => beyond > 0.0,
            Side::Below => beyond < 0.0,
        };
        let tolerance = self.tolerance.as_f64();
        let is_near = tolerance > 0.0 && beyond.abs() <= tolerance;
        let verdict = if is_bad { Verdict::Bad } else { Verdict::Good };
        (!value.is_nan() && !is_near).then_some(verdict)
    }
}

impl Said {
    fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.set("commit", self.commit);
        object.set("verdict", self.verdict.word());
        object.set_some("reason", self.reason.as_deref());
        object.into()
    }

    fn read(value: &Value) -> Result<Self, FieldError> {
        value.record(|fields| {
            Ok(Self {
                commit: fields.required("commit", Value::id)?,
                verdict: fields.required("verdict", |value| {
                    let word = value.text()?;
                    let known = Verdict::ALL.into_iter().find(|known| known.word() == word);
                    known.ok_or_else(|| FieldError::new("must be bad, good or skip"))
                })?,
                reason: fields.optional("reason", text)?,
            })
        })
    }
}

fn text(value: &Value) -> Result<String, FieldError> {
    value.text().map(str::to_owned)
}
