//! Platforms as data: what a call is, what it means, and whether it keeps its contract.
//!
//! ```text
//! assets/platforms/NAME/pack.toml  how calls are recognised, read, signed and answered    pack
//!                      *.schema.json  what a body may be and what its fields mean         schema
//!                      samples/, replies/                                                kind
//!
//! Request --> Platforms::recognise() --> Kind --> read(), envelope(), check_request(), check_response(), sample(), answer()
//! ```
//!
//! No platform is named in the code: to support one is to add a folder. A departure from a contract is a [`Finding`], never a
//! refusal to show the call.

mod advice;
mod consequence;
mod contract;
mod doc;
mod envelope;
mod fill;
mod finding;
mod judging;
mod keyring;
mod kind;
mod lint;
mod pack;
mod page;
mod recognise;
mod refresh;
mod schema;
mod stranger;
#[cfg(test)]
mod tests;
mod turns;
mod wait;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::call::Request;
use crate::config::{Target, instead};
use crate::signature::Scheme;
use kind::Shared;
use pack::{ConversationSpec, Files, SectionSpec, VectorSpec};
use schema::Library;

pub use advice::Advice;
pub use consequence::Consequence;
pub use envelope::{Envelope, Row, Section};
pub use finding::{Finding, Severity};
pub use keyring::{Keyring, own_secrets};
pub use kind::{Answer, Description, Field, Kind, Reading};
pub use pack::check_name;
pub use page::{Form, Opening, PageCall};
pub use recognise::Seen;
pub use schema::Help;
pub use turns::{Spoken, Turns};
pub use wait::{Callback, Fate, Outcome, Wait};

static BUILTIN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/assets/platforms");

/// What is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{file}: {message}")]
pub struct PackError {
    /// The file.
    pub file: String,
    /// Line, key and what is wrong there.
    pub message: String,
}

/// `[[endpoint]]`: a place of the platform's that calls go to. Real, so nothing is sent there unasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// What `--to` calls it.
    pub name: String,
    /// What the document calls it.
    pub title: String,
    /// As of a target: `{path}` stands for the path of the call.
    pub url: String,
    /// The kinds that it takes, `platform/kind`, in a pack without the platform; none: any.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The document that says so.
    pub source: String,
}

impl Endpoint {
    /// It as a target: guarded, for it is real.
    #[must_use]
    pub fn target(&self) -> Target {
        Target { guard: true, kinds: self.kinds.clone(), ..Target::new(&self.name, &self.url) }
    }
}

/// `[[table]]`: a table of the platform's document that is about no field of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its heading.
    pub title: String,
    /// The headings of its columns.
    pub columns: Vec<String>,
    /// As many cells each as there are columns.
    pub rows: Vec<Vec<String>>,
    /// The document.
    pub source: String,
}

/// What a request was recognised as.
#[derive(Debug)]
pub struct Recognition<'a> {
    /// The kind, if any fits.
    pub kind: Option<&'a Kind>,
    /// Others that fit equally well.
    pub also: Vec<&'a Kind>,
}

/// One platform's pack.
#[derive(Debug)]
pub struct Pack {
    /// The platform's name, as in `platform/kind`.
    pub name: String,
    /// The name people know it by.
    pub title: String,
    /// Where it was read, for errors.
    folder: String,
    /// Its place among the built-in ones.
    order: u32,
    headers: Vec<String>,
    /// In the order of trying.
    kinds: Vec<Kind>,
    /// Their numbers, in the order in which a conversation meets them.
    story: Vec<usize>,
    /// How many of them tell one.
    told: usize,
    vectors: Vec<VectorSpec>,
    /// The platform's own places.
    pub endpoints: Vec<Endpoint>,
    /// What its documents tell besides calls.
    pub tables: Vec<Table>,
    /// What it takes for the address of a webhook, if it calls any.
    pub webhook: Option<Advice>,
    shared: Arc<Shared>,
}

