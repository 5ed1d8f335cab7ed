//! A draft on the command line: where it comes from, and what is changed in it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr, eyre};
use jiff::Timestamp;

use crate::call::{CONTENT_ENCODING, Call, Direction, Id, Packed, Request};
use crate::cli::context::{Context, data_dir, find_call};
use crate::cli::print;
use crate::config::{Target, is_framing};
use crate::json;
use crate::platform::Keyring;
use crate::recording::fixtures;
use crate::replay::template::{self, Values};
use crate::replay::variables::Variables;
use crate::replay::{Change, change};
use crate::visible;

/// Where a draft comes from, and what is changed in it.
#[derive(clap::Args, Debug)]
pub struct DraftArgs {
    /// A kind of call, as in moveo/dialog (`hooktape platforms` lists them); a fixture, as in fixture:NAME; or a recorded
    /// call, as in FILE#ID
    #[arg(value_name = "KIND|fixture:NAME|FILE#ID")]
    what: String,
    /// The payload, from a file or (-) from standard input [default: the built-in sample]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Put a value into the payload, as in /input/text=hello (repeatable)
    #[arg(long, value_name = "/POINTER=VALUE")]
    set: Vec<Change>,
    /// Set a header (repeatable)
    #[arg(long, value_name = "NAME: VALUE", value_parser = parse_header)]
    header: Vec<(String, String)>,
}

/// What is going to be sent or kept.
#[derive(Debug)]
pub(super) struct Draft {
    pub request: Request,
    pub kind: Option<String>,
    /// The recorded call that it was made from. Its bytes stand as they are in the request, which is a template.
    pub parent: Option<Id>,
    /// That one.
    pub recorded: Option<Call>,
    /// The request as it was before anything was set in it.
    pub before: Request,
}

/// A header that can be sent from here.
pub(super) fn parse_header(text: &str) -> Result<(String, String), String> {
    let name = text.split_once(':').map(|(name, _)| name.trim());
    if let Some(name) = name.filter(|name| is_framing(name)) {
        return Err(format!("{name:?} follows from the body and the connection: leave it out"));
    }
    any_header(text)
}

