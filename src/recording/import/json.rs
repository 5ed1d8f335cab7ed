//! JSON Lines: a recording, lines of one, or several recordings in one file. Lines that are neither calls nor said of any
//! are passed over, as where a recording is read.

use super::{ImportError, Imported, check};
use crate::recording::{Annotation, format};

pub(super) fn calls(text: &[u8]) -> Result<Imported, ImportError> {
    let mut found = Imported::default();
    let mut unknown = None;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"{\"hooktape\":") {
            continue;
        }
        let mut scratch = Vec::new();
        let head = format::head(line, &mut scratch).map(|head| head.is_some());
        if let Ok(false) = head {
            match Annotation::decode(line) {
                Some(said) => found.said.push(said),
                None => unknown = unknown.or(Some(index + 1)),
            }
            continue;
        }
        let call = head.and_then(|_| format::decode(line)).map_err(|error| error.to_string());
        match call.and_then(|call| check(&call.request, call.response.as_ref(), call.is_no_request()).map(|()| call)) {
            Ok(call) => found.calls.push(call),
            Err(message) => found.leave_out(ImportError::line(index + 1, message)),
        }
    }
    match unknown {
        Some(line) if found == Imported::default() => {
            Err(ImportError::line(line, "not a call: it has no `request`, and no other line has one"))
        }
        _ => Ok(found),
    }
}