impl Pack {
    fn read(folder: &str, files: Files) -> Result<Self, PackError> {
        let file = pack::read(folder, &files)?;
        let platform = file.platform.name.into_inner();
        let mut schemes = file.signature;
        for (name, scheme) in &mut schemes {
            scheme.name = format!("{platform}/{name}");
        }
        Scheme::tell_apart(schemes.values_mut());
        let shared = Arc::new(Shared {
            platform: platform.clone(),
            schemes,
            refresh: file.refresh,
            sections: file.section,
            conversation: file.conversation,
            sample_headers: file.sample_headers,
            library: Arc::new(Library::new(files)),
            source: file.platform.source,
        });
        let told =
            |spec: &pack::KindSpec| file.platform.story.iter().position(|name| name.as_ref() == spec.name.as_ref());
        let mut story: Vec<usize> = (0..file.kind.len()).collect();
        story.sort_by_key(|number| told(&file.kind[*number]).unwrap_or(usize::MAX));
        let full = |kind: &String| format!("{platform}/{kind}");
        let endpoints = file.endpoint.into_iter();
        let endpoints =
            endpoints.map(|place| Endpoint { kinds: place.kinds.iter().map(full).collect(), ..place }).collect();
        Ok(Self {
            story,
            told: file.platform.story.len(),
            name: platform,
            title: file.platform.title,
            folder: folder.to_owned(),
            order: file.platform.order,
            headers: file.platform.headers,
            kinds: file.kind.into_iter().map(|spec| Kind::new(spec, &shared)).collect(),
            vectors: file.vector,
            endpoints,
            tables: file.table,
            webhook: file.webhook,
            shared,
        })
    }

    /// Its kinds in the order in which a conversation meets them.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.story.iter().filter_map(|number| self.kinds.get(*number))
    }

    /// The kinds that tell one conversation, in its order; none where the pack tells none.
    pub fn story(&self) -> impl Iterator<Item = &Kind> {
        self.kinds().take(self.told)
    }

    /// Its signature schemes by name.
    pub fn schemes(&self) -> &BTreeMap<String, Scheme> {
        &self.shared.schemes
    }

    fn share(&mut self, shared: Shared) {
        self.shared = Arc::new(shared);
        for kind in &mut self.kinds {
            kind.shared = self.shared.clone();
        }
    }

    fn sections(&self) -> &[SectionSpec] {
        &self.shared.sections
    }

    fn conversation(&self) -> &ConversationSpec {
        &self.shared.conversation
    }

    /// Whether the request bears a header that only this platform's calls have.
    fn marks(&self, seen: &Seen<'_>) -> bool {
        self.headers.iter().any(|name| seen.bears(name))
    }
}

/// Every pack that is known.
#[derive(Debug)]
pub struct Platforms {
    packs: Vec<Pack>,
}

impl Platforms {
    /// The packs that come with the program. Schemas are compiled when first needed, so this is cheap.
    ///
    /// # Errors
    /// When a pack cannot be read, which the program's tests rule out.
    pub fn builtin() -> Result<Self, PackError> {
        let read =
            |dir: &Dir<'static>| Pack::read(&format!("assets/platforms/{}", dir.path().display()), pack::embedded(dir));
        let mut packs = BUILTIN.dirs().map(read).collect::<Result<Vec<Pack>, _>>()?;
        packs.sort_by_key(|pack| pack.order);
        Ok(Self { packs })
    }

    /// Adds the pack in the folder `path`, in the place of one that has its name.
    ///
    /// # Errors
    /// When the pack cannot be read, or one of its schemas is none.
    pub fn add_dir(&mut self, path: &Path) -> Result<&Pack, PackError> {
        let folder = path.display().to_string();
        let pack = Pack::read(&folder, pack::on_disk(path)?)?;
        for schema in pack.kinds.iter().flat_map(Kind::schemas) {
            if let Err(reason) = schema.compile() {
                let message = format!("is no JSON Schema: {reason}");
                return Err(PackError { file: format!("{folder}/{}", schema.file), message });
            }
        }
        let index = self.packs.iter().position(|known| known.name == pack.name).unwrap_or(self.packs.len());
        if index < self.packs.len() {
            self.packs[index] = pack;
        } else {
            self.packs.push(pack);
        }
        Ok(&self.packs[index])
    }

