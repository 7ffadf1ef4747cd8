//! Bytes under `fixtures/format/v1/` decode, and encode back unchanged: formats are for ever.

mod commit;
mod json;
mod object;
