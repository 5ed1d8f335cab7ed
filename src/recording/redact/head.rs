//! Lines of a head: header fields of a part, and what was to be some and cannot be read as such.

use super::Redaction;
use super::depth::{Budget, Depth};
use super::spots::{Inner, Spots, readable};
use crate::call::Headers;

/// What may stand between the name and the value of a field, as it is badly written.
const SIGNS: [char; 4] = [':', ' ', '\t', '='];

impl Redaction {
    /// The value of a header: a string. A `Referer` or `Location` has a query too.
    pub(super) fn field(&self, text: &str) -> Spots {
        let budget = Budget::of(text.len());
        let inside = self.value(text, budget.top());
        match text.as_bytes() {
            [b'{' | b'[', ..] => inside,
            [b'<', ..] => inside.and(self.links(text, budget.top())),
            _ => inside.and(self.address(text, budget.top())).and(self.list(text, budget.top())),
        }
    }

    /// The values of a list of names with values, as that of `baggage`: `a=b,c=d;p=q`. What hides in one, as base64 say, can be
    /// found only where it stands alone.
    fn list(&self, text: &str, depth: Depth<'_>) -> Spots {
        const AROUND: [char; 3] = [' ', '\t', '"'];
        let mut spots = Spots::default();
        if !text.contains('=') || !text.contains([',', ';']) {
            return spots;
        }
        let mut begin = 0;
        for member in text.split([',', ';']) {
            if let Some((name, value)) = member.split_once('=') {
                let start = begin + name.len() + 1 + value.len() - value.trim_start_matches(AROUND).len();
                let value = value.trim_matches(AROUND);
                if !value.is_empty() && self.fields.have(&Inner::of_form(name.trim()).text) {
                    spots.add(start..start + value.len());
                } else {
                    let inner = Inner::of_form(value);
                    spots.add_all(start, inner.outside(self.value(&inner.text, depth.deeper())));
                }
            }
            begin += member.len() + 1;
        }
        spots
    }

    /// What follows these headers of a request, where it may be more of them: of each line the value, if it is a header's that is
    /// masked. Its first may go on with the last header.
    pub(super) fn rest_of_head(&self, headers: &Headers, text: &[u8]) -> Spots {
        let goes_on = headers.0.last().is_some_and(|(name, _)| self.masks_header(name));
        self.lines(&readable(text), goes_on, Budget::of(text.len()).top())
    }

    /// Lines of a head, however badly they are written. `secret`: whether the line before them is of a header that is masked.
    pub(super) fn lines(&self, head: &str, mut secret: bool, depth: Depth<'_>) -> Spots {
        let mut spots = Spots::default();
        let mut end = 0;
        // Some end a line with a carriage return alone.
        for line in head.split_inclusive(['\n', '\r']) {
            end += line.len();
            let bare = line.trim_end();
            if bare.is_empty() {
                continue;
            }
            let folded = bare.starts_with([' ', '\t']);
            let text = bare.trim_start();
            let value = if folded && secret {
                text
            } else {
                // Its first word is the name, if that is one that is masked: what follows may have a colon too. Else all before
                // the colon is.
                let signs = [text.find(SIGNS), text.find(':')];
                let mut parts = signs.map(|at| at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]))).into_iter();
                // JSON has masks of its own.
                let is_json = |name: &str| name.contains(['{', '[', ',']) || folded && name.starts_with('"');
                let found = parts.find(|(name, _)| !is_json(name) && self.masks_header(name));
                secret = found.is_some();
                found.map_or("", |(_, value)| value.trim_start_matches(SIGNS))
            };
            let place = |value: &str| end - line.len() + bare.len() - value.len();
            if secret && !value.is_empty() {
                spots.add(place(value)..place(value) + value.len());
            } else if let Some((name, value)) = text.split_once(':').filter(|_| !secret)
                && !name.contains(['{', '[', ','])
            {
                let value = value.trim_start();
                spots.add_all(place(value), self.value(value, depth));
            }
        }
        spots
    }
}

