//! The program as a user meets it: transcripts, streams, and the demo.

mod bisect;
mod bisect_inputs;
mod bombs;
mod bounds;
mod broken_repository;
mod demo;
mod diff;
mod examples;
mod exchange;

mod history;
mod hostile_files;
mod json;
mod limits;
mod lineage;
mod lineage_index;
mod ls;
mod memory;
mod profiles;
mod project;
mod repair;
mod reproduce;
mod rollback;
mod run;
mod run_capture;
mod runs_index;
mod source;
mod splits;
mod streams;
mod tables;
mod told_pages;
mod trace;
mod trace_processes;
mod trackers;
mod transcripts;
mod words;
