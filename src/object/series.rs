//! All values of one metric, step by step: the attachment that a series in a record names.

use super::canonical::{FieldError, Fields, Number, Object, Value, decode_record};
use super::{DecodeError, Reading};

/// Most bytes of an encoded series.
///
/// Source: `docs/format/series.md`.
pub const SERIES_BYTES_MAX: usize = 1 << 30;
const WHAT: &str = "series";
const SCHEMA: &str = "provenance/series/v1";

/// The values of a metric in the order in which they were reported.
///
/// Source: `docs/format/series.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesValues {
    /// The step of each value; empty where no value came with one.
    pub steps: Vec<Option<Number>>,
    /// The values, at least one.
    pub values: Vec<Reading>,
}

impl SeriesValues {
    /// Gives the canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        if self.steps.iter().any(Option::is_some) {
            let steps = self.steps.iter().map(|step| step.map_or(Value::Null, Value::Number));
            object.set("steps", Value::list(steps));
        }
        object.set("values", Value::list(self.values.iter().map(Reading::to_value)));
        Value::from(object).encode()
    }

    /// Reads the canonical bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, SERIES_BYTES_MAX, Self::read)
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        fields.schema(SCHEMA)?;
        let step = |value: &Value| match value {
            Value::Null => Ok(None),
            step => step.number().map(Some),
        };
        let steps = fields.optional("steps", |value| value.items(step))?;
        let values = fields.required("values", |value| match value.items(Reading::read)? {
            values if values.is_empty() => Err(FieldError::new("must not be empty")),
            values => Ok(values),
        })?;
        if let Some(steps) = &steps {
            if steps.len() != values.len() {
                return Err(FieldError::new("must be as many as values").under("steps"));
            }
            if steps.iter().all(Option::is_none) {
                return Err(FieldError::new("must hold a number").under("steps"));
            }
        }
        Ok(Self { steps: steps.unwrap_or_default(), values })
    }
}
