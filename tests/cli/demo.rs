//! `make demo`, with the binary under test: every line of it has to work.

use std::path::Path;
use std::process::Command;

#[test]
fn the_demo_goes_from_the_first_line_to_the_last() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo/demo.sh");
    let output = Command::new(script)
        .env("PROVENANCE", env!("CARGO_BIN_EXE_provenance"))
        .output()
        .expect("bash is there");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("recorded run t11 as "), "{out}");
    assert!(out.contains(" is the first bad commit of those that were measured\n"), "{out}");
    assert!(out.contains("network.temperature  1  →  2  (+1)\n"), "{out}");
    assert!(out.contains("344 → 404 rows: 60 added\n"), "{out}");
    assert!(out.contains("6 runs and what they made are affected by "), "{out}");
    assert!(out.contains("warning: 7 of 95 rows (7.4 %) of test are in train too\n"), "{out}");
    assert!(out.contains("model.safetensors: OK"), "{out}");
    assert!(out.contains("No problem found"), "{out}");
    assert!(out.trim_end().ends_with("nothing above was acted."), "{out}");
}
