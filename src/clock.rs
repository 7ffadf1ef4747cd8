//! The only source of time: the system's clock, or a fixed one; and the zone in which it is shown.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, UNIX_EPOCH};

use jiff::tz::TimeZone;

pub use crate::object::Timestamp;

/// Tells the time: the system's, or one that stands still so that ids are stable.
///
/// Shape: a fixed clock comes from `PROVENANCE_CLOCK`, milliseconds since 1970, or from a test.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The clock of this machine, in UTC.
    System,
    /// Always this instant.
    Fixed(Timestamp),
}

impl Clock {
    /// Tells the time now.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Fixed(at) => *at,
            Self::System => match std::time::SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => Timestamp(millis(since)),
                Err(before) => Timestamp(-millis(before.duration())),
            },
        }
    }
}

/// Where the system keeps its own zone, and all zones by their names.
const LOCAL_ZONE: &str = "/etc/localtime";
const ZONES: &str = "/usr/share/zoneinfo";

/// No file of a zone is as large.
const ZONE_BYTES_MAX: u64 = 1 << 20;

/// Gives the time zone of this machine, or the one that `TZ` names.
///
/// Cost: one file is read, once. Only for a `TZ` that names none is the whole database of zones
/// asked, which lists its folders and panics where one of them cannot be closed.
pub fn zone() -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let of_file = || read_zone(&zone_path(std::env::var("TZ").ok().as_deref())?);
    ZONE.get_or_init(|| of_file().unwrap_or_else(TimeZone::system)).clone()
}

fn zone_path(named: Option<&str>) -> Option<PathBuf> {
    let Some(named) = named else { return Some(PathBuf::from(LOCAL_ZONE)) };
    let name = Path::new(named.strip_prefix(':').unwrap_or(named));
    let is_name = name.components().all(|part| matches!(part, Component::Normal(_)));
    (is_name && !named.is_empty()).then(|| Path::new(ZONES).join(name))
}

fn read_zone(path: &Path) -> Option<TimeZone> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(ZONE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    TimeZone::tzif("local", &bytes).ok()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_the_one_that_is_named_or_the_one_of_the_machine() {
        let named = |name| zone_path(name).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(named(None).as_deref(), Some("/etc/localtime"));
        assert_eq!(named(Some("Asia/Tokyo")).as_deref(), Some("/usr/share/zoneinfo/Asia/Tokyo"));
        assert_eq!(named(Some(":Asia/Tokyo")), named(Some("Asia/Tokyo")));
        for other in ["", "../../etc/passwd", "/etc/passwd", "./Asia"] {
            assert_eq!(named(Some(other)), None, "{other}");
        }
        assert!(read_zone(Path::new("/proc/self/cmdline")).is_none(), "not a zone");
        let tokyo = zone_path(Some("Asia/Tokyo")).unwrap();
        if tokyo.exists() {
            let read = read_zone(&tokyo).unwrap().to_offset(jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(read, jiff::tz::Offset::from_hours(9).unwrap());
        }
    }
}
