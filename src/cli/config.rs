//! `config get|set|unset|list`: settings of the repository over those of the user.

use std::io::Write as _;

use super::{Context, Exit, Outcome, escape};
use crate::repo::{self, ConfigRequest, Origin, Setting};

/// Read and change settings
///
/// The environment is over the repository's settings, and those are over the user's
/// ($XDG_CONFIG_HOME/provenance/config.toml). A key that nothing reads is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  provenance config set --user user.name \"Ada Lovelace\"
  provenance config set --user user.email ada@example.org
  provenance config get user.email
  provenance config list         # every setting, and where it comes from")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the value of a key; exit code 1 if it is not set
    Get {
        /// For example user.name
        key: String,
    },
    /// Set a key
    Set {
        /// For example user.name
        key: String,
        /// What it shall be
        value: String,
        /// For all repositories of this user
        #[arg(long)]
        user: bool,
    },
    /// Forget a key
    Unset {
        /// For example user.name
        key: String,
        /// In the settings of this user
        #[arg(long)]
        user: bool,
    },
    /// List what is set, and where
    List,
}

/// Answers.
pub fn run(args: &Args, context: &Context) -> Outcome {
    match &args.action {
        Action::Get { key } => get(key, context),
        Action::Set { key, value, user } => change(key, Some(value), *user, context),
        Action::Unset { key, user } => change(key, None, *user, context),
        Action::List => list(context),
    }
}

fn get(name: &str, context: &Context) -> Outcome {
    let Some(setting) = repo::config_get(&context.directory()?, name)? else {
        return Ok(Exit::No);
    };
    context.print(|out| {
        if context.global.json {
            return Ok(out.json(&json(&setting))?);
        }
        Ok(writeln!(out, "{}", escape::line(&setting.value))?)
    })
}

fn list(context: &Context) -> Outcome {
    let settings = repo::config_list(&context.directory()?)?;
    context.print(|out| {
        for setting in &settings {
            if context.global.json {
                out.json(&json(setting))?;
            } else {
                let value = escape::line(&setting.value);
                let from = out.paint.faint(format_args!("({})", origin(setting.origin)));
                writeln!(out, "{} = {value}  {from}", setting.name)?;
            }
        }
        Ok(())
    })
}

fn change(name: &str, value: Option<&str>, is_for_user: bool, context: &Context) -> Outcome {
    let request = ConfigRequest {
        start: context.directory()?,
        name: name.to_owned(),
        value: value.map(str::to_owned),
        is_for_user,
    };
    let report = context.watch(|progress| repo::config_change(&request, progress))?;
    Ok(if report.is_changed { Exit::Ok } else { Exit::No })
}

fn json(setting: &Setting) -> serde_json::Value {
    serde_json::json!({
        "name": setting.name, "value": setting.value, "origin": origin(setting.origin),
    })
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::User => "user",
        Origin::Repository => "repository",
        Origin::Environment => "environment",
    }
}
