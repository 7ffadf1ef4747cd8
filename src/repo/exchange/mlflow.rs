//! Runs out of the file store of MLflow, as a stream that is never written down.

use std::io::{self, BufRead, Read};
use std::path::PathBuf;

use super::import::{ImportReport, ImportRequest, import};
use super::line::SCHEMA;
use crate::capture::mlflow::MlflowStore;
use crate::object::canonical::Value;
use crate::progress::Progress;
use crate::repo::{Error, Repository};

/// Says what to import.
#[derive(Debug, Clone)]
pub struct MlflowRequest {
    /// The folder `mlruns`.
    pub directory: PathBuf,
    /// What to put before each name of a ref.
    pub prefix: Option<String>,
    /// The command as typed, for the journal.
    pub command: String,
}

/// Tells what was imported, and what was not.
#[derive(Debug, Clone, Default)]
pub struct MlflowReport {
    /// What came in.
    pub imported: ImportReport,
    /// What was left out, and why.
    pub skipped: Vec<String>,
}

/// Imports the runs of a store, each as `runs/NAME-ID`.
///
/// Errors: a folder that is no store; as [`import`]. A run that is here with other values is left
/// alone. Cost: as [`import`]; a run at a time is read.
pub fn import_mlflow(
    repository: &Repository,
    request: &MlflowRequest,
    progress: &Progress,
) -> Result<MlflowReport, Error> {
    let store = MlflowStore::open(&request.directory);
    let store = store.map_err(|error| Error::Usage(error.to_string()))?;
    let mut stream = Stream { store, line: begin(), at: 0 };
    let imported = import(
        repository,
        ImportRequest {
            from: &mut stream,
            files: Some(request.directory.clone()),
            prefix: request.prefix.clone(),
            leaves_moved: true,
            command: request.command.clone(),
        },
        progress,
    )?;
    let mut skipped = stream.store.notes;
    skipped.extend(imported.moved.iter().map(|name| {
        let name = name.strip_prefix("runs/").unwrap_or(name);
        format!(
            "run {name} is left as it was imported: it has changed in MLflow since; \
             --prefix imports it under another name"
        )
    }));
    Ok(MlflowReport { imported, skipped })
}

/// The lines of a store, made as they are read.
struct Stream {
    store: MlflowStore,
    line: Vec<u8>,
    at: usize,
}

fn begin() -> Vec<u8> {
    format!("{{\"schema\":\"{SCHEMA}\"}}\n").into_bytes()
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.line.len() {
            self.at = 0;
            self.line.clear();
            if let Some(line) = self.store.next_line() {
                self.line = Value::from(line).encode();
                self.line.push(b'\n');
            }
        }
        Ok(self.line.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
