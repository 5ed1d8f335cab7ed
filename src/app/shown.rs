//! The call that is looked into: everything its tabs show, worked out once when it is opened.

use std::sync::Arc;

use bytes::Bytes;

use crate::app::body::{Body, Form};
use crate::app::changes::Context;
use crate::app::flow::Flow;
use crate::app::needle::Needle;
use crate::app::text::Text;
use crate::call::{Call, Direction, Headers, Packed};
use crate::config::Config;
use crate::platform::{Consequence, Envelope, Finding, Keyring, Kind, Platforms, Row, own_secrets};
use crate::recording::Redaction;
use crate::signature::{Scheme, Verdict};
use crate::visible;

/// Most fields of a section that are shown: the body has them all.
pub const MOST_FIELDS: usize = 300;

/// The tabs of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What it means.
    #[default]
    Envelope,
    /// The request's body.
    Body,
    /// The request's headers.
    Headers,
    /// What was signed, the verdict, and why.
    Signature,
    /// What was answered.
    Response,
    /// The whole conversation, turn by turn.
    Conversation,
}

impl Tab {
    /// In the order they stand in.
    pub const ALL: [Self; 6] =
        [Self::Envelope, Self::Body, Self::Headers, Self::Signature, Self::Response, Self::Conversation];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Envelope => "Envelope",
            Self::Body => "Body",
            Self::Headers => "Headers",
            Self::Signature => "Signature",
            Self::Response => "Response",
            Self::Conversation => "Conversation",
        }
    }

    /// The tab `steps` to the right, going round.
    #[must_use]
    pub fn turn(self, steps: isize) -> Self {
        let count = Self::ALL.len();
        let at = (self as usize + count).saturating_add_signed(steps) % count;
        Self::ALL[at]
    }
}

/// The search for a word in a text, and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// What was searched for.
    pub needle: Needle,
    /// In which tab.
    pub tab: Tab,
    /// Where it is: rows of a text, bytes of a tree.
    pub places: Vec<usize>,
    /// The one that is shown.
    pub at: usize,
}

/// A call with all that its tabs show.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its number in the recording.
    pub number: usize,
    /// The call.
    pub call: Arc<Call>,
    /// Decoded by its pack, where it was recognised.
    pub envelope: Option<Envelope>,
    /// What it could be as well, in sentences.
    pub also: Vec<String>,
    /// The flow around a page that it belongs to.
    pub flow: Option<Flow>,
    /// What a signature check finds now, with the secrets at hand.
    pub verdict: Option<Verdict>,
    /// Why it finds that; none until somebody looks.
    pub why: Option<Vec<String>>,
    /// That is being found out, for a large call.
    pub asked: bool,
    /// How the scheme signs, in words.
    pub scheme: Option<String>,
    /// The text that is signed, where it is put together from parts of the call.
    pub signed_text: Option<String>,
    /// The request against its contract.
    pub request_findings: Vec<Finding>,
    /// The response against its contract.
    pub response_findings: Vec<Finding>,
    /// What the platform does with the response.
    pub consequence: Option<Consequence>,
    /// The variables of the conversation, against those of the call before.
    pub context: Context,
    /// The request's body.
    pub body: Body,
    /// What is to be said of it, where it came compressed.
    pub packed: Option<String>,
    /// The response's body.
    pub answer: Body,
    /// What is to be said of that.
    pub answer_packed: Option<String>,
    /// The search in the body or the answer.
    pub hits: Hits,
    /// A filter changed what is shown of a body.
    pub filtered: Option<(Tab, String)>,
    /// The call as it is, where it is shown masked, and what masks it.
    pub(super) original: Option<(Arc<Call>, Arc<Redaction>)>,
    form: Form,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        (self.number, self.form) == (other.number, other.form) && Arc::ptr_eq(&self.call, &other.call)
    }
}

/// What is found in a call.
struct Judged {
    verdict: Option<Verdict>,
    request_findings: Vec<Finding>,
    response_findings: Vec<Finding>,
}