    /// Adds every pack in the folders under `parent`, by name. A folder without `pack.toml` is passed over, and a `parent`
    /// that is not there has none.
    ///
    /// # Errors
    /// As [`Self::add_dir`], at the first pack that cannot be added; or `parent` cannot be read.
    pub fn add_all(&mut self, parent: &Path) -> Result<(), PackError> {
        let entries = match std::fs::read_dir(parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(PackError { file: parent.display().to_string(), message: error.to_string() }),
        };
        let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        folders.retain(|folder| folder.join("pack.toml").is_file());
        folders.sort();
        folders.iter().try_for_each(|folder| self.add_dir(folder).map(drop))
    }

    /// Everything wrong with the pack in the folder `path`, held to the same contract as the built-in ones; empty when it
    /// is sound.
    #[must_use]
    pub fn check(path: &Path) -> Vec<PackError> {
        let mut platforms = match Self::builtin() {
            Ok(platforms) => platforms,
            Err(error) => return vec![error],
        };
        let name = match platforms.add_dir(path) {
            Ok(pack) => pack.name.clone(),
            Err(error) => return vec![error],
        };
        platforms.pack(&name).map(|pack| contract::problems(&platforms, pack)).unwrap_or_default()
    }

    /// Takes tokens from these issuers too, for the schemes that `name` files: `PLATFORM` or `PLATFORM/SCHEME`.
    ///
    /// # Errors
    /// When nothing of that name has tokens with an issuer: a sentence with the names there are.
    pub fn allow_issuers(&mut self, name: &str, issuers: &[String]) -> Result<(), String> {
        let (platform, bare) = name.split_once('/').map_or((name, None), |(platform, bare)| (platform, Some(bare)));
        let mut known = false;
        for pack in self.packs.iter_mut().filter(|pack| pack.name == platform) {
            let mut shared = Shared::clone(&pack.shared);
            for (_, scheme) in shared.schemes.iter_mut().filter(|(own, _)| bare.is_none_or(|bare| bare == *own)) {
                known |= scheme.allow_issuers(issuers);
            }
            pack.share(shared);
        }
        if known {
            return Ok(());
        }
        let names: Vec<&str> = self
            .packs
            .iter()
            .flat_map(|pack| pack.schemes().values())
            .filter(|scheme| !scheme.issuers().is_empty())
            .map(|scheme| scheme.name.as_str())
            .collect();
        Err(format!("{name:?} has no tokens with an issuer: {}", instead(name, &names)))
    }

