//! Requests as a `.http` file, which editors can send, with the responses in blocks of their own.
//!
//! ```text
//! ### 0193.. moveo/pre_message
//! # @hooktape {"id":..,"body":54}       the summary, and how long the body is: so that it may hold anything; marks and notes
//! POST http://127.0.0.1:4747/hooks/moveo HTTP/1.1
//! host: 127.0.0.1:4747
//!
//! {"input":..
//! ```

use std::io::{self, Write};

use bytes::Bytes;

use serde_json::{Value, json};

use super::{Report, caveats, url};
use crate::call::{Headers, reason};
use crate::recording::Remarks;
use crate::recording::facts::Facts;
use crate::visible;

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let call = &report.call;
    let request = &call.request;
    let kind = call.kind.as_deref().unwrap_or("not recognised");
    writeln!(out, "### {} {}", call.id, visible::line(kind))?;
    for caveat in caveats(call) {
        writeln!(out, "# {caveat}")?;
    }
    let mut facts = serde_json::to_value(Facts::of(call)).unwrap_or_default();
    if let Value::Object(facts) = &mut facts {
        facts.insert("body".into(), request.body.len().into());
        if report.remarks != Remarks::default() {
            facts.insert("remarks".into(), json!(report.remarks));
        }
    }
    writeln!(out, "# @hooktape {facts}")?;
    out.write_all(&in_line(format!("{} {}", request.method, url(call)).as_bytes()))?;
    out.write_all(b" HTTP/1.1\n")?;
    message(out, &request.headers, &request.body)?;
    if let Some(response) = &call.response {
        writeln!(out, "\n### response\n# @hooktape {}", json!({ "body": response.body.len() }))?;
        writeln!(out, "HTTP/1.1 {} {}", response.status, reason(response.status))?;
        message(out, &response.headers, &response.body)?;
    }
    Ok(())
}

fn message(out: &mut impl Write, headers: &Headers, body: &Bytes) -> io::Result<()> {
    for (name, value) in headers.iter() {
        out.write_all(&[&in_line(name.as_bytes()), b": ".as_slice(), &in_line(value), b"\n"].concat())?;
    }
    out.write_all(b"\n")?;
    out.write_all(body)?;
    out.write_all(b"\n")
}

/// No request has a line end there, but what was refused as none, and a recording that somebody made may: what stands behind it would be a
/// request of its own.
pub(in crate::recording) fn in_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if b"\r\n\0".contains(byte) { b' ' } else { *byte }).collect()
}
