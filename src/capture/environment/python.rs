//! Which interpreter a command means, and which Python it is, without starting it.

use std::path::{Path, PathBuf};

use super::EnvironmentRequest;
use super::packages::{Package, Packages};
use super::search::{self, Variables};
use crate::listing;
use crate::object::canonical::Object;

/// Most steps from a word to an interpreter: links, `#!` lines, shims.
const STEPS_MAX: usize = 16;
/// Programs that run what their arguments name, and the sub-command that says so.
const RUNNERS: &[(&str, &str)] =
    &[("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("pipenv", "run"), ("rye", "run")];
/// Words that only set the stage for the program after them.
const PREFIXES: &[&str] = &["env", "nice", "time", "nohup", "stdbuf", "exec", "command"];
/// Interpreters of other languages, by the beginning of their name.
const LANGUAGES: &[(&str, &str)] = &[
    ("python", "python"),
    ("pypy", "python"),
    ("Rscript", "r"),
    ("julia", "julia"),
    ("node", "javascript"),
    ("bash", "shell"),
    ("dash", "shell"),
    ("zsh", "shell"),
    ("sh", "shell"),
    ("perl", "perl"),
    ("ruby", "ruby"),
    ("lua", "lua"),
];

/// An interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Interpreter {
    language: &'static str,
    /// As it was found, before links are followed.
    path: PathBuf,
    version: Option<String>,
    implementation: Option<&'static str>,
    /// The virtual environment, or the installation.
    prefix: Option<PathBuf>,
    /// Directories of packages, those that come first in Python's path first.
    folders: Vec<PathBuf>,
}

/// Finds the interpreter of a command.
pub(super) fn find(request: &EnvironmentRequest<'_>) -> Option<Interpreter> {
    let path = interpreter_of(request)?;
    let name = path.file_name()?.to_str()?;
    let known = LANGUAGES.iter().find(|(start, _)| name.starts_with(start));
    let (_, language) = known?;
    match *language {
        "python" => Some(describe(path, request.variables)),
        language => Some(Interpreter { language, path, ..Interpreter::default() }),
    }
}

impl Interpreter {
    /// Gives its entry in the document.
    pub(super) fn to_object(&self) -> Object {
        let path = |path: &Path| path.to_str().and_then(super::line);
        let mut object = Object::new();
        object.set("language", self.language);
        object.set_some("path", path(&self.path));
        object.set_some("version", self.version.as_deref().and_then(super::line));
        object.set_some("implementation", self.implementation);
        object.set_some("prefix", self.prefix.as_deref().and_then(path));
        object
    }

    /// Lists what is installed for it.
    pub(super) fn packages(&self, notes: &mut Vec<String>) -> Vec<Package> {
        let mut packages = Packages::default();
        for folder in &self.folders {
            packages.add_python(folder, notes);
        }
        if let Some(prefix) = &self.prefix {
            packages.add_conda(prefix);
        }
        packages.finish()
    }
}

/// Follows the command's program to an interpreter.
fn interpreter_of(request: &EnvironmentRequest<'_>) -> Option<PathBuf> {
    let mut words = request.command.iter().map(String::as_str).peekable();
    let is_setting = |word: &str| word.contains('=') && !word.starts_with('/');
    while words.next_if(|word| PREFIXES.contains(word) || is_setting(word)).is_some() {
        while words.next_if(|word| word.starts_with('-')).is_some() {}
    }
    let program = words.next()?;
    let name = program.rsplit('/').next().unwrap_or_default();
    let sub = words.peek().copied();
    if RUNNERS.iter().any(|(runner, run)| *runner == name && sub == Some(*run)) {
        return managed(request);
    }
    let path = search::program(program, request.directory, request.variables)?;
    let found = follow(path, request)?;
    // What a shell script starts cannot be known; an active environment is a strong sign.
    let is_shell = ["sh", "bash", "dash", "zsh", "make"].contains(&found.file_name()?.to_str()?);
    if is_shell { active(request.variables).or(Some(found)) } else { Some(found) }
}

/// Finds the environment of a project that `uv run` and its like use.
fn managed(request: &EnvironmentRequest<'_>) -> Option<PathBuf> {
    let named = request.variables.find("UV_PROJECT_ENVIRONMENT").map(|dir| request.root.join(dir));
    let folders = request.directory.ancestors().map(|folder| folder.join(".venv"));
    named
        .into_iter()
        .chain(folders.take(STEPS_MAX))
        .map(|folder| folder.join("bin/python"))
        .find(|path| path.exists())
        .or_else(|| active(request.variables))
}

fn active(variables: &Variables) -> Option<PathBuf> {
    let prefix = variables.find("VIRTUAL_ENV").or_else(|| variables.find("CONDA_PREFIX"))?;
    Some(Path::new(prefix).join("bin/python")).filter(|path| path.exists())
}

/// Follows `#!` lines and pyenv's shims to a program that is none.
fn follow(mut path: PathBuf, request: &EnvironmentRequest<'_>) -> Option<PathBuf> {
    for _ in 0..STEPS_MAX {
        if let Some(real) = behind_shim(&path, request) {
            path = real;
            continue;
        }
        let head = search::read_bytes(&path, 512)?;
        let Some(rest) = head.strip_prefix(b"#!") else { return Some(path) };
        let text = String::from_utf8_lossy(rest);
        let mut lines = text.lines();
        let mut words = lines.next()?.split_whitespace();
        let interpreter = words.next()?;
        // Installers write this where the path is too long for a `#!` line.
        let trampoline = lines.next().and_then(|line| line.strip_prefix("'''exec' "));
        path = match trampoline {
            Some(line) => PathBuf::from(line.trim_start_matches('"').split(['"', ' ']).next()?),
            None if interpreter.ends_with("/env") => {
                let name = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
                search::program(name, request.directory, request.variables)?
            }
            None => PathBuf::from(interpreter),
        };
    }
    None
}

/// Finds what a shim of pyenv would start.
fn behind_shim(path: &Path, request: &EnvironmentRequest<'_>) -> Option<PathBuf> {
    let folder = path.parent()?;
    let root = folder.parent()?;
    let is_shim = folder.ends_with("shims") && root.join("versions").is_dir();
    let name = path.file_name().filter(|_| is_shim)?;
    let files = request.directory.ancestors().map(|folder| folder.join(".python-version"));
    let chosen = request
        .variables
        .find("PYENV_VERSION")
        .map(str::to_owned)
        .or_else(|| files.into_iter().find_map(|file| search::read(&file)))
        .or_else(|| search::read(&root.join("version")))?;
    let mut versions = chosen.split([':', '\n', ' ']).filter(|version| !version.is_empty());
    versions.find_map(|version| {
        let real = root.join("versions").join(version).join("bin").join(name);
        real.exists().then_some(real)
    })
}

fn describe(path: PathBuf, variables: &Variables) -> Interpreter {
    let mut found = Interpreter { language: "python", ..Interpreter::default() };
    let own = path.parent().and_then(Path::parent).map(Path::to_path_buf);
    let environment = own.filter(|prefix| prefix.join("pyvenv.cfg").is_file());
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    let installed = real.parent().and_then(Path::parent).map(Path::to_path_buf);
    let name = real.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_pypy = name.starts_with("pypy");
    let minor = minor_version(name, installed.as_deref(), is_pypy);
    found.implementation = if is_pypy { Some("PyPy") } else { minor.as_ref().map(|_| "CPython") };
    let settings = environment.as_ref().and_then(|prefix| search::read(&prefix.join("pyvenv.cfg")));
    let setting = |name: &str| settings.as_deref().and_then(|content| setting(content, name));
    let full = setting("version_info").or_else(|| setting("version")).map(|text| three(&text));
    found.version = full
        .or_else(|| installed.as_deref().and_then(|prefix| full_version(prefix, minor.as_deref()?)))
        .or_else(|| minor.clone());
    let sees_installed = setting("include-system-site-packages").is_none_or(|word| word == "true");
    let lib = minor.map(|minor| format!("{}{minor}", if is_pypy { "pypy" } else { "python" }));
    let add = |prefix: &Path, folders: &mut Vec<PathBuf>| {
        for (place, end) in [("lib", "site"), ("lib64", "site"), ("local/lib", "dist")] {
            if let Some(lib) = &lib {
                folders.push(prefix.join(place).join(lib).join(format!("{end}-packages")));
            }
        }
        folders.push(prefix.join("lib/python3/dist-packages"));
    };
    if let Some(prefix) = &environment {
        add(prefix, &mut found.folders);
    }
    if environment.is_none() || sees_installed {
        let user = variables.find("HOME").filter(|_| variables.find("PYTHONNOUSERSITE").is_none());
        if let (Some(home), Some(lib)) = (user, &lib) {
            found.folders.push(Path::new(home).join(".local/lib").join(lib).join("site-packages"));
        }
        installed.iter().for_each(|prefix| add(prefix, &mut found.folders));
    }
    // `lib64` is a link to `lib` as often as not.
    let mut seen = Vec::new();
    found.folders.retain(|folder| match folder.canonicalize() {
        Ok(real) if !seen.contains(&real) => {
            seen.push(real);
            true
        }
        _ => false,
    });
    found.prefix = environment.or(installed);
    found.path = path;
    found
}

/// Finds `3.11` in the name of the program, else in the only library of its installation.
fn minor_version(name: &str, prefix: Option<&Path>, is_pypy: bool) -> Option<String> {
    let stem = if is_pypy { "pypy" } else { "python" };
    let is_minor = |text: &str| {
        text.split_once('.').is_some_and(|(major, minor)| {
            let is_number =
                |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            is_number(major) && is_number(minor)
        })
    };
    let in_name = name.strip_prefix(stem).filter(|rest| is_minor(rest)).map(str::to_owned);
    in_name.or_else(|| {
        let entries = listing::entries(&prefix?.join("lib")).ok()?.flatten();
        let names = entries.filter_map(|entry| entry.name.into_string().ok());
        let minor = |name: String| name.strip_prefix(stem).map(str::to_owned);
        let mut found = names.filter_map(minor).filter(|rest| is_minor(rest));
        let only = found.next()?;
        found.next().is_none().then_some(only)
    })
}

/// Finds the whole version of an installation: in its header, its folder's name or conda's list.
fn full_version(prefix: &Path, minor: &str) -> Option<String> {
    let header = prefix.join(format!("include/python{minor}/patchlevel.h"));
    let defined = search::read(&header).and_then(|content| {
        let line = content.lines().find(|line| line.starts_with("#define PY_VERSION "))?;
        line.split('"').nth(1).map(str::to_owned)
    });
    let is_of_minor =
        |version: &str| version.strip_prefix(minor).is_some_and(|rest| rest.starts_with('.'));
    let folder =
        || prefix.file_name()?.to_str().filter(|name| is_of_minor(name)).map(str::to_owned);
    let conda = || {
        let entries = listing::entries(&prefix.join("conda-meta")).ok()?.flatten();
        let mut names = entries.filter_map(|entry| entry.name.into_string().ok());
        names.find_map(|name| {
            let version = name.strip_prefix("python-")?.split('-').next()?.to_owned();
            is_of_minor(&version).then_some(version)
        })
    };
    defined.or_else(folder).or_else(conda)
}

/// Finds `name = value` among lines.
fn setting(content: &str, name: &str) -> Option<String> {
    let mut pairs = content.lines().filter_map(|line| line.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Shortens `3.11.7.final.0` to `3.11.7`.
fn three(version: &str) -> String {
    version.split('.').take(3).collect::<Vec<_>>().join(".")
}
