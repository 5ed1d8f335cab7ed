//! One value of the selected call put for another, in its body or its query: every other byte leaves as it came.
//!
//! ```text
//!  set value --> /context/tier = "gold"▏ --take--> a draft of it      send typed: sent at once
//! ```

use std::ops::Range;
use std::sync::Arc;

use crate::app::App;
use crate::app::action::Action;
use crate::app::decode;
use crate::app::draft::Draft;
use crate::app::event::Notice;
use crate::app::prompt::Ask;
use crate::app::shown::Tab;
use crate::app::tree::Tree;
use crate::call::{Call, Request};
use crate::json;
use crate::net::placeholders;
use crate::replay::template;

/// A value that another is typed for.
#[derive(Debug)]
pub struct Setting {
    /// Its JSON Pointer.
    pub pointer: String,
    call: Arc<Call>,
    place: Place,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In a body of JSON.
    Json,
    /// These bytes of the body, encoded as a form's are.
    Form(Range<usize>),
    /// These bytes of the body.
    Part(Range<usize>),
    /// These bytes of the target, encoded as a form's are.
    Query(Range<usize>),
}

/// A value at the cursor.
struct Value {
    call: Arc<Call>,
    pointer: String,
    place: Place,
    text: String,
}

/// What a request's values are put into: a template that says what it said, unpacked where it came compressed.
fn basis(request: &Request) -> Request {
    template::unpacked(template::literal(request.clone()))
}

