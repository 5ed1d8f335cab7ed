//! `hooktape init`: writes a commented `hooktape.toml` by asking four questions.
//!
//! The file is `assets/hooktape.toml` with the answers in it: every key there is, with what it means.

use std::fs::OpenOptions;
use std::io::{BufRead, ErrorKind, IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr, eyre};
use serde_json::json;

use crate::cli::{Common, Format, Outcome, context, platforms, print};
use crate::config::{Assignment, Listen, Target, parse_address, parse_assignment};
use crate::platform::{Kind, Pack, Platforms};
use crate::signature::Scheme;
use crate::visible;

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Ask nothing: take every default
    #[arg(long)]
    yes: bool,
}

/// Every key, with `@NAME@` where an answer goes.
const TEMPLATE: &str = include_str!("../../assets/hooktape.toml");

/// Where one's own server is while one writes it.
const SERVER: &str = "http://127.0.0.1:3000";

/// How a secret is given, for who has given it otherwise. What was typed may be the secret and is not repeated.
const LITERAL: &str = "that is no reference: a secret itself never goes into this file. Put it into a variable (export \
                       MOVEO_TOKEN=...) and answer env:MOVEO_TOKEN, or into a file that only you can read and answer \
                       file:PATH; `none` for no secret";

pub(super) fn run(common: &Common, args: &Args) -> eyre::Result<Outcome> {
    let path = common.config.clone().unwrap_or_else(|| PathBuf::from("hooktape.toml"));
    if path.symlink_metadata().is_ok() {
        return Err(taken(&path));
    }
    let platforms = context::platforms()?;
    let mut asking = Asking { input: std::io::stdin().lock(), yes: args.yes, again: std::io::stdin().is_terminal() };
    let answers = Answers::ask(&platforms, &mut asking)?;
    write(&path, &answers.text())?;
    let next = answers.next();
    if common.format == Format::Json {
        print::out(&json!({ "schema": 1, "file": path, "next": next }).to_string())?;
        return Ok(Outcome::Yes);
    }
    print::out(&format!("{} is written", visible::line(&path.to_string_lossy())))?;
    for step in next {
        print::out(&format!("next: {}", visible::line(&step)))?;
    }
    Ok(Outcome::Yes)
}

fn taken(path: &Path) -> eyre::Report {
    eyre!("{} is there already and stays as it is: move it away, or write another with --config PATH", path.display())
}

fn write(path: &Path, text: &str) -> eyre::Result<()> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(taken(path)),
        opened => opened.wrap_err_with(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes()).wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Whom the questions are put to.
struct Asking<R> {
    input: R,
    /// Nobody: every default is taken.
    yes: bool,
    /// Whether a wrong answer is asked for again; who feeds lines cannot see that and gets an error.
    again: bool,
}

impl<R: BufRead> Asking<R> {
    /// The answer, or what enter stands for.
    fn ask<T>(&mut self, question: &str, default: &str, read: impl Fn(&str) -> Result<T, String>) -> eyre::Result<T> {
        if self.yes {
            return read(default).map_err(|why| eyre!(why));
        }
        loop {
            print::note(&format!("{question} [{default}]"));
            let mut line = String::new();
            if self.input.read_line(&mut line).wrap_err("cannot read the answer")? == 0 {
                return Err(eyre!("there is no answer, so nothing was written: --yes takes every default"));
            }
            let answer = line.trim();
            match read(if answer.is_empty() { default } else { answer }) {
                Ok(value) => return Ok(value),
                Err(why) if self.again => print::note(&why),
                Err(why) => return Err(eyre!("{why}; nothing was written")),
            }
        }
    }
}

/// What the file is made of.
struct Answers {
    platforms: Vec<String>,
    /// A kind of the first one, for examples.
    kind: String,
    address: SocketAddr,
    secrets: Vec<Assignment>,
    server: Option<Server>,
}

/// One's own server.
#[derive(Debug, PartialEq)]
struct Server {
    url: String,
    /// Whether every call is passed on to it.
    forward: bool,
}

