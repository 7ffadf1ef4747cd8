//! Made-up machines, environments and projects.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Instant;

use super::*;

fn put(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).unwrap().write_all(content.as_bytes()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn json(object: &Object) -> String {
    String::from_utf8(Value::from(object.clone()).encode()).unwrap()
}

/// A machine with Python 3.11.7, a virtual environment `w/.venv`, and a worktree `w`.
fn machine() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&root.join("usr/bin/python3.11"), "\x7fELF");
    symlink("python3.11", root.join("usr/bin/python3")).unwrap();
    put(&root.join("usr/include/python3.11/patchlevel.h"), "#define PY_VERSION \t\"3.11.7\"\n");
    fs::create_dir_all(root.join("usr/lib/python3.11")).unwrap();
    put(&root.join("usr/lib/python3/dist-packages/Base_Package-1.0.dist-info/METADATA"), "");
    let venv = root.join("w/.venv");
    put(
        &venv.join("pyvenv.cfg"),
        "home = /usr/bin\nversion = 3.11.7\n\
        include-system-site-packages = false\n",
    );
    symlink(root.join("usr/bin/python3"), venv.join("python")).unwrap();
    fs::create_dir_all(venv.join("bin")).unwrap();
    symlink(root.join("usr/bin/python3"), venv.join("bin/python")).unwrap();
    let site = venv.join("lib/python3.11/site-packages");
    put(&site.join("numpy-1.26.4.dist-info/METADATA"), "Name: numpy\nVersion: 1.26.4\n");
    put(&site.join("Typing.Ext_Ras-2.0+cu118.dist-info/METADATA"), "");
    put(&site.join("odd.dist-info/METADATA"), "Name: odd\nVersion: 3\n\nName: no\n");
    put(&site.join("old.egg-info"), "Name: old\nVersion: 0.1\n");
    put(&site.join("none.dist-info/RECORD"), "");
    put(
        &site.join("mine-0.1.dist-info/direct_url.json"),
        r#"{"url":"file:///w/mine","dir_info":{"editable":true}}"#,
    );
    put(
        &site.join("fork-2.dist-info/direct_url.json"),
        r#"{"url":"https://u:hunter2@x.org/f.git","vcs_info":{"vcs":"git","commit_id":"abc"}}"#,
    );
    put(&venv.join("bin/torchrun"), &format!("#!{}/bin/python\nimport sys\n", venv.display()));
    folder
}

fn look_at(folder: &Path, command: &str, variables: &[(&str, &str)]) -> Environment {
    let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let path = format!("{0}/w/.venv/bin:{0}/usr/bin", folder.display());
    let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let variables = pairs.chain([("PATH".to_owned(), path)]).collect();
    let root = folder.join("w");
    look_below(
        folder,
        EnvironmentRequest {
            command: &words,
            directory: &root,
            root: &root,
            variables: &variables,
        },
    )
}

#[test]
fn a_virtual_environment_is_found_by_each_way_to_start_it() {
    let folder = machine();
    let expected = [
        r#"{"manager":"python","name":"fork","origin":"git+https://[redacted]@x.org/f.git@abc","#,
        r#""version":"2"},{"editable":true,"manager":"python","name":"mine","#,
        r#""origin":"file:///w/mine","version":"0.1"},"#,
        r#"{"manager":"python","name":"numpy","version":"1.26.4"},"#,
        r#"{"manager":"python","name":"odd","version":"3"},"#,
        r#"{"manager":"python","name":"old","version":"0.1"},"#,
        r#"{"manager":"python","name":"typing-ext-ras","version":"2.0+cu118"}"#,
    ];
    let expected = format!("[{}]", expected.concat());
    for command in [
        "python train.py",
        "env OMP_NUM_THREADS=1 python train.py",
        "torchrun train.py",
        "uv run train.py",
        ".venv/bin/python -m train",
    ] {
        let found = look_at(folder.path(), command, &[]);
        let packages = found.document.find("packages").unwrap().encode();
        assert_eq!(String::from_utf8(packages).unwrap(), expected, "{command}");
        let Some(Value::Object(interpreter)) = found.document.find("interpreter") else { panic!() };
        assert_eq!(interpreter.find("version"), Some(&"3.11.7".into()));
        assert_eq!(interpreter.find("implementation"), Some(&"CPython".into()));
        let prefix = folder.path().join("w/.venv");
        assert_eq!(interpreter.find("prefix"), Some(&prefix.to_str().unwrap().into()));
        assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
    }
}