impl Judged {
    fn of(call: &Call, platforms: &Platforms, keyring: &Keyring, config: &Config) -> Self {
        let own = own_secrets(config, call);
        let kind = platforms.kind(call.kind.as_deref());
        Self {
            verdict: platforms.judges(call, kind).then(|| keyring.judge(platforms, &call.request, kind, &own, call.at)),
            request_findings: kind.map_or_else(Vec::new, |kind| kind.check_request(&call.request)),
            response_findings: match (kind, &call.response) {
                (Some(kind), Some(response)) => kind.check_response(response),
                _ => Vec::new(),
            },
        }
    }
}

impl Shown {
    /// Works out what the tabs show.
    #[must_use]
    pub fn new(
        number: usize,
        call: Arc<Call>,
        platforms: &Platforms,
        keyring: &Keyring,
        config: &Config,
        form: Form,
    ) -> Self {
        let kind = platforms.kind(call.kind.as_deref());
        let Judged { verdict, request_findings, response_findings } = Judged::of(&call, platforms, keyring, config);
        let scheme = kind.and_then(|kind| kind.scheme_of(&call.request));
        let (body, packed) = request_body(&call, form);
        let (answer, answer_packed) = answer_body(&call, form);
        Self {
            number,
            envelope: kind.map(|kind| kind.envelope(&call.request)),
            also: also(&call, kind, platforms),
            flow: kind.zip(call.conversation.as_deref()).and_then(|(kind, key)| Flow::of(platforms, kind, key)),
            verdict,
            why: None,
            asked: false,
            scheme: scheme.map(Scheme::describe),
            signed_text: scheme.and_then(|scheme| scheme.signed_text(&call.request)),
            request_findings,
            response_findings,
            consequence: kind.and_then(|kind| kind.consequence(&call, config)),
            context: Context::of(kind, &call),
            body,
            packed,
            answer,
            answer_packed,
            hits: Hits::default(),
            filtered: None,
            original: None,
            call,
            form,
        }
    }

    /// The fields of the envelope, in their order on the screen.
    pub fn fields(&self) -> impl Iterator<Item = &Row> {
        let sections = self.envelope.iter().flat_map(|envelope| &envelope.sections);
        sections.flat_map(|section| section.rows.iter().take(MOST_FIELDS))
    }

    /// What is found in a call does not change where it is shown masked; what would quote it is left out.
    pub fn judge_masked(
        &mut self,
        original: Arc<Call>,
        mask: Arc<Redaction>,
        platforms: &Platforms,
        keyring: &Keyring,
        config: &Config,
    ) {
        let Judged { verdict, mut request_findings, mut response_findings } =
            Judged::of(&original, platforms, keyring, config);
        self.verdict = verdict.map(|verdict| Verdict {
            reason: mask.text(&verdict.reason).into_owned(),
            given: None,
            notes: Vec::new(),
            ..verdict
        });
        self.signed_text = None;
        hush(&mut request_findings, &self.request_findings);
        hush(&mut response_findings, &self.response_findings);
        (self.request_findings, self.response_findings) = (request_findings, response_findings);
        self.original = Some((original, mask));
    }

    /// Whether it is shown masked.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.original.is_some()
    }

    /// How its bodies are shown.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Lays the bodies out anew.
    pub fn set_form(&mut self, form: Form) {
        self.form = form;
        self.filtered = None;
        self.hits = Hits::default();
        (self.body, self.packed) = request_body(&self.call, form);
        (self.answer, self.answer_packed) = answer_body(&self.call, form);
    }
}

/// Leaves out of `findings` what would quote what is masked: they say no more than those of the masked call, `quotable`.
pub(super) fn hush(findings: &mut [Finding], quotable: &[Finding]) {
    for finding in findings.iter_mut().filter(|finding| !quotable.contains(finding)) {
        "what stands here is not what it should be; it is masked".clone_into(&mut finding.sentence);
    }
}

