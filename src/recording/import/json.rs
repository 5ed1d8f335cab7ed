//! JSON Lines: a recording, or lines of one.

use super::{ImportError, check};
use crate::call::Call;
use crate::recording::format;

pub(super) fn calls(text: &[u8]) -> Result<Vec<Call>, ImportError> {
    let mut calls = Vec::new();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        // The header, a mark, an empty line.
        if index == 0 && line.starts_with(b"{\"hooktape\":") {
            continue;
        }
        let fault = |message: String| ImportError::line(index + 1, message);
        let mut scratch = Vec::new();
        match format::head(line, &mut scratch) {
            Ok(None) if line.is_empty() => continue,
            Ok(None) => return Err(fault("not a call: it has no `request`".into())),
            Ok(Some(_)) => {}
            Err(error) => return Err(fault(error.to_string())),
        }
        let call = format::decode(line).map_err(|error| fault(error.to_string()))?;
        check(&call.request, call.response.as_ref()).map_err(fault)?;
        calls.push(call);
    }
    Ok(calls)
}
