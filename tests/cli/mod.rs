//! The program as a user meets it: transcripts, streams, and the demo.

mod artifacts;
mod bisect;
mod bisect_history;
mod bisect_inputs;
mod bisect_metric;
mod bisect_run;
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
mod lineage_absent;
mod lineage_bounds;
mod lineage_index;
mod ls;
mod memory;
#[cfg(feature = "parquet")]
mod parquet;
mod profiles;
mod project;
mod repair;
mod reproduce;
mod reproduce_apart;
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
