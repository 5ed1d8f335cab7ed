//! What is wrong with a call, held against the tables of its kind.

use bytes::Bytes;
use serde_json::Value;

use super::Kind;
use crate::call::{Headers, Packed, Request, Response};
use crate::json;
use crate::platform::doc::is_vast;
use crate::platform::pack::HeaderSpec;
use crate::platform::schema::Schema;
use crate::platform::{Finding, Severity};
use crate::visible;

/// How many of the names that a body has twice are told.
const MOST_DUPLICATES: usize = 5;

impl Kind {
    /// Where the request departs from the contract, the gravest first.
    #[must_use]
    pub fn check_request(&self, request: &Request) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            self.spec.headers.iter().filter_map(|header| self.check_header(header, request)).collect();
        let request = &*request.readable();
        let document = self.document(request);
        if let Some(schema) = &self.request {
            if let Some(why) = request.cut_words() {
                let (first, rest) = why.split_at(1);
                let sentence = format!("{}{rest}, so it was not held against the contract.", first.to_uppercase());
                findings.push(self.finding(Severity::Note, &sentence));
            } else if let Some(why) = not_unpacked(&request.headers, &request.body) {
                findings.push(self.finding(Severity::Note, &why));
            } else if document.is_empty() {
                findings.push(self.finding(Severity::Error, "The body is empty; a JSON object is expected."));
            } else {
                findings.extend(self.check(schema, &document).unwrap_or_else(|unheld| vec![unheld]));
            }
        }
        if request.headers.has("content-length") && request.headers.has("transfer-encoding") {
            let sentence = "Content-Length stands beside Transfer-Encoding: who goes by the one finds another end of the body \
                            than who goes by the other, which is how requests are smuggled past proxies.";
            let finding = self.finding(Severity::Warning, sentence);
            findings.push(Finding { source: "RFC 9112, section 6.3".into(), ..finding });
        }
        if let Some(lint) = &self.spec.lint {
            findings.extend(lint.check(&document, self.source()));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }

    fn check_header(&self, spec: &HeaderSpec, request: &Request) -> Option<Finding> {
        let HeaderSpec { name, description, required, value, finding } = spec;
        let severity = (*required)?;
        let sentence = match (request.headers.get(name).filter(|given| !given.is_empty()), value) {
            (None, _) => format!("The header {name} is missing ({description}). {finding}"),
            (Some(given), Some(wanted)) if !given.to_ascii_lowercase().starts_with(&wanted.to_ascii_lowercase()) => {
                let given = visible::quoted(given);
                format!("The header {name} is {given:?}, {wanted} is expected. {finding}")
            }
            _ => return None,
        };
        Some(self.finding(severity, sentence.trim_end()))
    }

    /// Where the response departs from the contract, the gravest first.
    #[must_use]
    pub fn check_response(&self, response: &Response) -> Vec<Finding> {
        self.hold_response(response).unwrap_or_else(|unheld| vec![unheld])
    }

    /// Where the response departs from the contract, the gravest first.
    ///
    /// # Errors
    /// When it could not be held against the contract: why.
    pub fn hold_response(&self, response: &Response) -> Result<Vec<Finding>, Finding> {
        if self.response.is_none() && self.error_response.is_none() {
            return Ok(Vec::new());
        }
        if (200..300).contains(&response.status) {
            return self.hold_body(self.response.as_ref(), self.spec.empty, response);
        }
        let sentence = format!("The status is {}; 2xx is expected.", response.status);
        let mut findings = vec![self.finding(Severity::Error, &sentence)];
        let schema = self.error_response.as_ref().filter(|_| response.status >= 400);
        findings.extend(self.hold_body(schema, Severity::Error, response).unwrap_or_else(|unheld| vec![unheld]));
        Ok(findings)
    }

    /// Holds a response's body against `schema`; `empty`: how grave it is that there is none.
    fn hold_body(
        &self,
        schema: Option<&Schema>,
        empty: Severity,
        response: &Response,
    ) -> Result<Vec<Finding>, Finding> {
        let Some(schema) = schema else { return Ok(Vec::new()) };
        if response.body.is_empty() {
            return Ok(vec![self.finding(empty, "The body is empty; a JSON object is expected.")]);
        }
        if let Some(why) = not_unpacked(&response.headers, &response.body) {
            return Err(self.finding(Severity::Note, &why));
        }
        self.check(schema, &response.readable().body)
    }

    fn check(&self, schema: &Schema, body: &[u8]) -> Result<Vec<Finding>, Finding> {
        let not_json = |why: String| Ok(vec![self.finding(Severity::Error, &format!("The body is not JSON: {why}."))]);
        let text = match std::str::from_utf8(body) {
            Ok(text) => text,
            Err(error) => return not_json(format!("byte {} is not UTF-8", error.valid_up_to() + 1)),
        };
        if let Err(error) = json::check(text) {
            return not_json(format!("line {}, column {}: {}", error.line, error.column, error.message));
        }
        if is_vast(text) {
            let sentence =
                "The body has so many values, or such long names, that it was not held against the contract.";
            return Err(self.finding(Severity::Warning, sentence));
        }
        let twice = json::duplicates(text, MOST_DUPLICATES).into_iter().map(|pointer| Finding {
            severity: Severity::Warning,
            sentence: "This name is there twice in its object: some readers take the first value, most the last."
                .into(),
            source: "RFC 8259, section 4".into(),
            pointer,
        });
        match serde_json::from_str::<Value>(text) {
            Ok(instance) => Ok(twice.chain(schema.check(&instance, self.source())).collect()),
            // Well-formed, but nested too deeply, or with a number that no double holds.
            Err(error) => {
                let sentence = format!("The body could not be held against the contract: {error}.");
                Err(self.finding(Severity::Warning, &sentence))
            }
        }
    }

    fn finding(&self, severity: Severity, sentence: &str) -> Finding {
        Finding::of_all(severity, sentence.into(), self.source())
    }
}

/// Why a body was not held against the contract: it came compressed, and stays so.
fn not_unpacked(headers: &Headers, body: &Bytes) -> Option<String> {
    let Packed { coding, content } = Packed::of(headers, body)?;
    let why = content.err()?;
    Some(format!("The body came packed as {coding} and was not held against the contract: {why}."))
}
