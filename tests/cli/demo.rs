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
    assert!(out.contains("optimizer.learning_rate: 0.001 → 0.01"), "{out}");
    assert!(out.contains("recorded run train-2 as "), "{out}");
    let diff = out.find("$ provenance diff train train-2\nParams:\n").expect("parameters first");
    assert!(out[diff..].contains("344 rows: 2 changed\n  ~ line 2: body_mass_g 3750"), "{out}");
    assert!(out.contains("warning: 7 of 96 rows (7.3 %) of test are in train too\n"), "{out}");
    assert!(out.contains("model.safetensors: OK"), "{out}");
    assert!(out.contains("No problem found"), "{out}");
    assert!(out.trim_end().ends_with("nothing above was acted."), "{out}");
}
