//! Real shapes through every function, and what only looks like them.
//!
//! The secrets are made up, and put together here so that no scanner takes them for real ones.

use std::fmt::Write as _;

use super::*;
use crate::object::canonical;

const HEX_40: &str = "0123456789abcdef0123456789abcdef01234567";
const ALNUM_48: &str = "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW2xY4zA6bC8dE0fG2";

/// A text and what must not be left of it.
fn secrets() -> Vec<(String, String)> {
    let of_36 = &ALNUM_48[..36];
    let hex_32 = &HEX_40[..32];
    let alone = [
        format!("AKIA{}", "IOSFODNN7EXAMPLE"),
        format!("ghp_{of_36}"),
        format!("gho_{of_36}"),
        format!("github_pat_11ABCDEFG0{ALNUM_48}"),
        format!("glpat-{}", &ALNUM_48[..20]),
        format!("xoxb-{}-{}", "123456789012", &ALNUM_48[..24]),
        format!("sk-{ALNUM_48}"),
        format!("sk-proj-{ALNUM_48}_{ALNUM_48}"),
        format!("sk-ant-api03-{ALNUM_48}-AA"),
        format!("hf_{}", &ALNUM_48[..34]),
        format!("AIza{}", &ALNUM_48[..35]),
        format!("ya29.{ALNUM_48}"),
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", &ALNUM_48[..43]),
        format!("sk_{}_{}", "live", &ALNUM_48[..24]),
        format!("npm_{of_36}"),
        format!("pypi-AgEIcHlwaS5vcmc{ALNUM_48}"),
        format!("SK{hex_32}"),
        format!("SG.{}.{}", &ALNUM_48[..22], &ALNUM_48[..43]),
        format!("dop_v1_{HEX_40}{}", &HEX_40[..24]),
        format!("dapi{hex_32}"),
        format!("hvs.{}", &ALNUM_48[..24]),
        format!("gsk_{ALNUM_48}"),
        format!("dckr_pat_{}", &ALNUM_48[..27]),
    ];
    let mut secrets: Vec<(String, String)> = alone.into_iter().map(|s| (s.clone(), s)).collect();
    let key_40 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let mut add = |text: String, secret: &str| secrets.push((text, secret.to_owned()));
    add(format!("aws_secret_access_key = {key_40}"), key_40);
    add(format!("WANDB_API_KEY={HEX_40}"), HEX_40);
    add(format!("\"auth_token\": \"{hex_32}\""), hex_32);
    add(format!("https://x.blob.core.windows.net/c?sv=1&sig={of_36}%3D&se=2"), of_36);
    add(format!("AccountName=a;AccountKey={key_40}==;EndpointSuffix=b"), key_40);
    add(format!("Authorization: Bearer {of_36}"), of_36);
    add("curl -H 'Authorization: Basic YWRhOmh1bnRlcjI='".to_owned(), "YWRhOmh1bnRlcjI=");
    add("postgres://ada:hunter2@db.example.org:5432/runs".to_owned(), "hunter2");
    add("mysql://root:p4ss/w0rd@localhost/x".to_owned(), "p4ss/w0rd");
    add(format!("https://{HEX_40}@github.com/a/b.git"), HEX_40);
    add("https://oauth2:hunter2@gitlab.com/a/b.git".to_owned(), "hunter2");
    add("{'password': 'hunter 2'}".to_owned(), "hunter 2");
    add("DB_PASSWORD=hunter2".to_owned(), "hunter2");
    add("Server=x;Uid=sa;Pwd=hunter2;".to_owned(), "hunter2");
    add("client_secret: hunter2".to_owned(), "hunter2");
    add("password: str = \"hunter2\"".to_owned(), "hunter2");
    add("machine api.wandb.ai login user password hunter2".to_owned(), "hunter2");
    add(r#"{\"api_key\": \"hunter2\"}"#.to_owned(), "hunter2");
    secrets
}

/// A private key of three lines.
fn private_key(kind: &str) -> String {
    let marker = |word: &str| format!("-----{word} {kind}PRIVATE KEY-----");
    format!("{}\n{ALNUM_48}\n{key}\nAQAB\n{}\n", marker("BEGIN"), marker("END"), key = ALNUM_48)
}

const INNOCENT: &[&str] = &[
    "commit 828b2780123456789abcdef0123456789abcdef0",
    "blake3:642be4dcd32cc5fdbd3b00ad9d33363044dd1b232c4585696ad92bd25298d0c5",
    "run 550e8400-e29b-41d4-a716-446655440000",
    "tokenizer=bert-base-uncased",
    "max_tokens=512 num_tokens: 123456 tokens/s: 1234.5",
    "pad_token=<pad> eos_token: '</s>' eos_token_id=50256",
    "token: the, key: value, auth: ok",
    "use_auth_token=True password=None api_key=$KEY secret=<your secret>",
    "lr=0.0001 weight_decay=1e-2 learning_rate: 3e-4",
    "data/secret_santa.csv: 100 rows",
    "secret_santa=data/secret_santa.csv",
    "/home/ada/keys/public.pem",
    "PWD=/srv/project OLDPWD=/srv",
    "GOOGLE_APPLICATION_CREDENTIALS=/etc/gcp/key.json",
    "sort_key=name primary_key: id label_key='y'",
    "num_attention_heads=12, key_dim=64, pass 1 of 3, forward_pass: 0.31s",
    "sigmoid=1 sigma: 0.5 signature: (x: int) -> int",
    "sk-learn-pipeline and sk_learn and hf_hub_download and npm_config_cache",
    "https://example.org:8080/users/@me?page=2",
    "ssh://git@github.com/a/b.git git@github.com:a/b.git",
    "https://ada@dev.azure.com/ada/project",
    "basic authentication is used, bearer of the ring",
    "epoch 3: 100%|██████████| 938/938 [00:12<00:00, 75.31it/s, loss=0.0312]",
    "token_file=/run/token secret_name=db-credentials password_file: x",
    "SSH_AUTH_SOCK=/tmp/ssh-1/agent.7",
];

/// Secrets among other words, as a log has them.
fn in_lines() -> String {
    let mut lines = String::new();
    for (text, _) in secrets() {
        writeln!(lines, "2026-01-01 12:00:00 INFO the value is {text}").unwrap();
    }
    for kind in ["", "RSA ", "OPENSSH "] {
        lines.push_str(&private_key(kind));
        lines.push_str("and on it goes\n");
    }
    lines
}

fn log_of(bytes: &[u8], piece_bytes: usize) -> Vec<u8> {
    let (mut redactor, mut clean) = (LogRedactor::new(), Vec::new());
    for piece in bytes.chunks(piece_bytes) {
        redactor.push(piece, &mut clean);
    }
    redactor.finish(&mut clean);
    clean
}

#[test]
fn no_secret_is_left_by_any_function() {
    assert!(secrets().len() > 36);
    for (written, secret) in secrets() {
        let document = format!("{{\"x\":[{}]}}", serde_json::to_string(&written).unwrap());
        let document = canonical::capture(document.as_bytes(), "test", 1 << 20).unwrap();
        let canonical::Value::Object(document) = document else { unreachable!() };
        let all = [
            text(&written).into_owned(),
            arguments(&["run".to_owned(), written.clone()]).concat(),
            arguments(&[format!("--x={written}")]).concat(),
            variable("X", &written).into_owned(),
            variable("X_TOKEN", &secret).into_owned(),
            url(&written).into_owned(),
            String::from_utf8(canonical::Value::from(object(&document)).encode()).unwrap(),
            String::from_utf8(log_of(written.as_bytes(), 7)).unwrap(),
        ];
        for clean in all {
            assert!(!clean.contains(&secret), "{written} → {clean}");
            assert!(clean.contains(REDACTED_TEXT), "{written} → {clean}");
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for written in INNOCENT {
        assert_eq!(text(written), *written);
        assert!(matches!(text(written), Cow::Borrowed(_)));
        assert_eq!(log_of(written.as_bytes(), 5), written.as_bytes());
        for word in written.split(' ') {
            assert_eq!(variable("X", word), word);
            assert_eq!(arguments(&[word.to_owned()]), [word]);
        }
    }
    let flags = ["--max_tokens", "512", "--tokenizer", "gpt2", "-p", "22", "--pad-token", "0"];
    let flags = flags.map(str::to_owned);
    assert_eq!(arguments(&flags), flags);
}

#[test]
fn a_log_is_the_same_however_it_is_cut() {
    let lines = in_lines();
    let whole = text(&lines).into_owned();
    for (_, secret) in secrets() {
        assert!(!whole.contains(&secret), "{secret}");
    }
    assert!(!whole.contains("AQAB") && !whole.contains(ALNUM_48));
    assert_eq!(whole.lines().filter(|line| *line == "and on it goes").count(), 3);
    for piece_bytes in [1, 2, 3, 7, 64, 1000, 1 << 20] {
        let clean = log_of(lines.as_bytes(), piece_bytes);
        assert_eq!(String::from_utf8(clean).unwrap(), whole, "{piece_bytes}");
    }
}

#[test]
fn a_marker_that_is_only_mentioned_takes_no_log_with_it() {
    let marker = private_key("").lines().next().unwrap().to_owned();
    let written = format!("expected {marker}\nthe next line stays\n");
    let clean = log_of(written.as_bytes(), 9);
    assert_eq!(clean, b"expected [redacted]\nthe next line stays\n");
    let one_line =
        format!("{{\"private_key\": \"{}\", \"x\": 1}}", private_key("").replace('\n', "\\n"));
    assert_eq!(text(&one_line), "{\"private_key\": \"[redacted]\", \"x\": 1}");
    let logged =
        private_key("").lines().fold(String::new(), |all, line| all + "INFO " + line + "\n");
    assert!(!text(&logged).contains(ALNUM_48));
}

#[test]
fn bytes_that_are_no_text_and_lines_without_an_end_pass() {
    let mut bytes: Vec<u8> =
        (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    bytes.retain(|byte| !byte.is_ascii_alphanumeric() && *byte != b'\n' && *byte != b'\r');
    assert_eq!(log_of(&bytes, 65_536), bytes);
    let secret = format!("ghp_{}", &ALNUM_48[..36]);
    // What is held is cut after 65 pieces of 4 KiB, or after 5 of 64 KiB.
    for at in [0, 1000, 250_000, 262_140, 266_220, 300_000, 327_660] {
        let mut line = vec![b'.'; 600_000];
        line.splice(at..at, format!(" {secret} ").into_bytes());
        for piece_bytes in [4096, 65_536, 1 << 20] {
            let clean = log_of(&line, piece_bytes);
            assert_eq!(clean.len(), line.len() - secret.len() + REDACTED.len(), "{at}");
        }
    }
    let endless = format!("password={}\nloss=1\n", "aB1".repeat(400_000));
    assert_eq!(log_of(endless.as_bytes(), 65_536), b"password=[redacted]\nloss=1\n");
}

#[test]
fn what_is_held_back_is_bounded() {
    let (mut redactor, mut clean) = (LogRedactor::new(), Vec::new());
    let mut pushed = 0;
    for _ in 0..100 {
        redactor.push(&[b'x'; 65_536], &mut clean);
        pushed += 65_536;
        assert!(pushed - clean.len() <= (256 << 10) + 65_536, "{pushed} {}", clean.len());
    }
}

#[test]
fn words_of_a_command_are_known_by_the_names_before_them() {
    let cases = [
        ("train --token hunter2 --lr 0.1", "train --token [redacted] --lr 0.1"),
        ("train --api-key=hunter2", "train --api-key=[redacted]"),
        ("train -password hunter2 x", "train -password [redacted] x"),
        ("env HF_TOKEN=hunter2 python a.py", "env HF_TOKEN=[redacted] python a.py"),
        ("train +db.password=hunter2", "train +db.password=[redacted]"),
        ("train --use_auth_token --lr 0.1", "train --use_auth_token --lr 0.1"),
        ("curl -u ada:hunter2 https://x.org", "curl -u ada:[redacted] https://x.org"),
        ("sshpass -p hunter2 ssh -p 22 x", "sshpass -p [redacted] ssh -p 22 x"),
        ("wandb login 0123", "wandb login [redacted]"),
        ("docker run -p 8080:80 x", "docker run -p 8080:80 x"),
    ];
    for (written, clean) in cases {
        let words: Vec<String> = written.split(' ').map(str::to_owned).collect();
        assert_eq!(arguments(&words).join(" "), clean);
    }
    let script = ["sh".to_owned(), "-c".to_owned(), "train --token hunter2 --lr 1".to_owned()];
    assert_eq!(arguments(&script)[2], "train --token [redacted] --lr 1");
}

#[test]
fn documents_are_clean_by_name_and_value_at_any_depth() {
    let written = br#"{"a":{"password":{"value":"x","n":5}},"b":[{"token":"y1"},"hf"],
        "max_tokens":512,"token":7,"db_password":1234,"eos_token":"</s>","api_key":null}"#;
    let captured = canonical::capture(written, "test", 1 << 20).unwrap();
    let canonical::Value::Object(document) = captured else { unreachable!() };
    let clean = String::from_utf8(canonical::Value::from(object(&document)).encode()).unwrap();
    let expected = r#"{"a":{"password":{"n":"[redacted]","value":"[redacted]"}},"api_key":null,"#
        .to_owned()
        + r#""b":[{"token":"[redacted]"},"hf"],"db_password":"[redacted]","#
        + r#""eos_token":"</s>","max_tokens":512,"token":7}"#;
    assert_eq!(clean, expected);
}

/// What broke: each `://`, `password=` or `eyJ` looked at the rest of its line, so that a line of
/// them took time by the square of its length.
#[test]
fn lines_made_to_take_long_do_not() {
    for word in
        ["a://b:", "a://b:/@", "password=", "token:", "-eyJ", "key=", "x:/", "1:AA", "Bearer ", "'"]
    {
        let line = word.repeat((1 << 18) / word.len());
        let started = std::time::Instant::now();
        let clean = log_of(line.as_bytes(), 65_536);
        assert!(clean.len() <= 2 * line.len());
        assert!(started.elapsed().as_secs() < 20, "{word}: {:?}", started.elapsed());
    }
}

#[test]
fn any_bytes_cut_anywhere_come_out_the_same() {
    let words: [&[u8]; 16] = [
        b"password",
        b"=",
        b": ",
        b"\"",
        b"\n",
        b"ghp_",
        b"aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW2xY4",
        b"://",
        b"@",
        b"-----BEGIN PRIVATE KEY-----",
        b"-----END PRIVATE KEY-----",
        b"\xff\xfe",
        b"Bearer ",
        b"token",
        b" ",
        b"\\",
    ];
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    for _ in 0..2000 {
        let length = next(30);
        let bytes: Vec<u8> = (0..length).flat_map(|_| words[next(16)]).copied().collect();
        let whole = log_of(&bytes, usize::MAX);
        for piece_bytes in [1, 1 + next(9), 1 + next(99)] {
            let shown = String::from_utf8_lossy(&bytes);
            assert_eq!(log_of(&bytes, piece_bytes), whole, "{piece_bytes}: {shown:?}");
        }
    }
}