    /// Every pack.
    pub fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter()
    }

    /// The pack of a platform.
    #[must_use]
    pub fn pack(&self, name: &str) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.name == name)
    }

    /// What people call a platform: its pack's title, or the name itself where there is no such pack.
    #[must_use]
    pub fn title_of<'a>(&'a self, platform: &'a str) -> &'a str {
        self.pack(platform).map_or(platform, |pack| &pack.title)
    }

    /// Every kind of every pack; those of a pack in the order in which a conversation meets them.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.packs.iter().flat_map(Pack::kinds)
    }

    /// The kind `platform/kind`; also `kind` alone where only one platform has it. None without a name, as a call has that is
    /// of no known kind.
    #[must_use]
    pub fn kind<'a>(&self, name: impl Into<Option<&'a str>>) -> Option<&Kind> {
        let name = name.into()?;
        let bare = || {
            let mut kinds = self.kinds().filter(|kind| kind.bare() == name);
            kinds.next().filter(|_| kinds.next().is_none())
        };
        self.kinds().find(|kind| kind.name == name).or_else(bare)
    }

    /// Every platform's own places, by the names that `--to` takes.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.packs.iter().flat_map(|pack| &pack.endpoints)
    }

    /// What a request is. Cheap: on the path of every call; the body is read at most once and only as far as rules ask.
    ///
    /// Of several kinds that fit, those of a platform whose headers the request bears come first, then those that name most
    /// of its path, then the order of the pack; what fits equally well is in `also`. A request that fits none, say because
    /// its body was cut, is what its path names: a rule's path, or the kind if it names the platform too or the request bears
    /// the platform's headers.
    #[must_use]
    pub fn recognise(&self, request: &Request) -> Recognition<'_> {
        self.recognise_seen(&Seen::new(&request.readable()))
    }

    /// As [`Self::recognise`], for a request that something else will look at too.
    #[must_use]
    pub fn recognise_seen(&self, seen: &Seen<'_>) -> Recognition<'_> {
        let path = &seen.path[..];
        let mut fitting: SmallVec<[((bool, usize), &Kind); 4]> = SmallVec::new();
        let marks: SmallVec<[bool; 64]> = self.packs.iter().map(|pack| pack.marks(seen)).collect();
        for marked in [true, false] {
            for (pack, _) in self.packs.iter().zip(&marks).filter(|(_, own)| **own == marked) {
                for kind in &pack.kinds {
                    if let Some(segments) = kind.spec.recognise.fit(seen) {
                        let by_name = usize::from(recognise::names(path, kind.bare()));
                        fitting.push(((marked, segments.max(by_name)), kind));
                    }
                }
            }
            // What the marked platforms claim, no other gets.
            if !fitting.is_empty() {
                break;
            }
        }
        let best = fitting.iter().map(|(rank, _)| *rank).max();
        let mut equal = fitting.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, kind)| kind);
        Recognition { kind: equal.next().or_else(|| self.named(seen, &marks)), also: equal.collect() }
    }

    /// The kind that the path names, whatever the body is. `marks`: the packs whose headers the request bears.
    fn named(&self, seen: &Seen<'_>, marks: &[bool]) -> Option<&Kind> {
        let of = |wanted: bool| self.packs.iter().zip(marks).filter(move |(_, marked)| **marked == wanted);
        first_best(of(true).chain(of(false)).flat_map(|(pack, marked)| {
            let ours = *marked || recognise::names(&seen.path, &pack.name);
            pack.kinds.iter().filter_map(move |kind| kind.named_by(&seen.request.method, &seen.path, ours))
        }))
    }

    /// The call of a page that `method` on `path` means where there is no body yet to tell more.
    #[must_use]
    pub fn called_by_pages(&self, method: &str, path: &str) -> Option<&Kind> {
        let pages = self.kinds().filter(|kind| kind.is_from_a_browser());
        let path = recognise::segments(path);
        first_best(pages.filter_map(|kind| kind.named_by(method, &path, recognise::names(&path, kind.platform()))))
    }

    /// What a call that was taken for `kind` could be as well. Nothing where `kind` fits as well as the usual one and was not
    /// tried first: then its route says so.
    #[must_use]
    pub fn could_be(&self, request: &Request, kind: &Kind) -> Vec<&Kind> {
        let Recognition { kind: best, also } = self.recognise(request);
        if also.iter().any(|other| other.name == kind.name) {
            return Vec::new();
        }
        best.into_iter().chain(also).filter(|other| other.name != kind.name).collect()
    }

    /// What is to be said of where a call of `kind` came from: as [`Advice::caller`], for what the platform itself calls.
    #[must_use]
    pub fn check_caller(&self, request: &Request, kind: &Kind, trusted: &[IpAddr]) -> Option<Finding> {
        let advice = self.pack(kind.platform())?.webhook.as_ref()?;
        if kind.is_from_a_browser() { None } else { advice.caller(request, trusted) }
    }
}

/// The first of those with the highest rank.
fn first_best<'a>(ranked: impl IntoIterator<Item = (usize, &'a Kind)>) -> Option<&'a Kind> {
    ranked.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, kind)| kind)
}
