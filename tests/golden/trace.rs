//! Lists of the files that runs opened: bytes that stay.

use provenance::object::{LeftOut, Timestamp, TraceFile, TraceFiles};

use crate::support::fixture;

fn file(path: &[u8], is_read: bool, is_written: bool) -> TraceFile {
    let path = path.to_vec();
    TraceFile { path, is_read, is_written, bytes: None, modified: None, left_out: None }
}

#[test]
fn lists_of_opened_files_keep_their_bytes() {
    let modified = Some(Timestamp(1_785_490_200_123));
    let library =
        TraceFile { bytes: Some(1_922_136), modified, ..file(b"/lib/libc.so.6", true, false) };
    let files = vec![
        library,
        TraceFile { left_out: Some(LeftOut::Ignored), ..file(b"cache/x", true, true) },
        TraceFile { left_out: Some(LeftOut::Unrecordable), ..file(b"caf\xe9", false, true) },
        TraceFile { bytes: Some(0), modified, ..file(b"model.pkl", false, true) },
    ];
    for (name, list) in [("files.json", TraceFiles { files }), ("none.json", TraceFiles::default())]
    {
        let name = format!("format/v1/trace/{name}");
        fixture::check(&name, &list.encode().unwrap());
        let decoded = TraceFiles::decode(&fixture::read(&name)).unwrap();
        assert_eq!(decoded, list);
        assert_eq!(decoded.encode().unwrap(), fixture::read(&name));
    }
}
