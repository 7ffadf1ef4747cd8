//! The program as a user meets it: transcripts, streams, and the demo.

mod demo;
mod diff;
mod history;
mod hostile_files;
mod json;
mod ls;
mod project;
mod streams;
mod transcripts;