/// The user and the password that stand before a host, where no scheme shows that it is an address.
pub(super) fn login(host: &str) -> Spots {
    let mut spots = Spots::default();
    if let Some(end) = host.rfind('@').filter(|end| *end > 0) {
        spots.add(0..end);
    }
    spots
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::tests::{redaction, with};
    use crate::call::REFUSED;

    #[rstest]
    #[case::after_a_bad_line(
        "Bad Header : x\r\nX-Auth-User: SECRET\r\nHost: h\r\n",
        "Bad Header : x\r\nX-Auth-User: [redacted]\r\nHost: h\r\n"
    )]
    #[case::bad_itself(
        "X-Key : SECRET\r\nMy Token Value:SECRET \r\n",
        "X-Key : [redacted]\r\nMy Token Value:[redacted] \r\n"
    )]
    #[case::indented(" Session: SECRET\r\n a: b\r\n", " Session: [redacted]\r\n [redacted]\r\n")]
    #[case::without_a_colon("X-Auth-User SECRET\nSession=SECRET\n", "X-Auth-User [redacted]\nSession=[redacted]\n")]
    #[case::with_a_colon_in_it(
        "Cookie a=SECRET; b=https://x\r\nX-Api-Key SECRET:x\r\nX-Hub-Signature-256=SECRET:1\r\nHost h:1\r\n",
        "Cookie [redacted]\r\nX-Api-Key [redacted]\r\nX-Hub-Signature-256=[redacted]\r\nHost h:1\r\n"
    )]
    #[case::line_ends("A: b\rX-Key: SECRET\r\r\n SECRET\r\nC: d", "A: b\rX-Key: [redacted]\r\r\n [redacted]\r\nC: d")]
    #[case::control("X-Key: SEC\u{1}RET: x", "X-Key: [redacted]")]
    #[case::cut_off("X-Hub-Signature-256: sha256=SECR", "X-Hub-Signature-256: [redacted]")]
    #[case::not_said("Session:\r\nX-Key", "Session:\r\nX-Key")]
    #[case::json("{\"session\": \"a\",\n  \"session\": \"b\"", "{\"session\": \"a\",\n  \"session\": \"b\"")]
    fn header_lines_in_the_body_of_what_is_no_request_are_masked_by_their_names(#[case] from: &str, #[case] to: &str) {
        let mut call = with(&[("host", "h")], from);
        call.error = Some(format!("{REFUSED}: its caller sent what is not HTTP/1.1"));
        let masked = redaction().call(&call);
        assert_eq!(masked.request.body, to);
        assert_eq!(redaction().call(&masked), masked);
    }

    #[rstest]
    #[case::base64("a=b, c=eyJwYXNzd29yZCI6InMzY3JldCJ9;p=q", "a=b, c=[redacted];p=q")]
    #[case::first("c=eyJwYXNzd29yZCI6InMzY3JldCJ9,a=b", "c=[redacted],a=b")]
    #[case::quoted("a=b; c=\"eyJwYXNzd29yZCI6InMzY3JldCJ9\"", "a=b; c=\"[redacted]\"")]
    #[case::escaped_name("a=b,pass%77ord=s3cret;p=q", "a=b,pass%77ord=[redacted]")]
    #[case::escaped("a=b,c=%7B%22password%22%3A%22s3cret%22%7D", "a=b,c=%7B%22password%22%3A%22[redacted]%22%7D")]
    #[case::named("a=b,token=s3cret;p=q", "a=b,token=[redacted]")]
    #[case::accept("text/html;q=0.9,*/*;q=0.8", "text/html;q=0.9,*/*;q=0.8")]
    #[case::parameters("multipart/form-data; boundary=\"a=b\"", "multipart/form-data; boundary=\"a=b\"")]
    #[case::caching("max-age=600, s-maxage=3;, =,=", "max-age=600, s-maxage=3;, =,=")]
    #[case::digest(
        "sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=,a=b",
        "sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=,a=b"
    )]
    fn of_a_list_of_names_with_values_each_value_stands_for_itself(#[case] from: &str, #[case] to: &str) {
        let masked = redaction().call(&with(&[("baggage", from)], ""));
        assert_eq!(masked.request.headers.get("baggage"), Some(to));
        assert_eq!(redaction().call(&masked), masked);
    }

    #[test]
    fn the_first_line_may_go_on_with_the_last_header() {
        let mut call = with(&[("host", "h"), ("x-key", "a")], " SECRET\r\nhost: h\r\n");
        let whole = redaction().call(&call);
        assert_eq!(whole.request.body, call.request.body, "a body that is one");
        call.request.cut = true;
        assert_eq!(redaction().call(&call).request.body, call.request.body, "the beginning of one");
        call.error = Some(REFUSED.to_owned());
        assert_eq!(redaction().call(&call).request.body, " [redacted]\r\nhost: h\r\n");
    }
}
