//! Sequences of commands against a plain model of version control: whatever is staged, recorded,
//! checked out, undone and collected, the repository and the model agree after every command.

mod sequences;
mod state;
mod steps;
