//! `hooktape config check`: what the configuration says, and what is wrong with it.

use std::fmt::Write as _;
use std::path::PathBuf;

use color_eyre::eyre;
use serde_json::{Value, json};

use crate::cli::{Context, Format, Outcome, print};
use crate::config::Route;
use crate::recording::Redaction;
use crate::visible;

/// What to do with the configuration.
#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Read it as a start would, and say what it amounts to
    Check,
}

/// `record`: where the environment has a start record to.
pub(super) fn run(context: &Context, command: &Command, record: Option<PathBuf>) -> eyre::Result<Outcome> {
    let Command::Check = command;
    let config = &context.config;
    let problems = config.problems();
    let record = record.map_or_else(|| context.place(), Ok)?;
    // A forward's address may be its password, as that of a webhook of Slack.
    let redaction = context.redaction()?;
    if context.format == Format::Json {
        let secrets: Vec<_> = config
            .secrets
            .all()
            .map(|(name, secret)| json!({ "name": name, "reference": secret.label(), "readable": secret.value().is_ok() }))
            .collect();
        let routes: Vec<_> = config.routes.iter().map(|route| to_json(route, &redaction)).collect();
        let targets: Vec<_> = config
            .targets
            .iter()
            .map(|target| json!({ "name": target.name, "url": context.hushed_url(&target.url), "guard": target.guard }))
            .collect();
        let endpoints: Vec<_> = context.platforms.endpoints().collect();
        let value = json!({
            "schema": 1, "file": config.file, "listen": config.listen.address.to_string(), "record": record,
            "secrets": secrets,
            "routes": routes, "targets": targets, "endpoints": endpoints, "warnings": config.warnings, "problems": problems,
        });
        print::result(&value.to_string())?;
        return Ok(problems.is_empty().into());
    }
    match &config.file {
        Some(file) => print::result(&format!("file     {}", visible::line(&file.display().to_string())))?,
        None => print::result("file     none: hooktape.toml here, or config.toml in the configuration directory")?,
    }
    print::result(&format!("listen   {}", config.listen.address))?;
    print::result(&format!("record   {}", visible::line(&record.display().to_string())))?;
    for (name, secret) in config.secrets.all() {
        let state = secret.value().map_or_else(ToOwned::to_owned, |value| format!("{} bytes", value.len()));
        let secret = format!("secret   {name} = {} ({state})", secret.label());
        print::result(&visible::line(&secret))?;
    }
    for route in &config.routes {
        let kind = route.kind.as_deref().unwrap_or("recognised");
        let mut text = format!("route    {} ({kind})", route.path);
        if let Some(respond) = &route.respond {
            let _ = write!(text, ", answered with: {}", redaction.text(&respond.to_string()));
        }
        if let Some(fails) = route.fail_on_error {
            text.push_str(if fails { ", a failure interrupts the conversation" } else { ", a failure is passed over" });
        }
        if let Some(time) = route.timeout {
            let _ = write!(text, ", the platform waits {time:?}");
        }
        print::result(&visible::line(&text))?;
    }
    for target in &config.targets {
        let guard = if target.guard { ", asks first" } else { "" };
        let url = context.hushed_url(&target.url);
        print::result(&format!("target   {} {}{guard}", visible::line(&target.name), visible::line(&url)))?;
    }
    for endpoint in context.platforms.endpoints() {
        let (name, url) = (visible::line(&endpoint.name), visible::line(&endpoint.url));
        print::result(&format!("endpoint {name} {url}, asks first"))?;
    }
    for warning in &config.warnings {
        print::note(&format!("warning: {warning}"));
    }
    for problem in &problems {
        print::note(&format!("problem: {problem}"));
    }
    Ok(problems.is_empty().into())
}

fn to_json(route: &Route, redaction: &Redaction) -> Value {
    let respond = route.respond.as_ref().map(|respond| redaction.text(&respond.to_string()).into_owned());
    json!({
        "path": route.path, "kind": route.kind, "respond": respond,
        "fail_on_error": route.fail_on_error, "timeout_us": route.timeout.map(|time| time.as_micros()),
    })
}