/// The place of the value at `pointer`, and what is to be typed there.
fn locate(request: &Request, pointer: &str) -> Option<(Place, String)> {
    let decoded = |raw: &str| {
        let pair = format!("x={raw}");
        url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let content_type = request.headers.get("content-type").unwrap_or_default();
    let Ok(body) = std::str::from_utf8(&request.body) else { return None };
    if let Some(span) = json::find(body, pointer) {
        return Some((Place::Json, body[span].to_owned()));
    }
    if let Some(span) = decode::in_parts(&request.body, content_type, pointer) {
        let text = body.get(span.clone())?.to_owned();
        return Some((Place::Part(span), text));
    }
    if body.is_empty() {
        let query = request.query()?;
        let begin = request.target.len() - query.len();
        let span = decode::in_form(query, pointer)?;
        let text = decoded(&query[span.clone()])?;
        return Some((Place::Query(begin + span.start..begin + span.end), text));
    }
    let span = decode::in_form(body, pointer)?;
    let text = decoded(&body[span.clone()])?;
    Some((Place::Form(span), text))
}

impl Setting {
    /// The draft with the typed value in the place of the old one: JSON, or what a form's or a part's value says.
    fn draft(&self, ticket: u64, typed: &str) -> Result<Draft, String> {
        let Call { id, kind, request, .. } = &*self.call;
        let with = |text: &str, span: &Range<usize>, value: &str| {
            format!("{}{value}{}", &text[..span.start], &text[span.end..])
        };
        let encoded = || url::form_urlencoded::byte_serialize(typed.as_bytes()).collect::<String>();
        let basis = basis(request);
        let body = String::from_utf8_lossy(&basis.body);
        let mut draft = Draft::new(ticket, request.clone(), kind.clone(), Some(*id));
        match &self.place {
            Place::Json => {
                let value = placeholders::hidden(typed);
                draft.amend(placeholders::shown(json::set(&body, &self.pointer, &value)?), &self.pointer);
            }
            Place::Form(span) => draft.amend(with(&body, span, &encoded()), &self.pointer),
            Place::Part(span) => draft.amend(with(&body, span, typed), &self.pointer),
            Place::Query(span) => draft.amend_target(&with(&basis.target, span, &encoded())),
        }
        draft.typing = false;
        Ok(draft)
    }
}

impl App {
    /// Asks for another value at the cursor.
    pub(super) fn ask_value(&mut self) {
        let Value { call, pointer, place, text: value } = match self.value_to_set() {
            Ok(found) => found,
            Err(why) => return self.tell(Notice::info(why).key(Action::Edit, "edits the whole call")),
        };
        let why = match place {
            Place::Json if value.starts_with(['{', '[']) => "this holds other values: change them here",
            _ if value.contains('\n') => "this has several lines: change them here",
            _ => {
                self.prompt(Ask::Value(Setting { pointer, call, place }), &value);
                return self.tell_bare();
            }
        };
        let at = match &place {
            Place::Form(span) | Place::Part(span) => span.start,
            Place::Json | Place::Query(_) => 0,
        };
        let mut draft = Draft::new(self.ticket(), call.request.clone(), call.kind.clone(), Some(call.id));
        draft.go_to(&pointer, at);
        self.draft = Some(draft);
        self.tell(Notice::info(why).key(Action::LeaveTyping, "stops typing"));
        self.tell_bare();
    }

    /// The value at the cursor.
    fn value_to_set(&self) -> Result<Value, &'static str> {
        let shown = self.shown.as_ref().ok_or("there is no call")?;
        let call = self.cache.original(shown.number).ok_or("the call is being read")?;
        let pointer = match self.tab {
            _ if shown.filtered.is_some() => None,
            Tab::Body => shown.body.tree().map(Tree::pointer),
            Tab::Envelope => shown.fields().nth(self.cursor.field).map(|field| field.pointer.clone()),
            _ => None,
        };
        let pointer =
            pointer.ok_or("there is no value at the cursor: the envelope and the tree of the body have one")?;
        let basis = basis(&call.request);
        let is_token = || std::str::from_utf8(&basis.body).is_ok_and(|body| decode::token(body.trim()).is_some());
        let found = locate(&basis, &pointer);
        let found = found.ok_or_else(|| {
            if is_token() {
                "a token is signed as a whole: `hooktape keys jwt` makes another"
            } else {
                "this cannot be set alone"
            }
        })?;
        Ok(Value { call, pointer, place: found.0, text: found.1 })
    }

    /// Opens a draft with the typed value in the place of the old one.
    ///
    /// # Errors
    /// A sentence: why it cannot stand there.
    pub(super) fn set_value(&mut self, setting: &Setting, typed: &str) -> Result<(), String> {
        self.draft = Some(setting.draft(self.ticket(), typed)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(target: &str, content_type: &str, body: &str, pointer: &str, value: &str) -> Option<(String, String)> {
        let mut request = Request { target: target.to_owned(), method: "POST".to_owned(), ..Request::default() };
        if body.is_empty() {
            request.method = "GET".to_owned();
        }
        request.body = body.to_owned().into();
        request.headers.push("content-type", content_type.to_owned());
        let (place, _) = locate(&template::literal(request.clone()), pointer)?;
        let call = Arc::new(Call { request, ..crate::app::tests::call("/") });
        let setting = Setting { pointer: pointer.to_owned(), call, place };
        let sent = setting.draft(1, value).unwrap().request();
        Some((sent.target, String::from_utf8(sent.body.to_vec()).unwrap()))
    }

    #[test]
    fn one_value_is_set_wherever_it_stands_and_no_other_byte() {
        let form = "application/x-www-form-urlencoded";
        let parts = "multipart/form-data; boundary=X";
        let of_parts = |text: &str| format!("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n{text}\r\n--X--\r\n");
        for (target, content_type, body, pointer, value, wanted_target, wanted_body) in [
            ("/x", "application/json", r#"{"a": 1,  "b":2}"#, "/a", "\"z\"", "/x", r#"{"a": "z",  "b":2}"#),
            ("/x", form, "a=1&b=x+y&a=2", "/a/1", "ä b", "/x", "a=1&b=x+y&a=%C3%A4+b"),
            ("/x?a=%41&b=2", "", "", "/a", "1&2", "/x?a=1%262&b=2", ""),
            ("/x", parts, &of_parts("hi"), "/0/content", "ho", "/x", &of_parts("ho")),
        ] {
            let set = set(target, content_type, body, pointer, value).unwrap();
            assert_eq!(set, (wanted_target.to_owned(), wanted_body.to_owned()), "{pointer} of {content_type}");
        }
        assert_eq!(set("/x", "text/plain", "just text", "/a", "1"), None);
        assert_eq!(set("/x", parts, &of_parts("hi"), "/0/name", "1"), None);
    }
    #[test]
    fn in_what_came_compressed_a_value_is_set_too() {
        let body = zstd::encode_all(&br#"{"a": 1,  "b":"{{now}}"}"#[..], 3).unwrap().into();
        let headers = [("content-encoding", "zstd")].into_iter().collect();
        let request = Request { headers, body, ..Request::default() };
        let (place, text) = locate(&basis(&request), "/a").unwrap();
        assert_eq!(text, "1");
        let call = Arc::new(Call { request, ..crate::app::tests::call("/") });
        let setting = Setting { pointer: "/a".to_owned(), call, place };
        let sent = setting.draft(1, "2").unwrap().request();
        assert_eq!(sent.body, r#"{"a": 2,  "b":"{{braces}}now}}"}"#, "filled in, it says what came");
        assert!(!sent.headers.has("content-encoding"));
    }
}
