//! A call being edited, not sent yet.
//!
//! A draft holds the original bytes until the first real edit. What is on the screen may be laid out for reading; what
//! is sent keeps the layout that the original had. Of a request without a body, say the opening of a page, the path and the
//! query are edited:
//!
//! ```text
//! /form        --target()-->  /form?a=1&b=%20
//! ?a=1
//! &b=%20
//! ```

mod typing;

use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS};
use tui_textarea::{CursorMove, TextArea, WrapMode};

use crate::app::completion::Offers;
use crate::app::text::Text;
use crate::call::{Call, Id, Packed, Request};
use crate::json;
use crate::net::outgoing::SignMode;
use crate::net::placeholders;
use crate::platform::Finding;
use crate::replay::template;

/// What does not stand for itself in path and query (RFC 3986, 3.3 and 3.4). A `%` does: what is encoded stays so.
const NOT_IN_A_TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// How the original's text is laid out, and so how an edited one is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// JSON without white space, as `JSON.stringify` writes it. Shown pretty, sent compact.
    Compact,
    /// JSON with a space after `,` and `:`, as Python writes it. Shown pretty, sent spaced.
    Spaced,
    /// No body: shown are path and query, one parameter a line. Sent with the line ends taken out.
    Target,
    /// Anything else: shown and sent as it is, lines ending as they did.
    AsShown {
        /// Lines end in CR LF.
        crlf: bool,
    },
}

/// What a draft was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payload {
    /// No UTF-8: there is nothing to edit.
    Bytes,
    /// Any other text.
    Text,
    /// JSON, or what was meant to be.
    Json,
}

/// The answer to a sent draft.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The call that was sent.
    pub call: Arc<Call>,
    /// Its response against the contract.
    pub findings: Vec<Finding>,
    /// That it points elsewhere, where nothing is sent.
    pub redirect: Option<String>,
    /// What is to be said of a body that came compressed.
    pub packed: Option<String>,
    /// The response's body.
    pub body: Text,
}

/// Longest text that is looked at as a whole with each key.
const LARGE: usize = 256 << 10;

/// What is to be said of a draft as it stands. Worked out once an edit, not once a frame.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Where the payload is not JSON.
    pub syntax_error: Option<json::SyntaxError>,
    /// How the body that would be sent relates to the original.
    pub state: String,
    /// The target that would be sent.
    pub target: String,
    /// The signature that it would be sent with, or why there is none.
    pub signature: Result<String, String>,
    /// What stands between double braces and stands for nothing, or is none of ours: sentences.
    pub strange: Vec<String>,
    /// Where the request departs from its contract; none where it is too large for that.
    pub findings: Option<Vec<Finding>>,
    /// How it was to be signed, and which target was chosen.
    pub of: (SignMode, Option<usize>),
}

/// A call being edited.
#[derive(Debug)]
pub struct Draft {
    /// Names it while effects are under way.
    pub ticket: u64,
    /// Whose contract it follows.
    pub kind: Option<String>,
    /// The call that it was made from.
    pub parent: Option<Id>,
    /// The payload as text.
    pub editor: TextArea<'static>,
    /// Keys go into the payload.
    pub typing: bool,
    /// How it is signed.
    pub mode: SignMode,
    /// Closing it was asked for, and it was told which key drops its edits.
    pub leaving: bool,
    /// It is on its way.
    pub sending: bool,
    /// What came back last, or why nothing did.
    pub answer: Option<Result<Answer, String>>,
    /// The text that was sent last.
    pub(super) sent: Option<String>,
    /// First row of the answer that is shown.
    pub scroll: usize,
    /// None until they are worked out for the text as it is.
    pub facts: Option<Facts>,
    /// What the text may go on with at the cursor.
    pub offers: Offers,
    original: Request,
    /// What edits begin with: a template, in which what came over a wire stands as text, and which is not compressed.
    basis: Request,
    /// How the original's body is compressed, if it is, or why it cannot be unpacked.
    packed: Option<Result<String, String>>,
    layout: Layout,
    opened: String,
    payload: Payload,
    /// The body with one value put for another, and its text as it is shown: as long as that stands, this is sent.
    amended: Option<(String, Bytes)>,
}

