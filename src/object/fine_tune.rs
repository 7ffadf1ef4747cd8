//! How a base model was adapted.

use super::canonical::{FieldError, Fields, Number, Object, Value};
use super::commit::filled_line;

/// The settings of an adaptation, as adapter configurations name them.
///
/// Source: `docs/format/commit.md`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FineTune {
    /// The base model: the name of an artifact, or of a published model.
    pub base: Option<String>,
    /// `lora`, `qlora`, `full` or any other word.
    pub method: Option<String>,
    /// Rank of the update matrices.
    pub rank: Option<u64>,
    /// Scale of the update.
    pub alpha: Option<Number>,
    /// Modules that were adapted, strictly ascending.
    pub target_modules: Option<Vec<String>>,
    /// Probability that an input of the update was dropped, from 0 to 1.
    pub dropout: Option<Number>,
}

impl FineTune {
    /// Reads the object `fine_tune`.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            base: fields.optional("base", filled_line)?,
            method: fields.optional("method", filled_line)?,
            rank: fields.optional("rank", Value::counted)?,
            alpha: fields.optional("alpha", Value::number)?,
            target_modules: fields.optional("target_modules", modules)?,
            dropout: fields.optional("dropout", probability)?,
        })
    }

    /// Gives the object `fine_tune`.
    pub(super) fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set_some("base", self.base.as_deref());
        object.set_some("method", self.method.as_deref());
        object.set_some("rank", self.rank.map(Value::count).transpose()?);
        object.set_some("alpha", self.alpha);
        let modules = self.target_modules.as_ref();
        object.set_some("target_modules", modules.map(|names| Value::list(names.clone())));
        object.set_some("dropout", self.dropout);
        Ok(object.into())
    }
}

fn modules(value: &Value) -> Result<Vec<String>, FieldError> {
    let names = value.items(filled_line)?;
    super::commit::ascending(&names, String::as_str)?;
    Ok(names)
}

fn probability(value: &Value) -> Result<Number, FieldError> {
    let number = value.number()?;
    if !(0.0..=1.0).contains(&number.as_f64()) {
        return Err(FieldError::new("must be from 0 to 1"));
    }
    Ok(number)
}
