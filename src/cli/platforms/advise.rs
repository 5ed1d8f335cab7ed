//! `hooktape platforms advise NAME`: what one enters in a platform's settings, and where its calls came from, held against
//! what the platform takes.

use std::net::IpAddr;

use color_eyre::eyre::{self, eyre};
use serde_json::json;

use crate::call::Request;
use crate::cli::draft::any_header;
use crate::cli::{Context, Format, Outcome, print};
use crate::platform::{Advice, Finding, Severity};

/// Its arguments.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The platform, as in moveo
    name: String,
    /// The address of the webhook
    #[arg(long, value_name = "URL", required_unless_present_any = ["header", "from"])]
    url: Option<String>,
    /// A custom header (repeatable)
    #[arg(long, value_name = "NAME: VALUE", value_parser = any_header)]
    header: Vec<(String, String)>,
    /// The address that a call came from
    #[arg(long, value_name = "ADDR")]
    from: Option<IpAddr>,
    /// What that call's X-Forwarded-For said: believed where --from is one of the configured `trusted_proxies`
    #[arg(long, value_name = "ADDRS", requires = "from")]
    forwarded_for: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let pack = context.platforms.pack(&args.name).ok_or_else(|| super::unknown(&context.platforms, &args.name))?;
    let Some(advice) = &pack.webhook else {
        let others = context.platforms.packs().filter(|pack| pack.webhook.is_some());
        let names: Vec<&str> = others.map(|pack| pack.name.as_str()).collect();
        return Err(eyre!("{} has no rules for webhooks; those that do: {}", pack.name, names.join(", ")));
    };
    let mut findings = args.url.as_deref().map_or_else(Vec::new, |url| advice.url(url));
    findings.extend(advice.headers(args.header.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
    if let Some(from) = args.from {
        findings.push(caller(context, advice, from, args.forwarded_for.as_deref()));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let fine = findings.iter().all(|finding| finding.severity < Severity::Error);
    match context.format {
        Format::Json => {
            print::result(
                &json!({ "schema": 1, "platform": pack.name, "fine": fine, "findings": findings }).to_string(),
            )?;
        }
        Format::Text => {
            let verdict = if fine { "takes that" } else { "does not take that" };
            let text = format!("{} {verdict}\n{}", pack.title, print::findings(&findings));
            print::result(text.trim_end())?;
        }
    }
    Ok(fine.into())
}

/// What is to be said of a caller, also where there is nothing wrong with it.
fn caller(context: &Context, advice: &Advice, from: IpAddr, forwarded_for: Option<&str>) -> Finding {
    let headers = forwarded_for.into_iter().map(|text| ("x-forwarded-for", text.to_owned())).collect();
    let request = Request { peer: Some(from), headers, ..Request::default() };
    let trusted = &context.config.listen.trusted_proxies;
    if let Some(finding) = advice.caller(&request, trusted) {
        return finding;
    }
    let caller = request.caller(trusted).unwrap_or(from);
    let sentence = if advice.egress.contains(&caller) {
        format!("The platform calls from {caller}. That proves nothing: only the signature does.")
    } else if advice.egress.is_empty() {
        "The platform does not say where its calls come from.".to_owned()
    } else if trusted.contains(&caller) {
        format!(
            "{caller} is named under trusted_proxies in [listen], and its X-Forwarded-For names nobody else who called."
        )
    } else if trusted.contains(&from) {
        format!("{caller}, for whom {from} called, is of this machine or its network: a test, or a tunnel.")
    } else {
        format!(
            "{caller} is of this machine or its network: a test, or a tunnel. Name that under trusted_proxies in [listen], and \
             its X-Forwarded-For counts."
        )
    };
    Finding { pointer: String::new(), severity: Severity::Note, sentence, source: advice.source.clone() }
}
