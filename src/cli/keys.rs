//! `hooktape keys new`, `hooktape keys jwt`: the key pair that a webview signs with, and tokens made with it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use color_eyre::eyre::{self, WrapErr, eyre};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::call::Request;
use crate::cli::{Context, Format, Outcome, print};
use crate::config::{Secret, instead, parse_duration};
use crate::recording::export::curl::quote;
use crate::signature::keys::{self, KeyPair};
use crate::signature::{self, Method, Rules, Scheme};
use crate::visible;

/// What to make.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Make an RSA key pair of 2048 bits, as webviews sign with
    New(NewArgs),
    /// Make a token (JWT), signed with a private key
    Jwt(JwtArgs),
}

/// The arguments of `keys new`.
#[derive(clap::Args, Debug)]
pub struct NewArgs {
    /// Where to: the folder gets private.pem, private.env and public.pem
    #[arg(long, value_name = "DIR", default_value = "keys", conflicts_with = "print")]
    dir: PathBuf,
    /// Print the keys, the private one too, and write no file
    #[arg(long)]
    print: bool,
}

/// The arguments of `keys jwt`.
#[derive(clap::Args, Debug)]
pub struct JwtArgs {
    /// The private key, by reference: PEM (PKCS#1 or PKCS#8), or base64 of it [default: the configured one]
    #[arg(long, value_name = "env:NAME|file:PATH")]
    key: Option<String>,
    /// What the token says, as in sub=USER (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_claim)]
    claim: Vec<(String, Value)>,
    /// How long it is good for: 4s, or 4000 (milliseconds) [default: the platform's]
    #[arg(long, value_name = "DURATION", value_parser = parse_lifetime)]
    lifetime: Option<u64>,
    /// Whose token: PLATFORM/SCHEME, or PLATFORM [default: the one platform's that has tokens]
    #[arg(long, value_name = "SCHEME")]
    scheme: Option<String>,
}

/// Numbers, `true`, lists and objects are what they look like; but who a token is about and from is text (RFC 7519, 4.1).
fn parse_claim(text: &str) -> Result<(String, Value), String> {
    let form = "this is not of the form NAME=VALUE, as in sub=USER";
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(form)?;
    if matches!(name, "iat" | "exp") {
        return Err(format!("{name} is the time of making: --lifetime says how long the token is good for"));
    }
    let is_text = matches!(name, "sub" | "iss" | "jti");
    let json = if is_text { None } else { serde_json::from_str(value).ok() };
    Ok((name.to_owned(), json.unwrap_or_else(|| value.into())))
}

