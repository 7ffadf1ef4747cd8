//! The one test binary; a folder is a theme. `tidy` sees to it that no file is forgotten here.

mod cli;
mod crash;
mod golden;
mod malformed;
mod model;
mod operations;
mod properties;
mod reader;
mod seams;
mod simulation;
mod support;
mod tidy;
