//! Bytes under `fixtures/malformed/`, one defect each, give an error that names it.

mod commit;
mod journal;
mod json;
mod object;
mod stage;
