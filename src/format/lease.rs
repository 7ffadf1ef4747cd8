//! What a writer says that runs for long: who it is, and since when it relies on what is stored.
//!
//! Specified in `docs/format/lease.md`. When leases are written, and what they protect from, is in
//! `store/lease.rs`; whether a process still lives is asked in `capture/holder.rs`.

use crate::object::canonical::{FieldError, Object, Value, decode_record};
use crate::object::{DecodeError, Timestamp};

/// Longest lease in bytes.
pub const LEASE_BYTES_MAX: usize = 4096;

const WHAT: &str = "lease";
const SCHEMA: &str = "provenance/lease/v1";

/// Longest name in a lease, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Names one process, on one machine, since that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Name of the machine, for people.
    pub host: String,
    /// What tells this start of this machine from all others.
    pub boot: String,
    /// What tells apart processes of one number, where containers number their own.
    pub namespace: String,
    /// Number of the process.
    pub process: u64,
    /// When the process began, in ticks since the machine was started.
    pub started: u64,
}

/// One lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who holds it.
    pub holder: Holder,
    /// It relies on everything that no list of candidates named at this time, by the store's
    /// clock.
    pub since: Timestamp,
}

impl Lease {
    /// Spells the lease.
    ///
    /// Errors: a value that the format refuses, in the words of the decoder.
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let refused = |error: FieldError| DecodeError::new(WHAT, 0, error.to_string());
        let bytes = self.to_value().map_err(refused)?.encode();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    fn to_value(&self) -> Result<Value, FieldError> {
        let mut object = Object::new();
        object.set("schema", SCHEMA);
        object.set("host", self.holder.host.as_str());
        object.set("boot", self.holder.boot.as_str());
        object.set("namespace", self.holder.namespace.as_str());
        object.set("process", Value::count(self.holder.process)?);
        object.set("started", Value::count(self.holder.started)?);
        object.set("since", Value::from_instant(self.since)?);
        Ok(object.into())
    }

    /// Reads a lease, strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        decode_record(bytes, WHAT, LEASE_BYTES_MAX, |fields| {
            fields.schema(SCHEMA)?;
            Ok(Self {
                holder: Holder {
                    host: fields.required("host", name)?,
                    boot: fields.required("boot", name)?,
                    namespace: fields.required("namespace", name)?,
                    process: fields.required("process", Value::counted)?,
                    started: fields.required("started", Value::counted)?,
                },
                since: fields.required("since", Value::instant)?,
            })
        })
    }
}

fn name(value: &Value) -> Result<String, FieldError> {
    value.line(NAME_BYTES_MAX)
}
