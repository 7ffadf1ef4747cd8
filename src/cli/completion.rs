//! `completion SHELL`: the completions of a shell, from the same definition as the help.

use std::io::Write as _;

use super::args::definition;
use super::{Context, Outcome};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance completion bash > ~/.local/share/bash-completion/completions/provenance
  provenance completion zsh > ~/.zfunc/_provenance
  provenance completion fish > ~/.config/fish/completions/provenance.fish")]
pub struct Args {
    /// The shell: bash, elvish, fish, powershell or zsh
    #[arg(value_enum, hide_possible_values = true)]
    shell: clap_complete::Shell,
}

/// Prints them.
pub fn run(args: &Args, context: &Context) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "provenance", &mut script);
    context.print(|out| Ok(out.write_all(&script)?))
}