impl Draft {
    /// A draft of `request`. One that repeats a `parent` came over a wire: its own braces are no placeholders.
    #[must_use]
    pub fn new(ticket: u64, original: Request, kind: Option<String>, parent: Option<Id>) -> Self {
        let basis = template::unpacked(as_template(&original, parent));
        Self::begun(ticket, original, basis, kind, parent)
    }

    /// A draft of what is no template: its braces stand for themselves, whoever wrote them.
    #[must_use]
    pub fn verbatim(ticket: u64, original: Request, kind: Option<String>) -> Self {
        let basis = original.clone().unpacked();
        Self::begun(ticket, original, basis, kind, None)
    }

    fn begun(ticket: u64, original: Request, basis: Request, kind: Option<String>, parent: Option<Id>) -> Self {
        let request = basis;
        let packed = Packed::of(&original.headers, &original.body).map(|packed| match packed.content {
            Ok(_) => Ok(packed.coding),
            Err(why) => Err(Packed::unread(&packed.coding, &why)),
        });
        let text = std::str::from_utf8(&request.body).ok();
        let bodiless =
            request.body.is_empty() && matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE" | "OPTIONS");
        let (layout, opened) = match text {
            _ if bodiless => (Layout::Target, in_lines(&request.target)),
            Some(text) => lay_out(text),
            None => (Layout::AsShown { crlf: false }, String::new()),
        };
        let is_json = || {
            let begins = opened.trim_start().starts_with(['{', '[']);
            begins || json::is_valid(&placeholders::hidden(&opened))
        };
        let payload = match text {
            None => Payload::Bytes,
            Some(_) if !bodiless && is_json() => Payload::Json,
            Some(_) => Payload::Text,
        };
        let mut draft = Self {
            ticket,
            kind,
            parent,
            editor: TextArea::default(),
            typing: text.is_some(),
            mode: SignMode::Fresh,
            leaving: false,
            sending: false,
            answer: None,
            sent: None,
            scroll: 0,
            facts: None,
            offers: Offers::default(),
            original,
            basis: request,
            packed,
            layout,
            opened,
            payload,
            amended: None,
        };
        draft.revert();
        draft
    }

    /// Whether there is a text to edit: bytes that are no UTF-8 can only be sent as they are.
    #[must_use]
    pub fn editable(&self) -> bool {
        self.payload != Payload::Bytes
    }

