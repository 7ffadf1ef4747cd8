//! Counts faults and what came of them; the table in `docs/guarantees.md` is made of these counts.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

/// Counts what came of one fault in one operation; may be shared by threads.
///
/// Shape: when it goes out of scope without a panic it becomes one JSON file below
/// `target/tmp/faults`, named after the fault and the operation, in place of the one before.
pub struct Tally {
    fault: &'static str,
    operation: &'static str,
    outcomes: Mutex<BTreeMap<&'static str, u64>>,
}

impl Tally {
    /// Begins to count: what was done to which operation, in words for a table.
    pub fn new(fault: &'static str, operation: &'static str) -> Self {
        Self { fault, operation, outcomes: Mutex::default() }
    }

    /// Counts one case, by what came of it: a few words for a table.
    pub fn count(&self, outcome: &'static str) {
        self.add(outcome, 1);
    }

    /// Counts several cases of one outcome.
    pub fn add(&self, outcome: &'static str, cases: u64) {
        *self.outcomes.lock().expect("no thread panicked").entry(outcome).or_default() += cases;
    }

    /// Tells how many cases were counted.
    pub fn tried(&self) -> u64 {
        self.outcomes.lock().expect("no thread panicked").values().sum()
    }

    fn path(&self) -> PathBuf {
        let name: String = format!("{} {}", self.fault, self.operation)
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults").join(format!("{name}.json"))
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let (path, tried) = (self.path(), self.tried());
        let row = serde_json::json!({
            "fault": self.fault,
            "operation": self.operation,
            "tried": tried,
            "outcomes": &*self.outcomes.lock().expect("no thread panicked"),
            "torture": super::effort::is_torture(),
        });
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder of the counts");
        let mut file = fs::File::create(&path).expect("a file for the counts");
        writeln!(file, "{row}").expect("the counts written");
    }
}
