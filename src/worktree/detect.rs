//! What a file is, by its name; what a directory is, by what is immediately in it.
//!
//! A guess for what `provenance.toml` does not declare; never more than names are looked at.

use crate::object::ArtifactKind;

/// Names that are what they are whatever their extension says.
const NAMES: &[(&str, ArtifactKind)] = &[
    ("adapter_config.json", ArtifactKind::Adapter),
    ("adapter_model.bin", ArtifactKind::Adapter),
    ("adapter_model.safetensors", ArtifactKind::Adapter),
    ("pytorch_model.bin.index.json", ArtifactKind::Model),
    ("model.safetensors.index.json", ArtifactKind::Model),
    ("all_results.json", ArtifactKind::Metrics),
    ("eval_results.json", ArtifactKind::Metrics),
    ("metrics.csv", ArtifactKind::Metrics),
    ("metrics.json", ArtifactKind::Metrics),
    ("metrics.jsonl", ArtifactKind::Metrics),
    ("results.json", ArtifactKind::Metrics),
    ("train_results.json", ArtifactKind::Metrics),
    ("trainer_state.json", ArtifactKind::Metrics),
    ("cargo.lock", ArtifactKind::Environment),
    ("conda-lock.yml", ArtifactKind::Environment),
    ("conda.yaml", ArtifactKind::Environment),
    ("containerfile", ArtifactKind::Environment),
    ("dockerfile", ArtifactKind::Environment),
    ("environment.yaml", ArtifactKind::Environment),
    ("environment.yml", ArtifactKind::Environment),
    ("package-lock.json", ArtifactKind::Environment),
    ("pipfile", ArtifactKind::Environment),
    ("pipfile.lock", ArtifactKind::Environment),
    ("pixi.lock", ArtifactKind::Environment),
    ("poetry.lock", ArtifactKind::Environment),
    ("pyproject.toml", ArtifactKind::Environment),
    ("renv.lock", ArtifactKind::Environment),
    ("uv.lock", ArtifactKind::Environment),
    ("makefile", ArtifactKind::Script),
    ("snakefile", ArtifactKind::Script),
];

/// Extensions, in lower case.
const EXTENSIONS: &[(ArtifactKind, &[&str])] = &[
    (
        ArtifactKind::Model,
        &[
            "bin",
            "ckpt",
            "gguf",
            "ggml",
            "h5",
            "keras",
            "mlmodel",
            "onnx",
            "pb",
            "pt",
            "pth",
            "safetensors",
            "tflite",
        ],
    ),
    (
        ArtifactKind::Dataset,
        &[
            "csv", "tsv", "parquet", "jsonl", "ndjson", "arrow", "feather", "avro", "orc", "npy",
            "npz", "hdf5", "tfrecord", "sqlite", "xlsx", "jpg", "jpeg", "png", "webp", "tif",
            "tiff", "bmp", "gif", "wav", "flac", "mp3", "ogg", "opus", "mp4", "mkv", "webm",
        ],
    ),
    (
        ArtifactKind::Script,
        &[
            "py", "ipynb", "sh", "bash", "r", "rmd", "jl", "rs", "c", "cc", "cpp", "cu", "h",
            "hpp", "go", "java", "js", "ts", "lua", "pl", "sql", "scala",
        ],
    ),
    (
        ArtifactKind::Config,
        &["yaml", "yml", "toml", "json", "ini", "cfg", "conf", "env", "properties"],
    ),
    (ArtifactKind::Log, &["log", "out", "err"]),
];

/// Extensions under which the one before says what it is.
const COMPRESSED: &[&str] = &["gz", "zst", "xz", "bz2"];

/// Names of directories whose own files say nothing.
const DIRECTORIES: &[(ArtifactKind, &[&str])] = &[
    (ArtifactKind::Dataset, &["data", "dataset", "datasets", "corpus", "images", "audio"]),
    (ArtifactKind::Script, &["src", "scripts", "notebooks", "code"]),
    (ArtifactKind::Config, &["config", "configs", "conf"]),
    (ArtifactKind::Model, &["model", "models", "weights", "checkpoint", "checkpoints"]),
    (ArtifactKind::Adapter, &["adapter", "adapters", "lora"]),
    (ArtifactKind::Metrics, &["metrics", "results"]),
    (ArtifactKind::Log, &["log", "logs"]),
];