    /// Whether the payload is JSON, or was meant to be.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.payload == Payload::Json
    }

    /// Whether path and query are edited, for want of a body.
    #[must_use]
    pub fn edits_the_target(&self) -> bool {
        self.layout == Layout::Target
    }

    /// Whether there are edits that were never sent: they are in no recording.
    #[must_use]
    pub fn unsent(&self) -> bool {
        self.touched() && self.sent.as_ref() != Some(&self.text())
    }

    /// The text in the editor.
    #[must_use]
    pub fn text(&self) -> String {
        self.editor.lines().join("\n")
    }

    /// Whether the text is so large that what is worked out for all of it would hold up the next key.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.editor.lines().iter().map(|line| line.len() + 1).sum::<usize>() > LARGE
    }

    /// Whether what would be sent differs from the original.
    #[must_use]
    pub fn touched(&self) -> bool {
        self.editable() && self.text() != self.opened
    }

    /// Whether what would be sent is filled in first: what came over a wire is not, while nobody edited it.
    #[must_use]
    pub fn is_template(&self) -> bool {
        (self.touched() || self.parent.is_none()) && template::has_placeholders(&self.request())
    }

    /// The body that would be sent, as a template: the original bytes while nothing was edited.
    #[must_use]
    pub fn body(&self) -> Bytes {
        let text = self.text();
        if !self.editable() || text == self.opened || self.edits_the_target() {
            return self.original.body.clone();
        }
        if let Some(body) = self.amendment(&text) {
            return body.clone();
        }
        let hidden = placeholders::hidden(&text);
        let kept = match self.layout {
            Layout::Compact => json::compact(&hidden).ok().map(placeholders::shown),
            Layout::Spaced => json::spaced(&hidden).ok().map(placeholders::shown),
            Layout::AsShown { crlf: true } => Some(text.replace('\n', "\r\n")),
            Layout::AsShown { crlf: false } | Layout::Target => None,
        };
        kept.unwrap_or(text).into()
    }

    fn amendment(&self, text: &str) -> Option<&Bytes> {
        self.amended.as_ref().filter(|(shown, _)| shown == text).map(|(_, body)| body)
    }

    /// Puts `body` for the original one, from which it differs in the value at `pointer`.
    pub(super) fn amend(&mut self, body: String, pointer: &str) {
        let shown = match self.layout {
            Layout::Compact | Layout::Spaced => pretty(&body).ok(),
            Layout::AsShown { crlf: true } => Some(body.replace("\r\n", "\n")),
            Layout::AsShown { crlf: false } | Layout::Target => None,
        };
        let shown = shown.as_ref().unwrap_or(&body);
        self.replace(shown, shown.contains('\r'));
        self.go_to(pointer, 0);
        self.editor.move_cursor(CursorMove::End);
        self.amended = Some((self.text(), body.into()));
    }

    /// Puts the cursor into the row of the value at `pointer`; where there is none, of byte `at` of the original body.
    pub(super) fn go_to(&mut self, pointer: &str, at: usize) {
        let shown = self.text();
        let shown = placeholders::hidden(&shown);
        let row = match json::find(&shown, pointer) {
            Some(span) => shown[..span.start].matches('\n').count(),
            None => self.basis.body.get(..at).map_or(0, |before| memchr::memchr_iter(b'\n', before).count()),
        };
        self.editor.move_cursor(CursorMove::Jump(u16::try_from(row).unwrap_or(0), 0));
    }

    /// Puts `target` for the original one.
    pub(super) fn amend_target(&mut self, target: &str) {
        self.replace(&in_lines(target), false);
    }

    /// The target that would be sent: the original one while nothing was edited. What has no place in one is encoded, and a
    /// path begins with `/`.
    #[must_use]
    pub fn target(&self) -> String {
        if !self.edits_the_target() || !self.touched() {
            return self.original.target.clone();
        }
        let joined: String = self.editor.lines().iter().map(|line| line.trim()).collect();
        let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, NOT_IN_A_TARGET).to_string();
        let (mut target, mut done) = (String::new(), 0);
        for found in placeholders::find(&joined).filter(|found| placeholders::is_known(found.name)) {
            target += &encoded(&joined[done..found.span.start]);
            target += &joined[found.span.clone()];
            done = found.span.end;
        }
        target += &encoded(&joined[done..]);
        if target.starts_with('/') { target } else { format!("/{target}") }
    }

    /// The request that would be sent, as a template where it [is one](Self::is_template).
    #[must_use]
    pub fn request(&self) -> Request {
        if !self.touched() {
            return self.original.clone();
        }
        let target = if self.edits_the_target() { self.target() } else { self.basis.target.clone() };
        Request { body: self.body(), target, ..self.basis.clone() }
    }

    /// [`Self::request`] as a template throughout: what a fixture keeps.
    #[must_use]
    pub fn template(&self) -> Request {
        if self.touched() { self.request() } else { as_template(&self.original, self.parent) }
    }

    /// How the body that would be sent relates to the original, in words.
    #[must_use]
    pub fn state(&self) -> String {
        let state = match (self.touched(), self.layout) {
            _ if !self.editable() => "not text: it is sent byte for byte",
            (false, _) if self.is_template() => "a template: what stands between {{ and }} is filled in as it is sent",
            (false, Layout::Target) => "none: path and query are sent byte for byte",
            (false, _) => "untouched: it is sent byte for byte",
            (true, Layout::Target) => "none: path and query are edited, and sent as one line",
            (true, _) if self.amendment(&self.text()).is_some() => "one value changed: the rest is sent byte for byte",
            (true, Layout::AsShown { .. }) => "edited: sent as shown",
            (true, _) if json::check(&placeholders::hidden(&self.text())).is_err() => {
                "edited: no JSON any more, sent as shown"
            }
            (true, Layout::Compact) => "edited: sent compact, as the original was",
            (true, Layout::Spaced) => "edited: sent with the original's spacing",
        };
        self.packing().map_or_else(|| state.to_owned(), |packing| format!("{state}; {packing}"))
    }

    /// What is to be said of an original that came compressed.
    #[must_use]
    pub fn packing(&self) -> Option<String> {
        Some(match self.packed.as_ref()? {
            Ok(coding) if self.touched() => format!("not compressed ({coding}) any more, without content-encoding"),
            Ok(coding) => format!("compressed ({coding}) as it came"),
            Err(why) => why.clone(),
        })
    }

    /// Where the payload is not JSON. Nothing while it is, and for bodies that never were.
    #[must_use]
    pub fn syntax_error(&self) -> Option<json::SyntaxError> {
        let text = self.text();
        if self.payload == Payload::Json { json::check(&placeholders::levelled(&text)).err() } else { None }
    }

    /// Back to the payload as it was, as one undoable step where there is something to undo and it can be.
    pub fn revert(&mut self) {
        let opened = self.opened.clone();
        // What is put in loses its carriage returns: a new text does not.
        self.replace(&opened, self.editor.is_empty() || opened.contains('\r'));
    }

    /// Puts `text` into the editor. `forget` drops the history with the old text.
    pub fn replace(&mut self, text: &str, forget: bool) {
        self.changed();
        if forget {
            self.editor = TextArea::new(text.split('\n').map(ToOwned::to_owned).collect());
            self.editor.set_wrap_mode(WrapMode::WordOrGlyph);
            self.editor.set_max_histories(1000);
            return;
        }
        self.editor.select_all();
        self.editor.insert_str(text);
        self.editor.move_cursor(CursorMove::Top);
        self.editor.move_cursor(CursorMove::Head);
    }

    /// Puts `text` where the cursor is.
    pub fn insert(&mut self, text: &str) {
        self.changed();
        self.editor.insert_str(text);
    }

    /// Lays the JSON out prettily. It is sent as shown from then on.
    ///
    /// # Errors
    /// Where the payload is not JSON, or nested too deep.
    pub fn reformat(&mut self) -> Result<(), json::PrintError> {
        let pretty = pretty(&self.text())?;
        self.amended = None;
        self.layout = Layout::AsShown { crlf: false };
        // What is shown is now what is sent, so what counts as untouched is the original text itself.
        self.opened = String::from_utf8_lossy(&self.basis.body).into_owned();
        self.replace(&pretty, false);
        Ok(())
    }

    /// Takes over what an editor outside made of the text. Editors like to end a file with a newline: one that the
    /// text did not have is dropped.
    pub fn edited_outside(&mut self, text: &str) {
        let mine = self.text();
        let text = text.strip_suffix('\n').filter(|_| !mine.ends_with('\n')).unwrap_or(text);
        let text = text.strip_suffix('\r').filter(|_| !mine.ends_with('\r')).unwrap_or(text);
        if text != mine {
            // As in [`Self::revert`]: where line ends are mixed, they stay what they are.
            self.replace(text, mine.contains('\r'));
        }
    }
}

/// What a draft begins with, as a template. What repeats a `parent` came over a wire.
fn as_template(original: &Request, parent: Option<Id>) -> Request {
    if parent.is_some() { template::literal(original.clone()) } else { original.clone() }
}

/// A target with each member of its query in a line.
fn in_lines(target: &str) -> String {
    target.replacen('?', "\n?", 1).replace('&', "\n&")
}

/// JSON, be it with placeholders, laid out for reading.
fn pretty(text: &str) -> Result<String, json::PrintError> {
    json::pretty(&placeholders::hidden(text)).map(placeholders::shown)
}

/// The layout of a text and what the editor shows for it.
fn lay_out(text: &str) -> (Layout, String) {
    let hidden = placeholders::hidden(text);
    if let Ok(pretty) = pretty(text) {
        if json::compact(&hidden).is_ok_and(|compact| compact == hidden) {
            return (Layout::Compact, pretty);
        }
        if json::spaced(&hidden).is_ok_and(|spaced| spaced == hidden) {
            return (Layout::Spaced, pretty);
        }
    }
    let crlf = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
    (Layout::AsShown { crlf }, if crlf { text.replace("\r\n", "\n") } else { text.to_owned() })
}

#[cfg(test)]
mod tests;
