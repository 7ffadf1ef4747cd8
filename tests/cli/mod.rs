//! The program as a user meets it: transcripts, streams, and the demo.

mod diff;
mod ls;
mod project;
mod streams;
mod transcripts;
