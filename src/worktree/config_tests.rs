//! Which of three places holds, and what is refused.

use super::*;

fn environment<'a>(
    set: &'a [(&'a str, &'a str)],
) -> impl Fn(&str) -> Option<OsString> + Copy + use<'a> {
    |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
}

#[test]
fn the_environment_is_over_the_repository_is_over_the_user() {
    let dir = tempfile::tempdir().expect("a directory");
    let home = dir.path().to_str().expect("text");
    let folder = dir.path().join(".provenance");
    let set = [("HOME", home)];
    let user = user_file(environment(&set)).expect("a home");
    let name = key("user.name").expect("known");
    assert_eq!(load(Some(&folder), environment(&set)).expect("no files"), []);
    change(&user, name, Some("everywhere")).expect("is written");
    let holds = |set: &[(&str, &str)]| {
        let settings = load(Some(&folder), environment(set)).expect("are read");
        value(&settings, "user.name").map(str::to_owned)
    };
    assert_eq!(holds(&set).as_deref(), Some("everywhere"));
    change(&repository_file(&folder), name, Some("here")).expect("is written");
    assert_eq!(holds(&set).as_deref(), Some("here"));
    let set = [("HOME", home), ("PROVENANCE_USER_NAME", "now")];
    assert_eq!(holds(&set).as_deref(), Some("now"));
    assert_eq!(load(Some(&folder), environment(&set)).expect("are read").len(), 3);
}

#[test]
fn a_change_keeps_what_a_person_wrote_around_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("config");
    let written = "# mine\n[user]\nname = 'Ada' # short\nemail = \"a@example.org\"\n";
    std::fs::File::create(&path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, written.as_bytes()))
        .expect("is written");
    let email = key("user.email").expect("known");
    assert!(change(&path, email, Some("b@example.org")).expect("is changed"));
    assert!(change(&path, email, None).expect("is forgotten"));
    assert!(!change(&path, email, None).expect("was forgotten"));
    let text = fs::read_to_string(&path).expect("is there");
    assert_eq!(text, "# mine\n[user]\nname = 'Ada' # short\n");
}

#[test]
fn what_nothing_reads_is_refused_and_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = repository_file(dir.path());
    let refused = |text: &str| {
        std::fs::File::create(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
            .expect("is written");
        load(Some(dir.path()), |_| None).expect_err("is refused").to_string()
    };
    assert!(refused("[user]\nnmae = 'x'\n").contains(r#"unknown setting, name="user.nmae""#));
    assert!(refused("name = 'x'\n").contains("\"name\" alone"));
    assert!(refused("[user]\nname = 1\n").contains("user.name is not a string"));
    assert!(refused("[core]\npager = 'rm -rf x'\n").contains("use --user"));
    assert!(refused("[user\n").contains("malformed"));
    assert!(matches!(key("user.nmae"), Err(ConfigError::UnknownKey { .. })));
}

#[test]
fn no_home_is_no_failure_until_something_shall_be_written_there() {
    assert_eq!(user_file(environment(&[])), None);
    assert_eq!(user_file(environment(&[("HOME", "relative")])), None);
    let elsewhere = user_file(environment(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]));
    assert_eq!(elsewhere, Some(PathBuf::from("/x/provenance/config.toml")));
    assert_eq!(load(None, environment(&[])).expect("nothing to read"), []);
}