/// Milliseconds.
fn parse_lifetime(text: &str) -> Result<u64, String> {
    if let Ok(millis) = text.parse() {
        return Ok(millis);
    }
    parse_duration(text).map(|lifetime| u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn run(context: &Context, command: &Command) -> eyre::Result<Outcome> {
    match command {
        Command::New(args) => new(context, args),
        Command::Jwt(args) => jwt(context, args),
    }
}

fn new(context: &Context, args: &NewArgs) -> eyre::Result<Outcome> {
    let path = |name: &str| args.dir.join(name);
    let files = [path("private.pem"), path("private.env"), path("public.pem")];
    if !args.print {
        vacant(&files)?;
    }
    let pair = keys::new_rsa()?;
    if args.print {
        let text = match context.format {
            Format::Text => format!("{}\n{}\n{}", pair.private_pem, environment(&pair), pair.public_pem),
            Format::Json => json!({
                "schema": 1, "private_key": pair.private_pem, "private_key_base64": pair.private_base64,
                "public_key": pair.public_pem, "public_key_base64": pair.public_base64,
            })
            .to_string(),
        };
        print::out(text.trim_end())?;
        return Ok(Outcome::Yes);
    }
    write(&args.dir, &files, &pair)?;
    let [private, env, public] = &files;
    // What the key is for, and how to start with it.
    let uses: Vec<(&Scheme, String)> = schemes(context)
        .filter(|(_, rules)| rules.algorithms.contains(&signature::TokenAlgorithm::Rs256))
        .map(|(scheme, _)| {
            (scheme, format!("--secret {}={}", scheme.name, quote(format!("file:{}", private.display()).as_bytes())))
        })
        .collect();
    if context.format == Format::Json {
        let flags: Vec<&String> = uses.iter().map(|(_, flag)| flag).collect();
        let value = json!({
            "schema": 1, "private": private, "env": env, "public": public,
            "public_key": pair.public_pem, "public_key_base64": pair.public_base64, "flags": flags,
        });
        print::out(&value.to_string())?;
        return Ok(Outcome::Yes);
    }
    let shown = |path: &Path| visible::line(&path.display().to_string()).into_owned();
    print::out(&format!("{}  private: signs. For you alone, and not for version control", shown(private)))?;
    print::out(&format!("{}  the same as a variable, PRIVATE_RSA_KEY (base64 of the PEM)", shown(env)))?;
    print::out(&format!("{}   public: verifies. Paste it into the platform's settings:", shown(public)))?;
    print::out(&format!("\n{}", pair.public_pem))?;
    for (scheme, flag) in &uses {
        print::out(&format!("{}: {}", scheme.name, scheme.secret))?;
        print::out(&format!("  next: hooktape {flag}"))?;
    }
    Ok(Outcome::Yes)
}

/// The line of an env file.
fn environment(pair: &KeyPair) -> String {
    format!("PRIVATE_RSA_KEY={}\n", pair.private_base64)
}

/// Refuses to take the place of a key.
fn vacant(files: &[PathBuf]) -> eyre::Result<()> {
    match files.iter().find(|file| file.symlink_metadata().is_ok()) {
        Some(file) => Err(taken(file)),
        None => Ok(()),
    }
}

fn taken(file: &Path) -> eyre::Report {
    eyre!(
        "{} is there already, and a key that is overwritten is lost: move it away, or give --dir another folder",
        file.display()
    )
}

/// Writes all three files, or none.
fn write(dir: &Path, files: &[PathBuf; 3], pair: &KeyPair) -> eyre::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .wrap_err_with(|| format!("cannot make the folder {}", dir.display()))?;
    let env = environment(pair);
    let contents = [(&pair.private_pem, 0o600), (&env, 0o600), (&pair.public_pem, 0o644)];
    for (done, (file, (text, mode))) in files.iter().zip(contents).enumerate() {
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
        let exists = matches!(&opened, Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        if let Err(error) = written {
            // Half a pair is worth nothing. What is there already is not ours.
            for file in &files[..done + usize::from(!exists)] {
                let _ = fs::remove_file(file);
            }
            return Err(if exists { taken(file) } else { eyre!("cannot write {}: {error}", file.display()) });
        }
    }
    Ok(())
}

/// The schemes whose tokens one's own key signs, with their rules: of the others, the key is the platform's.
fn schemes(context: &Context) -> impl Iterator<Item = (&Scheme, &Rules)> {
    context.platforms.packs().flat_map(|pack| pack.schemes().values()).filter_map(|scheme| match &scheme.method {
        Method::Jwt(rules) if !scheme.optional => Some((scheme, rules)),
        Method::Jwt(_) | Method::Detached(_) | Method::Shared(_) => None,
    })
}

/// The scheme of that name; without a name, the only one there is.
fn scheme<'a>(context: &'a Context, name: Option<&str>) -> eyre::Result<(&'a Scheme, &'a Rules)> {
    let mut fitting =
        schemes(context).filter(|(scheme, _)| name.is_none_or(|name| scheme.name == name || scheme.platform() == name));
    let names = || schemes(context).map(|(scheme, _)| scheme.name.as_str()).collect::<Vec<_>>();
    match (fitting.next(), fitting.next(), name) {
        (Some(one), None, _) => Ok(one),
        (Some(_), Some(_), _) => Err(eyre!("--scheme has to say whose token it is: {}", names().join(", "))),
        (None, _, name) => {
            let name = name.unwrap_or_default();
            Err(eyre!("--scheme: {name:?} has no tokens: {}", instead(name, &names())))
        }
    }
}

/// The key that `--key` names, or the first configured one that signs.
fn key(context: &Context, scheme: &Scheme, reference: Option<&str>) -> eyre::Result<Secret> {
    let Some(reference) = reference else {
        let mut configured = scheme.configured(&context.keyring.secrets);
        let found = configured.find(|secret| scheme.can_sign_with(secret)).cloned();
        return found.ok_or_else(|| {
            eyre!("there is no private key to sign with: --key file:PATH names one, and `hooktape keys new` makes one")
        });
    };
    // Not parsed by clap, which would print what it refuses: that may be the key itself.
    let here = std::env::current_dir().wrap_err("cannot tell which directory this is")?;
    let secret = Secret::resolve(reference, &here, &std::env::vars_os().collect()).map_err(|e| eyre!("--key: {e}"))?;
    if let Some(warning) = secret.warning() {
        print::note(&format!("hooktape: {warning}"));
    }
    Ok(secret)
}

fn jwt(context: &Context, args: &JwtArgs) -> eyre::Result<Outcome> {
    let (scheme, rules) = scheme(context, args.scheme.as_deref())?;
    let key = key(context, scheme, args.key.as_deref())?;
    let mut claims = Map::new();
    for (name, value) in &args.claim {
        claims.insert(name.clone(), value.clone());
    }
    if let Some(issuer) = rules.issuers.first() {
        claims.entry("iss").or_insert_with(|| issuer.as_str().into());
    }
    let lacks = |name: &&String| match claims.get(name.as_str()) {
        None => !matches!(name.as_str(), "iat" | "exp"),
        Some(value) => value.as_str() == Some(""),
    };
    if let Some(name) = rules.required.iter().find(lacks) {
        return Err(eyre!("a token of {} needs `{name}`: say it with --claim {name}=...", scheme.name));
    }
    let at = Timestamp::now();
    let lifetime = args.lifetime.unwrap_or(rules.lifetime);
    let wrong = |error: signature::SignError| match error {
        signature::SignError::Secret(why) => eyre!("--key {}: {why}", key.label()),
        other => eyre!("--lifetime: {other}"),
    };
    let token = keys::mint(&key, &rules.algorithms, claims, lifetime, at).map_err(wrong)?;
    let public = keys::public_pem(&key, &rules.algorithms).map_err(wrong)?;
    let claims = signature::claims(&token).unwrap_or_default();
    let expires = claims.get("exp").and_then(Value::as_i64).and_then(|second| Timestamp::from_second(second).ok());
    // As whoever gets it will judge it.
    let mut request = Request::default();
    request.headers.push(&scheme.header, format!("{}{token}", scheme.prefix));
    let verdict = signature::verify(scheme, &request, &[&key], at);
    if context.format == Format::Json {
        let value = json!({
            "schema": 1, "token": token, "header": scheme.header, "value": format!("{}{token}", scheme.prefix),
            "claims": claims, "expires": expires, "public_key": public, "sig": verdict.sig, "reason": verdict.reason,
        });
        print::out(&value.to_string())?;
        return Ok(Outcome::Yes);
    }
    print::out(&token)?;
    print::note(&format!(
        "{} of {}, to stand in {} after `{}`",
        key.label(),
        scheme.name,
        scheme.header,
        scheme.prefix
    ));
    for (name, value) in &claims {
        print::note(&format!("  {name:4} {value}"));
    }
    if let Some(expires) = expires {
        print::note(&format!("expires {expires}, {lifetime} ms after it was made"));
    }
    if verdict.needs_explaining() {
        print::note(&format!("it will not be taken: {}", verdict.reason));
    }
    if let Some(public) = public {
        print::note(&format!("the public key that verifies it ({}):\n{}", scheme.secret, public.trim_end()));
    }
    Ok(Outcome::Yes)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sub=1234567890123456", "sub", json!("1234567890123456"))]
    #[case("sub=a=b", "sub", json!("a=b"))]
    #[case("admin=true", "admin", json!(true))]
    #[case("aud=[\"a\",\"b\"]", "aud", json!(["a", "b"]))]
    #[case("name=Jon Snow", "name", json!("Jon Snow"))]
    fn claims_are_text_where_they_must_be(#[case] text: &str, #[case] name: &str, #[case] value: Value) {
        assert_eq!(parse_claim(text), Ok((name.to_owned(), value)));
    }

    #[rstest]
    #[case("4000", Some(4000))]
    #[case("4000ms", Some(4000))]
    #[case("4s", Some(4000))]
    #[case("soon", None)]
    #[case("-1", None)]
    fn a_bare_number_is_milliseconds(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(parse_lifetime(text).ok(), millis);
    }
}