fn request_body(call: &Call, form: Form) -> (Body, Option<String>) {
    unpacked(&call.request.headers, &call.request.body, form)
}

fn answer_body(call: &Call, form: Form) -> (Body, Option<String>) {
    call.response.as_ref().map_or_else(
        || (Body::Text(Text::default()), None),
        |response| unpacked(&response.headers, &response.body, form),
    )
}

/// A body unpacked, where it came compressed and the form is not about how it came; and what is to be said of that.
fn unpacked(headers: &Headers, body: &Bytes, form: Form) -> (Body, Option<String>) {
    let shown = |body| Body::new(body, headers.get("content-type"), form);
    let packed = Packed::of(headers, body).filter(|_| matches!(form, Form::Tree | Form::Pretty));
    let Some(packed) = packed else { return (shown(body), None) };
    (shown(packed.content.as_ref().unwrap_or(body)), Some(told(&packed, body)))
}

/// What is to be said of a body that came compressed.
#[must_use]
pub fn packed(headers: &Headers, body: &Bytes) -> Option<String> {
    Packed::of(headers, body).map(|packed| told(&packed, body))
}

fn told(Packed { coding, content }: &Packed, body: &Bytes) -> String {
    match content {
        Ok(content) => {
            let (came, unpacked) = (visible::count(body.len(), "byte"), visible::count(content.len(), "byte"));
            format!("{coding}: {came}, unpacked {unpacked}")
        }
        Err(why) => Packed::unread(coding, why),
    }
}

/// What a received call could be besides `kind`, in sentences. A sent one is what it was sent as.
fn also(call: &Call, kind: Option<&Kind>, platforms: &Platforms) -> Vec<String> {
    if call.direction == Direction::Sent {
        return Vec::new();
    }
    let Some(kind) = kind else { return platforms.stranger(&call.request).into_iter().collect() };
    let falls_back = |from: &Kind, to: &Kind| from.describe().instead.as_ref() == Some(&to.name);
    let sentence = |other: &Kind| {
        let fallback = match (falls_back(other, kind), falls_back(kind, other)) {
            (true, _) => format!("; where no {} is configured, {} is called instead", other.bare(), kind.bare()),
            (_, true) => format!("; {} is called instead where no {} is configured", other.bare(), kind.bare()),
            _ => String::new(),
        };
        format!("could also be {}{fallback}: a route with `kind` says which", other.name)
    };
    platforms.could_be(&call.request, kind).into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Request;

    #[test]
    fn what_a_call_could_be_besides_is_told_with_the_fallback() {
        let platforms = Platforms::builtin().unwrap();
        let first = platforms.kind("moveo/first_message").unwrap();
        let pre = platforms.kind("moveo/pre_message").unwrap();
        let request = Request { target: "/hooks".into(), ..first.sample() };
        let call = Call {
            kind: Some(pre.name.clone()),
            ..Call::new(crate::call::Id::fresh(), Direction::Received, jiff::Timestamp::UNIX_EPOCH, request)
        };
        assert_eq!(
            also(&call, Some(pre), &platforms),
            [
                "could also be moveo/first_message; where no first_message is configured, pre_message is called instead: \
              a route with `kind` says which"
            ]
        );
        assert_eq!(also(&call, Some(first), &platforms), [""; 0], "a route says so");
        let second = Request { target: "/hooks".into(), ..pre.sample() };
        let other = also(&Call { request: second, ..call.clone() }, Some(first), &platforms);
        assert!(other[0].starts_with("could also be moveo/pre_message; pre_message is"));
        let sent = Call { direction: Direction::Sent, ..call };
        assert_eq!(also(&sent, Some(pre), &platforms), [""; 0]);
    }

    #[test]
    fn tabs_go_round() {
        assert_eq!(Tab::Envelope.turn(-1), Tab::Conversation);
        assert_eq!(Tab::Conversation.turn(1), Tab::Envelope);
        assert_eq!(Tab::Body.turn(1), Tab::Headers);
    }
}