impl Answers {
    fn ask<R: BufRead>(known: &Platforms, asking: &mut Asking<R>) -> eyre::Result<Self> {
        let names: Vec<&str> = known.packs().map(|pack| pack.name.as_str()).collect();
        let first = names.first().copied().unwrap_or_default();
        let question = format!("1/4  Who calls you? One or several of {}", names.join(", "));
        let packs = asking.ask(&question, first, |text| chosen(known, text))?;
        let usual = Listen::default().address.to_string();
        let address = asking.ask("2/4  Which address and port to listen on?", &usual, listen)?;
        let mut secrets = Vec::new();
        for pack in &packs {
            let Some((scheme, usual)) = signing(pack) else { continue };
            let question = format!(
                "3/4  Which variable holds {}'s {}? Its name, not the secret; or file:PATH, or none",
                pack.title, scheme.secret
            );
            let read = |text: &str| reference(text, |name| std::env::var_os(name).is_some());
            let answer = asking.ask(&question, &usual.reference, read)?;
            secrets.extend(answer.map(|reference| Assignment { name: usual.name, reference }));
        }
        let question =
            "4/4  Where is your own server, to test against? `forward URL` passes calls on to it too; or none";
        let server = asking.ask(question, SERVER, |text| server(text, address))?;
        let kind = packs.iter().flat_map(|pack| pack.kinds()).next().map_or_else(String::new, |kind| kind.name.clone());
        Ok(Self { platforms: packs.iter().map(|pack| pack.name.clone()).collect(), kind, address, secrets, server })
    }

