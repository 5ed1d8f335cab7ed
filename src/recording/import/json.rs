//! JSON Lines: a recording, or lines of one.

use super::{ImportError, Imported, check};
use crate::recording::{Annotation, format};

pub(super) fn calls(text: &[u8]) -> Result<Imported, ImportError> {
    let mut found = Imported::default();
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if index == 0 && line.starts_with(b"{\"hooktape\":") {
            continue;
        }
        let fault = |message: String| ImportError::line(index + 1, message);
        let mut scratch = Vec::new();
        match format::head(line, &mut scratch) {
            Ok(None) if line.is_empty() => continue,
            Ok(None) => {
                let said = Annotation::decode(line);
                found.said.push(said.ok_or_else(|| fault("not a call: it has no `request`".into()))?);
                continue;
            }
            Ok(Some(_)) => {}
            Err(error) => return Err(fault(error.to_string())),
        }
        let call = format::decode(line).map_err(|error| fault(error.to_string()))?;
        check(&call.request, call.response.as_ref()).map_err(fault)?;
        found.calls.push(call);
    }
    Ok(found)
}
