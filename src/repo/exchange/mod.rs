//! History as a stream of JSON Lines: out of a repository, and into one.
//!
//! The stream is specified in `docs/format/exchange.md`. Other people's formats become such
//! lines before they come here.

mod base64;
mod content;
mod describe;
mod dvc;
mod dvc_contents;
mod dvc_records;
mod export;
mod export_lines;
mod files;
mod import;
mod labels;
mod line;
mod lines;
mod mlflow;
mod naming;
mod nodes;
mod order;

pub use dvc::{DvcReport, DvcRequest, import_dvc};
pub use export::{ExportReport, ExportRequest, export};
pub use import::{ImportReport, ImportRequest, import};
pub use mlflow::{MlflowReport, MlflowRequest, import_mlflow};