#[test]
fn an_installed_python_and_other_languages() {
    let folder = machine();
    let found = look_at(folder.path(), "python3.11 train.py", &[]);
    let list = found.document.find("packages").unwrap().encode();
    let expected = r#"[{"manager":"python","name":"base-package","version":"1.0"}]"#;
    assert_eq!(String::from_utf8(list).unwrap(), expected);
    put(&folder.path().join("usr/bin/bash"), "\x7fELF");
    put(&folder.path().join("w/run.sh"), &format!("#!{}/usr/bin/bash\n", folder.path().display()));
    let shell = json(&look_at(folder.path(), "./run.sh", &[]).document);
    assert!(shell.contains(r#""language":"shell""#) && !shell.contains("packages"), "{shell}");
    let venv = folder.path().join("w/.venv");
    let active = [("VIRTUAL_ENV", venv.to_str().unwrap())];
    assert!(json(&look_at(folder.path(), "./run.sh", &active).document).contains("numpy"));
    for command in ["./none", "none", "", "uv"] {
        let found = look_at(folder.path(), command, &[]);
        assert_eq!(json(&found.document), r#"{"schema":"provenance/environment/v1"}"#, "{command}");
    }
}

#[test]
fn shims_of_pyenv_and_packages_of_conda() {
    let folder = machine();
    let pyenv = folder.path().join("pyenv");
    put(&pyenv.join("shims/python"), "#!/usr/bin/env bash\n");
    put(&pyenv.join("version"), "3.12.1\n");
    put(&pyenv.join("versions/3.12.1/bin/python"), "\x7fELF");
    put(&pyenv.join("versions/3.12.1/conda-meta/blas-open-1.0-h1_0.json"), "{}");
    fs::create_dir_all(pyenv.join("versions/3.12.1/lib/python3.12/site-packages")).unwrap();
    let shim = pyenv.join("shims/python");
    let found = json(&look_at(folder.path(), shim.to_str().unwrap(), &[]).document);
    assert!(found.contains(r#""version":"3.12.1""#), "{found}");
    let blas = r#"{"build":"h1_0","manager":"conda","name":"blas-open","version":"1.0"}"#;
    assert!(found.contains(blas), "{found}");
}

#[test]
fn lock_files_containers_variables_and_jobs() {
    let folder = machine();
    let id = "ab".repeat(32);
    put(
        &folder.path().join("run/.containerenv"),
        &format!("engine=\"podman-4\"\nid=\"{id}\"\nimage=\"docker.io/x:1\"\nimageid=\"{id}\"\n"),
    );
    put(&folder.path().join("w/uv.lock"), "version = 1\n");
    put(&folder.path().join("w/requirements.txt"), "--index-url https://u:hunter2@x.org/simple\n");
    let found = look_at(
        folder.path(),
        "none",
        &[
            ("OMP_NUM_THREADS", "8"),
            ("HF_TOKEN", "hunter2"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_RUN_ID", "7"),
        ],
    );
    let clean = "--index-url https://[redacted]@x.org/simple\n";
    assert_eq!(found.lock_files[0].content, clean.as_bytes());
    assert!(found.lock_files[0].is_redacted && !found.lock_files[1].is_redacted);
    let document = json(&found.document);
    let expected = [
        r#""ci":{"job":"https://github.com/a/b/actions/runs/7","system":"github-actions"}"#
            .to_owned(),
        format!(r#"{{"id":"{id}","image":"docker.io/x:1","image_id":"{id}","runtime":"podman"}}"#),
        r#""variables":{"HF_TOKEN":"[redacted]","OMP_NUM_THREADS":"8"}"#.to_owned(),
        format!(r#"{{"bytes":12,"id":"{}","path":"uv.lock"}}"#, found.lock_files[1].id.to_record()),
        r#""path":"requirements.txt","redacted":true"#.to_owned(),
    ];
    for part in expected {
        assert!(document.contains(&part), "{part}\n{document}");
    }
    fs::remove_file(folder.path().join("run/.containerenv")).unwrap();
    put(&folder.path().join(".dockerenv"), "");
    put(
        &folder.path().join("proc/self/mountinfo"),
        &format!("1 2 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw\n"),
    );
    let docker = json(&look_at(folder.path(), "none", &[]).document);
    assert!(docker.contains(&format!(r#"{{"id":"{id}","runtime":"docker"}}"#)), "{docker}");
}

#[test]
fn jobs_of_each_system_have_an_address() {
    let job = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ci::find(&pairs.collect()).map(|object| json(&object))
    };
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("GITLAB_CI", "1"), ("CI_JOB_URL", "https://g/1")],
            r#"{"job":"https://g/1","system":"gitlab"}"#,
        ),
        (
            &[("JENKINS_URL", "x"), ("BUILD_URL", "https://j/1")],
            r#"{"job":"https://j/1","system":"jenkins"}"#,
        ),
        (
            &[("CIRCLECI", "1"), ("CIRCLE_BUILD_URL", "https://c")],
            r#"{"job":"https://c","system":"circleci"}"#,
        ),
        (
            &[
                ("TF_BUILD", "1"),
                ("SYSTEM_COLLECTIONURI", "https://a/"),
                ("SYSTEM_TEAMPROJECT", "p q"),
                ("BUILD_BUILDID", "3"),
            ],
            r#"{"job":"https://a/p%20q/_build/results?buildId=3","system":"azure-pipelines"}"#,
        ),
        (
            &[
                ("BUILDKITE", "1"),
                ("BUILDKITE_BUILD_URL", "https://b/1"),
                ("BUILDKITE_JOB_ID", "x"),
            ],
            r#"{"job":"https://b/1#x","system":"buildkite"}"#,
        ),
        (&[("TRAVIS", "1")], r#"{"system":"travis"}"#),
    ];
    for (pairs, expected) in cases {
        assert_eq!(job(pairs).as_deref(), Some(*expected));
    }
    assert_eq!(job(&[]), None);
}

#[test]
fn five_hundred_packages_take_milliseconds() {
    let folder = machine();
    let site = folder.path().join("w/.venv/lib/python3.11/site-packages");
    for number in 0..500 {
        fs::create_dir(site.join(format!("p{number}-1.{number}.dist-info"))).unwrap();
    }
    let quickest = (0..5).map(|_| {
        let started = Instant::now();
        let found = look_at(folder.path(), "python train.py", &[]);
        assert!(json(&found.document).contains("p499"));
        started.elapsed()
    });
    let quickest = quickest.min().unwrap();
    eprintln!("500 packages: {quickest:?}");
    assert!(quickest.as_millis() < 200, "{quickest:?}");
}

/// The document of a made-up machine is the fixture, but for where the machine is.
#[test]
fn a_complete_document_keeps_its_bytes() {
    let folder = machine();
    let id = "ab".repeat(32);
    put(
        &folder.path().join("run/.containerenv"),
        &format!("id=\"{id}\"\nimage=\"docker.io/x:1\"\nimageid=\"{id}\"\n"),
    );
    put(&folder.path().join("w/uv.lock"), "version = 1\n");
    put(&folder.path().join("w/requirements.txt"), "-i https://u:hunter2@x.org/simple\n");
    put(&folder.path().join("w/.venv/conda-meta/blas-open-1.0-h1_0.json"), "{}");
    let variables =
        [("OMP_NUM_THREADS", "8"), ("GITLAB_CI", "1"), ("CI_JOB_URL", "https://x.org/1")];
    let found = json(&look_at(folder.path(), "python train.py", &variables).document);
    let found = found.replace(folder.path().to_str().unwrap(), "");
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/format/v1/environment/complete.json");
    if std::env::var_os("PROVENANCE_BLESS").is_some() && !Path::new(kept).exists() {
        put(Path::new(kept), &found);
        fs::set_permissions(kept, fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert_eq!(found, fs::read_to_string(kept).unwrap());
}
