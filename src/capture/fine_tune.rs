//! How a base model was adapted, and how large weights are, from the files that say so.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use super::error::CaptureError;
use super::{plain, redact, values};
use crate::format::tensor;
use crate::object::FineTune;
use crate::object::canonical::{Number, Object, Value};

/// Most names of adapted modules.
const MODULES_MAX: usize = 10_000;

/// What the header of a file of weights says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// How many numbers there are in all.
    pub parameters: u64,
    /// How many there are of each type, such as `BF16`.
    pub dtypes: BTreeMap<String, u64>,
}

/// Reads `adapter_config.json` as PEFT writes it.
///
/// Shape: fields that are absent, or are not what they should be, stay unknown.
/// Errors: a file that cannot be read, or is no JSON object.
/// Source: huggingface/peft, `src/peft/tuners/*/config.py`.
pub fn read_adapter(path: &Path) -> Result<FineTune, CaptureError> {
    let bytes = values::read_bounded(path)?;
    let refuse = |reason: String| CaptureError::Values { path: path.to_path_buf(), reason };
    match values::parse_document(&bytes, values::ValuesFormat::Json).map_err(refuse)? {
        Value::Object(config) => Ok(fine_tune(&config)),
        _ => Err(refuse("an adapter's configuration must be an object".to_owned())),
    }
}

/// Reads no more of a safetensors file than its header.
///
/// Errors: a file that cannot be read, or is no safetensors file.
pub fn read_weights(path: &Path) -> Result<Weights, CaptureError> {
    let unreadable = |source| CaptureError::Read { path: path.to_path_buf(), source };
    let refuse = |reason: String| CaptureError::Values { path: path.to_path_buf(), reason };
    let mut file = plain::open(path).map_err(unreadable)?;
    let file_bytes = file.metadata().map_err(unreadable)?.len();
    let mut header = Vec::new();
    let length_bytes = tensor::LENGTH_BYTES as u64;
    file.by_ref().take(length_bytes).read_to_end(&mut header).map_err(unreadable)?;
    let Some(header_bytes) = tensor::header_bytes(&header, file_bytes) else {
        return Err(refuse("this is no safetensors file".to_owned()));
    };
    file.take(header_bytes - length_bytes).read_to_end(&mut header).map_err(unreadable)?;
    let dtypes = tensor::count_numbers(&header, file_bytes);
    let dtypes = dtypes.map_err(|error| refuse(error.to_string()))?;
    let sum = dtypes.values().try_fold(0_u64, |sum, count| sum.checked_add(*count));
    let parameters = sum.ok_or_else(|| refuse("more numbers than can be counted".to_owned()))?;
    Ok(Weights { parameters, dtypes })
}

fn fine_tune(config: &Object) -> FineTune {
    let text = |name: &str| match config.find(name) {
        Some(Value::Text(text)) => line(text),
        _ => None,
    };
    let number = |names: &[&str]| {
        names.iter().find_map(|name| match config.find(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        })
    };
    let is = |name: &str| config.find(name) == Some(&Value::Bool(true));
    let method = text("peft_type").map(|kind| kind.to_ascii_lowercase());
    let method = if is("use_dora") { Some("dora".to_owned()) } else { method };
    let is_probability = |number: &Number| (0.0..=1.0).contains(&number.as_f64());
    FineTune {
        base: text("base_model_name_or_path"),
        method,
        rank: number(&["r", "target_r", "num_virtual_tokens"]).and_then(Number::as_u64),
        alpha: number(&["lora_alpha", "alpha"]),
        target_modules: config.find("target_modules").and_then(modules),
        dropout: number(&["lora_dropout", "rank_dropout"]).filter(is_probability),
    }
}

/// Takes a list of names, or one expression for many.
fn modules(value: &Value) -> Option<Vec<String>> {
    let mut names: Vec<String> = match value {
        Value::Text(expression) => vec![line(expression)?],
        Value::List(items) => {
            let name = |item: &Value| match item {
                Value::Text(name) => line(name),
                _ => None,
            };
            items.iter().take(MODULES_MAX).map(name).collect::<Option<_>>()?
        }
        _ => return None,
    };
    names.sort();
    names.dedup();
    Some(names)
}

/// Takes a text that may stand in a record.
fn line(text: &str) -> Option<String> {
    let clean = redact::text(text);
    let fits = !clean.is_empty() && clean.len() <= crate::object::LINE_BYTES_MAX;
    (fits && !clean.bytes().any(|byte| byte.is_ascii_control())).then(|| clean.into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn adapter(json: &str) -> Result<FineTune, CaptureError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().write_all(json.as_bytes()).unwrap();
        read_adapter(file.path())
    }

    #[test]
    fn an_adapter_says_what_it_adapts() {
        let found = adapter(
            r#"{"base_model_name_or_path":"meta-llama/Llama-3.1-8B","peft_type":"LORA","r":16,
            "lora_alpha":32,"lora_dropout":0.05,"target_modules":["v_proj","q_proj","q_proj"],
            "use_dora":false,"bias":"none","layers_to_transform":null}"#,
        );
        let number = |value| Number::from_f64(value).ok();
        let expected = FineTune {
            base: Some("meta-llama/Llama-3.1-8B".to_owned()),
            method: Some("lora".to_owned()),
            rank: Some(16),
            alpha: number(32.0),
            target_modules: Some(vec!["q_proj".to_owned(), "v_proj".to_owned()]),
            dropout: number(0.05),
        };
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn what_an_adapter_does_not_say_stays_unknown() {
        let odd = r#"{"r":-1,"lora_alpha":"x","lora_dropout":2,"target_modules":[1],
            "base_model_name_or_path":null,"peft_type":"PREFIX_TUNING","num_virtual_tokens":20}"#;
        let method = Some("prefix_tuning".to_owned());
        assert_eq!(adapter(odd).unwrap(), FineTune { method, ..FineTune::default() });
        let all = r#"{"target_modules":"all-linear","use_dora":true,"peft_type":"LORA"}"#;
        let found = adapter(all).unwrap();
        assert_eq!(found.target_modules, Some(vec!["all-linear".to_owned()]));
        assert_eq!(found.method.as_deref(), Some("dora"));
        assert!(adapter("[]").is_err() && adapter("{").is_err());
    }

    #[test]
    fn weights_are_counted_from_their_header() {
        let json = r#"{"a":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}"#;
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [&(json.len() as u64).to_le_bytes(), json.as_bytes(), &[0; 8]].concat();
        file.as_file().write_all(&bytes).unwrap();
        let found = read_weights(file.path()).unwrap();
        assert_eq!((found.parameters, found.dtypes.get("F16")), (4, Some(&4)));
        file.as_file().set_len(bytes.len() as u64 - 1).unwrap();
        assert!(matches!(read_weights(file.path()), Err(CaptureError::Values { .. })));
        assert!(matches!(read_weights(Path::new("/none")), Err(CaptureError::Read { .. })));
    }
}