/// A header, whoever sends it.
pub(super) fn any_header(text: &str) -> Result<(String, String), String> {
    // None of these sentences repeats what may be a secret in the wrong place.
    let (name, value) = text.split_once(':').ok_or("this is not of the form NAME: VALUE")?;
    let (name, value) = (name.trim(), value.trim());
    if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
        return Err("what stands before the colon is no name of a header: letters, digits and -".to_owned());
    }
    if http::HeaderValue::from_str(value).is_err() {
        return Err(format!("the value of {name} cannot be sent: it has a line end or another control character"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

impl DraftArgs {
    /// The `host` that was asked for: of the target, for a draft's own is that of where it came from.
    pub(super) fn host(&self) -> Option<(String, String)> {
        self.header.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("host")).cloned()
    }

    /// Whether a value is put there in the body.
    pub(super) fn puts_at(&self, pointer: &str) -> bool {
        self.set.iter().any(|change| change.covers(pointer))
    }

    /// The names of the headers that are set.
    pub(super) fn header_names(&self) -> impl Iterator<Item = String> {
        self.header.iter().map(|(name, _)| name.clone())
    }

    /// Whether that header is set.
    pub(super) fn sets(&self, header: &str) -> bool {
        self.header.iter().any(|(name, _)| name.eq_ignore_ascii_case(header))
    }

    /// Takes off what another target put into the recorded call and `target` is not to get; what is set here stands.
    pub(super) fn leave_behind(&self, draft: &mut Draft, keyring: &Keyring, target: &Target) {
        let Draft { request, kind, .. } = draft;
        let set = self.header.iter().filter_map(|(name, _)| Some((name, request.headers.get(name)?.to_owned())));
        let set: Vec<_> = set.collect();
        keyring.leave_behind(request, kind.as_deref(), target);
        for (name, value) in set {
            request.headers.set(name, value);
        }
        // It is nobody's but ours now.
        request.origin = None;
    }

    /// Puts back into `request` what is set here, as `filled` has it, where it was renewed.
    ///
    /// # Errors
    /// When its body takes no values.
    pub(super) fn keep_set(&self, request: &mut Request, filled: &Request) -> eyre::Result<()> {
        let text = std::str::from_utf8(&filled.body).unwrap_or_default();
        let set = self.set.iter().filter_map(|change| {
            let value = text[json::find(text, &change.pointer)?].to_owned();
            Some(Change { pointer: change.pointer.clone(), value })
        });
        change(request, &set.collect::<Vec<_>>()).map_err(|error| eyre!("--set: {error}"))?;
        for (name, _) in &self.header {
            if let Some(value) = filled.headers.get(name) {
                request.headers.set(name, value.to_owned());
            }
        }
        Ok(())
    }

    /// The draft, changed as told. Its placeholders stand as they are.
    ///
    /// # Errors
    /// When it cannot be had, or a change leads nowhere.
    pub(super) fn read(&self, context: &Context) -> eyre::Result<Draft> {
        let (request, kind, recorded) = if let Some(name) = self.what.strip_prefix("fixture:") {
            let call = fixtures::load(&data_dir()?, name).map_err(|error| eyre!(error))?;
            (call.request, call.kind, None)
        } else if let Some((file, id)) = self.what.rsplit_once('#') {
            let call = find_call(Path::new(file), id)?;
            // What came over the wire is not filled in, only what is put into it here.
            let request = template::literal(call.request.clone());
            (request, call.kind.clone(), Some(call))
        } else {
            let kind = context.kind(&self.what)?;
            (kind.sample(), Some(kind.name.clone()), None)
        };
        let parent = recorded.as_ref().map(|call| call.id);
        let mut draft = Draft { request, kind, parent, recorded, before: Request::default() };
        let coding = Packed::of(&draft.request.headers, &draft.request.body).map(|packed| packed.coding);
        if let Some(data) = &self.data {
            draft.request.body = payload(data)?.into();
            draft.request.cut = false;
        }
        draft.before = draft.request.clone();
        if !self.set.is_empty() {
            draft.request = template::unpacked(draft.request);
        }
        change(&mut draft.request, &self.set).map_err(|error| eyre!("--set: {error}"))?;
        if let Some(coding) = coding
            && Packed::of(&draft.request.headers, &draft.request.body).is_none()
        {
            // What is put in its place is not packed.
            draft.request.headers.remove(CONTENT_ENCODING);
            let coding = visible::line(&coding).into_owned();
            print::note(&format!(
                "its body came compressed ({coding}): edited, it leaves unpacked, without content-encoding"
            ));
        }
        for (name, value) in &self.header {
            draft.request.headers.set(name, value.clone());
        }
        for slip in template::strange(&draft.request) {
            print::note(&visible::line(&slip));
        }
        Ok(draft)
    }
}

/// Does `work` with what placeholders stand for now.
///
/// # Errors
/// Its own, and where the known variables cannot be read.
pub(super) fn with_values<T>(
    context: &Context,
    work: impl FnOnce(&Values<'_>) -> Result<T, String>,
) -> eyre::Result<T> {
    let variables = Variables::load(&Variables::path(&data_dir()?)).map_err(|error| eyre!(error))?;
    let environment = |name: &str| context.config.redact.filled.variable(name);
    work(&Values { now: Timestamp::now(), variables: &variables, environment: &environment }).map_err(|e| eyre!(e))
}

impl Draft {
    /// Puts values for its placeholders.
    ///
    /// # Errors
    /// When one stands for nothing.
    pub(super) fn fill(&mut self, context: &Context) -> eyre::Result<()> {
        if !template::has_placeholders(&self.request) {
            return Ok(());
        }
        with_values(context, |values| template::fill(&mut self.request, values))
    }

    /// The draft as a call that was never sent: what a fixture keeps.
    pub(super) fn call(self, context: &Context) -> Call {
        let known = context.platforms.kind(self.kind.as_deref());
        Call {
            conversation: known.and_then(|kind| kind.read(&self.request).conversation),
            kind: self.kind,
            parent: self.parent,
            ..Call::new(Id::fresh(), Direction::Sent, Timestamp::now(), self.request)
        }
    }
}

fn payload(path: &Path) -> eyre::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).wrap_err("cannot read the payload from standard input")?;
        return Ok(bytes);
    }
    let typed = path.as_os_str().as_encoded_bytes().trim_ascii_start().starts_with(b"{");
    std::fs::read(path).map_err(|error| {
        if typed {
            return eyre!(
                "--data names a file: to type the payload pipe it in, as in `printf '{{...}}' | hooktape send ... --data -`"
            );
        }
        eyre::Report::from(error).wrap_err(format!("cannot read the payload from {}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_cannot_be_sent_is_refused_where_it_is_given() {
        assert_eq!(parse_header(" X-A : b é ").unwrap(), ("X-A".to_owned(), "b é".to_owned()));
        for (text, why) in [
            ("nocolon", "is not of the form"),
            ("Content-Length: 3", "leave it out"),
            ("X: a\nY: b", "it has a line end"),
            ("a b: c", "is no name of a header"),
            (": c", "is no name of a header"),
        ] {
            let error = parse_header(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