/// Guesses what a file is.
pub fn file_kind(name: &[u8]) -> ArtifactKind {
    let Ok(name) = std::str::from_utf8(name) else { return ArtifactKind::Other };
    let name = name.to_lowercase();
    if let Some((_, kind)) = NAMES.iter().find(|(known, _)| *known == name) {
        return *kind;
    }
    if name.starts_with("requirements") && name.ends_with(".txt") {
        return ArtifactKind::Environment;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else { return ArtifactKind::Other };
    if COMPRESSED.contains(&extension) && stem.contains('.') {
        return file_kind(stem.as_bytes());
    }
    let known = EXTENSIONS.iter().find(|(_, extensions)| extensions.contains(&extension));
    known.map_or(ArtifactKind::Other, |(kind, _)| *kind)
}

/// Guesses what a directory is, from the names of files in it and, if those say nothing, its own.
pub fn directory_kind<'n>(name: &[u8], files: impl IntoIterator<Item = &'n [u8]>) -> ArtifactKind {
    let mut counts = [0_usize; ArtifactKind::ALL.len()];
    for file in files {
        let kind = file_kind(file);
        let at = ArtifactKind::ALL.iter().position(|other| *other == kind);
        if let Some(count) = at.and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    let counted = || ArtifactKind::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0);
    // Weights lie among settings and vocabularies; one file of weights makes the directory.
    for decisive in [ArtifactKind::Adapter, ArtifactKind::Model] {
        if counted().any(|(kind, _)| kind == decisive) {
            return decisive;
        }
    }
    let known = counted().filter(|(kind, _)| *kind != ArtifactKind::Other);
    // Of two that are as frequent, the first in the order of the format page.
    let most = known.rev().max_by_key(|(_, count)| *count);
    most.map_or_else(|| named_directory(name), |(kind, _)| kind)
}

fn named_directory(name: &[u8]) -> ArtifactKind {
    let name = String::from_utf8_lossy(name).to_lowercase();
    let known = DIRECTORIES.iter().find(|(_, names)| names.contains(&name.as_str()));
    known.map_or(ArtifactKind::Other, |(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let cases = [
            (ArtifactKind::Model, "model-00001-of-00002.safetensors pytorch_model.bin a.PT x.gguf"),
            (ArtifactKind::Adapter, "adapter_config.json adapter_model.safetensors"),
            (ArtifactKind::Dataset, "a.csv a.csv.gz b.parquet c.jsonl.zst d.JPG e.wav"),
            (ArtifactKind::Script, "train.py x.ipynb run.sh fit.R Makefile"),
            (ArtifactKind::Config, "config.yaml params.toml config.json x.ini .env"),
            (ArtifactKind::Metrics, "metrics.json eval_results.json"),
            (ArtifactKind::Environment, "requirements.txt requirements-dev.txt uv.lock Dockerfile"),
            (ArtifactKind::Log, "train.log"),
            (ArtifactKind::Other, "README.md LICENSE .gitignore x. . archive.gz requirements"),
        ];
        for (kind, names) in cases {
            for name in names.split(' ') {
                assert_eq!(file_kind(name.as_bytes()), kind, "{name}");
            }
        }
        assert_eq!(file_kind(b"\xff.csv"), ArtifactKind::Other);
    }

    #[test]
    fn directories_are_known_by_what_is_in_them_then_by_their_names() {
        let kind = |name: &str, files: &str| {
            directory_kind(name.as_bytes(), files.split_whitespace().map(str::as_bytes))
        };
        let downloaded = "README.md config.json model.safetensors tokenizer.json vocab.txt";
        assert_eq!(kind("all-MiniLM", downloaded), ArtifactKind::Model);
        assert_eq!(kind("x", "adapter_config.json model.safetensors"), ArtifactKind::Adapter);
        assert_eq!(kind("x", "a.csv b.csv notes.md prepare.py"), ArtifactKind::Dataset);
        assert_eq!(kind("x", "a.csv b.py"), ArtifactKind::Dataset);
        assert_eq!(kind("src", "main.py util.py x.json"), ArtifactKind::Script);
        assert_eq!(kind("data", ""), ArtifactKind::Dataset);
        assert_eq!(kind("Logs", "one two"), ArtifactKind::Log);
        assert_eq!(kind("x", "one two"), ArtifactKind::Other);
    }
}
