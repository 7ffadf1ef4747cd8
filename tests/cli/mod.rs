//! The program as a user meets it: transcripts, streams, and the demo.

mod bisect;
mod bombs;
mod bounds;
mod broken_repository;
mod demo;
mod diff;
mod examples;
mod first_day;
mod history;
mod hostile_files;
mod json;
mod limits;
mod lineage;
mod ls;
mod memory;
mod project;
mod repair;
mod rollback;
mod run;
mod run_capture;
mod streams;
mod trace;
mod trace_processes;
mod transcripts;
mod words;
