//! Calls of no kind that bear a platform's signature all the same: mostly such whose body did not come as it was sent.

use super::pack::Reads;
use super::{Kind, Platforms};
use crate::call::{Call, Packed, Request};
use crate::json;
use crate::signature::Scheme;

impl Platforms {
    /// Whether the signature of a call of `kind` is judged: that of a call of no kind where it bears one.
    #[must_use]
    pub fn judges(&self, call: &Call, kind: Option<&Kind>) -> bool {
        !call.is_no_request() && (kind.is_some() || self.is_signed(&call.request))
    }

    /// Whether a request bears a header in which the signatures of a platform stand, whatever it is besides.
    fn is_signed(&self, request: &Request) -> bool {
        self.schemes(request, None).next().is_some()
    }

    /// What is to be said of a request that was not recognised and is signed nevertheless: whose header it
    /// bears, and what keeps it from being taken for one of theirs.
    #[must_use]
    pub fn stranger(&self, request: &Request) -> Option<String> {
        let header = &self.schemes(request, None).next()?.header;
        if let Some(kind) = self.recognise(request).kind {
            return Some(format!("it bears {header}, and would be taken for {} now", kind.name));
        }
        let is_it = |scheme: &Scheme| !scheme.shares_its_header() && scheme.header.eq_ignore_ascii_case(header);
        let theirs = self.packs.iter().filter(|pack| pack.schemes().values().any(is_it));
        let names: Vec<&str> = theirs.map(|pack| &*pack.name).collect();
        let mut signed = self.kinds().filter(|kind| kind.schemes().any(is_it));
        let why = if signed.all(|kind| kind.spec.reads == Reads::Body) { why_no_object(request) } else { None };
        let why = why.unwrap_or_else(|| "no call of theirs is like it in method, path and body".to_owned());
        let names = names.join(" or ");
        Some(format!("it bears {header} as calls of {names} do, but {why}; a route with `kind` says what it is"))
    }
}

/// Why a body is no JSON object, if it is none.
fn why_no_object(request: &Request) -> Option<String> {
    if let Some(why) = request.cut_words() {
        return Some(format!("{why}, which does not tell the kind of call"));
    }
    if let Some(Packed { coding, content: Err(why) }) = Packed::of(&request.headers, &request.body) {
        return Some(format!("its body came packed as {coding}: {why}"));
    }
    let readable = request.readable();
    let body = &readable.body;
    let no_json = |why: String| Some(format!("its body is not JSON: {why}"));
    match std::str::from_utf8(body) {
        _ if body.is_empty() => Some("its body is empty".to_owned()),
        Err(error) => no_json(format!("byte {} is not UTF-8", error.valid_up_to() + 1)),
        Ok(_) if request.has_a_form() => Some("its content-type is that of a form, and theirs are JSON".to_owned()),
        Ok(text) => match json::check(text) {
            // Without the words of the fault: they quote the body, which is masked elsewhere.
            Err(error) => no_json(format!("see line {}, column {}", error.line, error.column)),
            Ok(()) if text.trim_start().starts_with('"') => {
                Some("its body is a JSON text, perhaps with the object inside it: it was encoded twice".to_owned())
            }
            Ok(()) if !text.trim_start().starts_with('{') => Some("its body is JSON, but no object".to_owned()),
            Ok(()) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::cut(br#"{"session_id":"a","inp"#, "not JSON: see line 1, column ")]
    #[case::mark(b"\xef\xbb\xbf{}", "not JSON: see line 1, column 1")]
    #[case::latin1(b"{\"a\":\"\xe9\"}", "not JSON: byte 7 is not UTF-8")]
    #[case::twice(br#""{\"a\":1}""#, "encoded twice")]
    #[case::unquoted(br#"{"password": hunter2}"#, "not JSON: see line 1, column 14; a route")]
    #[case::list(b"[1]", "is JSON, but no object")]
    #[case::empty(b"", "its body is empty")]
    #[case::another(br#"{"a":1}"#, "no call of theirs is like it")]
    fn a_signed_stranger_is_told_what_keeps_it_out(#[case] body: &'static [u8], #[case] why: &str) {
        let platforms = Platforms::builtin().unwrap();
        let headers = [("X-Moveo-Signature", "00")].into_iter().collect();
        let request = Request { method: "POST".into(), target: "/x".into(), headers, ..Request::default() };
        let request = Request { body: body.into(), ..request };
        assert!(platforms.recognise(&request).kind.is_none());
        let told = platforms.stranger(&request).unwrap();
        assert!(
            told.starts_with("it bears X-Moveo-Signature as calls of moveo do, but ") && told.contains(why),
            "{told}"
        );
        assert_eq!(platforms.stranger(&Request { headers: crate::call::Headers::default(), ..request }), None);
    }

    #[test]
    fn a_form_is_named() {
        let headers = [("X-Moveo-Signature", "00"), ("Content-Type", "application/x-www-form-urlencoded")];
        let request = Request { headers: headers.into_iter().collect(), body: "a=1".into(), ..Request::default() };
        let told = Platforms::builtin().unwrap().stranger(&request).unwrap();
        assert!(told.contains("but its content-type is that of a form, and theirs are JSON; a route"), "{told}");
        let cut =
            Request { headers: [headers[0]].into_iter().collect(), body: "{".into(), cut: true, ..Request::default() };
        let told = Platforms::builtin().unwrap().stranger(&cut).unwrap();
        assert!(told.contains("but only the beginning of the body is recorded, which does not tell"), "{told}");
    }
}