    /// The file.
    fn text(&self) -> String {
        let secrets: Vec<String> =
            self.secrets.iter().map(|one| format!("{} = {}", quoted(&one.name), quoted(&one.reference))).collect();
        let secrets = if secrets.is_empty() { r#"#moveo = "env:MOVEO_TOKEN""#.to_owned() } else { secrets.join("\n") };
        let forward = self.server.as_ref().is_some_and(|server| server.forward);
        let forward = format!("{}respond.forward = {}", if forward { "" } else { "#" }, quoted(self.target()));
        TEMPLATE
            .replace("@TARGET@", &self.target_table())
            .replace("@ADDRESS@", &quoted(&self.address.to_string()))
            .replace("@FORWARD@", &forward)
            .replace("@KIND@", &quoted(&self.kind))
            .replace("@SECRETS@", &secrets)
    }

    /// What calls can be forwarded to: the target of the file, or an example.
    fn target(&self) -> &str {
        if self.server.is_some() { "local" } else { SERVER }
    }

    fn target_table(&self) -> String {
        // Without a server the whole table is an example.
        let off = if self.server.is_some() { "" } else { "#" };
        let url = quoted(self.server.as_ref().map_or(SERVER, |server| &server.url));
        format!(
            r#"# A named place to send to: `hooktape send {kind} --to local`, `hooktape replay FILE --to local`.
{off}[[target]]
# What --to calls it.
{off}name = "local"
# Where calls go; {{kind}}, {{platform}}, {{name}} and {{path}} are filled in. Without a path it gets the recorded one.
{off}url = {url}
# Where calls of some kinds, or of a platform, go instead.
#urls = {{ @KIND@ = "http://127.0.0.1:3000/special" }}
# Its own secret to sign with: a reference, or a name of [secrets]. Left out: the platform's.
#secret = "env:TARGET_SECRET"
# Headers that every call gets; "env:NAME" and "file:PATH" as well.
#headers = {{ X-Env = "local" }}
# Headers that no call gets.
#drop_headers = ["X-Forwarded-For"]
# Whom to believe over https: any certificate with verify = false, or further authorities with ca = "FILE.pem".
#tls = {{ verify = false }}
# "confirm" asks before anything is sent, naming host and count.
#guard = "none"
# How long to wait for an answer.
#timeout = "30s""#,
            kind = self.kind,
        )
    }

    /// What to do with it.
    fn next(&self) -> Vec<String> {
        let unset = self.secrets.iter().filter_map(|one| one.reference.strip_prefix("env:"));
        let unset = unset.filter(|name| std::env::var_os(name).is_none());
        let mut next: Vec<String> =
            unset.map(|name| format!("set the variable {name}, which is not set here")).collect();
        next.push("hooktape doctor says whether all is well".to_owned());
        let url = format!("http://{}", self.address);
        next.push(format!(
            "hooktape, and have {} call {url} (through a tunnel, if it is elsewhere)",
            self.platforms.join(", ")
        ));
        next
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The platforms of a list, each once.
fn chosen<'a>(known: &'a Platforms, text: &str) -> Result<Vec<&'a Pack>, String> {
    let mut packs: Vec<&Pack> = Vec::new();
    for name in text.split([',', ' ']).filter(|name| !name.is_empty()) {
        let pack = known.pack(name).ok_or_else(|| platforms::unknown(known, name).to_string())?;
        if !packs.iter().any(|one| one.name == pack.name) {
            packs.push(pack);
        }
    }
    if packs.is_empty() { Err("name a platform, as in moveo".to_owned()) } else { Ok(packs) }
}

/// An address, or a port of this machine.
fn listen(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse().ok();
    port.map_or_else(|| parse_address(text), |port: u16| Ok((Ipv4Addr::LOCALHOST, port).into()))
}

/// How a platform signs its usual call, and the usual reference to the secret; none if it signs nothing.
fn signing(pack: &Pack) -> Option<(&Scheme, Assignment)> {
    let scheme = pack.kinds().find_map(Kind::scheme)?;
    let usual = parse_assignment(scheme.flag().strip_prefix("--secret ")?).ok()?;
    Some((scheme, usual))
}

/// The reference that an answer means. A name without `env:` must look like a variable's, or be one: some secrets are
/// made of letters and digits too.
fn reference(text: &str, is_set: impl Fn(&str) -> bool) -> Result<Option<String>, String> {
    if text == "none" {
        return Ok(None);
    }
    let upper = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
    let bare = !text.contains([':', '=', '\0']) && (is_set(text) || text.contains('_') && text.chars().all(upper));
    let reference = if bare { format!("env:{text}") } else { text.to_owned() };
    parse_assignment(&format!("x={reference}")).map(|one| Some(one.reference)).map_err(|_| LITERAL.to_owned())
}

/// One's own server, which is not the listener itself.
fn server(text: &str, listener: SocketAddr) -> Result<Option<Server>, String> {
    if text == "none" {
        return Ok(None);
    }
    let (forward, address) = text.strip_prefix("forward ").map_or((false, text), |rest| (true, rest.trim()));
    let target = Target::from_address(address)?;
    if target.is_at(&format!("http://{listener}"), None) {
        return Err(format!("{listener} is where hooktape listens: your own server needs another port"));
    }
    Ok(Some(Server { url: target.url, forward }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_by_reference_only_and_never_repeated() {
        let set = |name: &str| name == "token";
        for (text, meant) in [
            ("MOVEO_TOKEN", "env:MOVEO_TOKEN"),
            ("env:TOKEN", "env:TOKEN"),
            ("token", "env:token"),
            ("file:keys/a b.pem", "file:keys/a b.pem"),
        ] {
            assert_eq!(reference(text, set), Ok(Some(meant.to_owned())));
        }
        assert_eq!(reference("none", set), Ok(None));
        for literal in ["JBSWY3DPEHPK3PXP", "s3cret_s3cret", "sk_live_4242", "0_1", "a:b", "env:", "file:", "x=env:Y"] {
            // The sentence is a fixed one.
            assert_eq!(reference(literal, set).unwrap_err(), LITERAL, "{literal}");
        }
    }

    #[test]
    fn a_port_is_one_of_this_machine_and_a_server_is_not_the_listener() {
        let address = listen("8080").unwrap();
        assert_eq!((address, listen(":8080")), ("127.0.0.1:8080".parse().unwrap(), Ok(address)));
        assert!(listen("99999").is_err());
        let url = |forward| Some(Server { url: "http://127.0.0.1:3000".to_owned(), forward });
        assert_eq!(server(":3000", address), Ok(url(false)));
        assert_eq!(server("forward localhost:3000", address).unwrap().map(|server| server.forward), Some(true));
        assert_eq!(server("none", address), Ok(None));
        assert!(server(":8080", address).unwrap_err().contains("another port"));
    }
}
