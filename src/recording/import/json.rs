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
        let fault = |message: String| ImportError::line(index + 1, message);
        let mut scratch = Vec::new();
        match format::head(line, &mut scratch) {
            Ok(None) => {
                match Annotation::decode(line) {
                    Some(said) => found.said.push(said),
                    None => unknown = unknown.or(Some(index + 1)),
                }
                continue;
            }
            Ok(Some(_)) => {}
            Err(error) => return Err(fault(error.to_string())),
        }
        let call = format::decode(line).map_err(|error| fault(error.to_string()))?;
        check(&call.request, call.response.as_ref()).map_err(fault)?;
        found.calls.push(call);
    }
    match unknown {
        Some(line) if found == Imported::default() => {
            Err(ImportError::line(line, "not a call: it has no `request`, and no other line has one"))
        }
        _ => Ok(found),
    }
}
