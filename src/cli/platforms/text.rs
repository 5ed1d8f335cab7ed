//! What a pack knows, laid out for reading at 80 columns.

use crate::cli::Context;
use crate::cli::print::wrapped;
use crate::platform::{Advice, Field, Kind, Pack, Table};
use crate::visible;

/// Where the text begins that stands beside a label.
const TEXT: usize = 13;

/// The platform.
pub(super) fn heading(pack: &Pack) -> String {
    let mut lines = vec![format!("{} · {}", visible::line(&pack.name), visible::line(&pack.title))];
    for scheme in pack.schemes().values() {
        lines.push(wrapped("  signature", TEXT, &format!("{}: {}", scheme.bare(), scheme.describe())));
        lines.push(wrapped("", TEXT, &format!("({})", scheme.source)));
    }
    lines.join("\n") + "\n"
}

/// One of its calls.
pub(super) fn kind(context: &Context, kind: &Kind) -> String {
    let about = kind.describe();
    let mut lines = vec![format!("{} · {}", visible::line(&about.name), visible::line(&about.title))];
    let instead = about.instead.map(|instead| format!("{instead}, where this one is not configured"));
    for (label, text) in [
        ("fires", Some(about.fires)),
        ("returns", Some(about.returns)),
        ("failure", Some(about.failure)),
        ("waits", kind.timeout().map(|timeout| format!("{timeout:?} at most for an answer"))),
        ("instead", instead),
        ("signed", Some(about.signed.unwrap_or_else(|| "not signed".to_owned()))),
        ("ends", kind.closes().map(|opened| format!("the wait that {opened} began"))),
        ("appends", Some(kind.appends().join(", "))),
        ("source", Some(about.source)),
    ] {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            lines.push(wrapped(&format!("  {label}"), TEXT, &text));
        }
    }
    for (word, then) in super::then(context, kind) {
        lines.push(wrapped(&format!("  {word}"), TEXT, then));
    }
    fields(&mut lines, "request", &kind.fields());
    fields(&mut lines, "response", &kind.response_fields());
    fields(&mut lines, "error response", &kind.error_fields());
    let answers = kind.answers();
    if !answers.is_empty() {
        lines.push("\n  the stand-in answers".to_owned());
    }
    for answer in answers {
        lines.push(wrapped(&format!("    {}", answer.status), TEXT, &format!("when {}", answer.when)));
        lines.push(wrapped("", TEXT, &answer.body.to_string()));
    }
    lines.join("\n") + "\n"
}

fn fields(lines: &mut Vec<String>, title: &str, fields: &[Field]) {
    if !fields.is_empty() {
        lines.push(format!("\n  {title}"));
    }
    for field in fields {
        // A response has but its body.
        let part = if field.part.ends_with("response") { None } else { Some(field.part) };
        let said: Vec<&str> = part.into_iter().chain(field.json_type.as_deref()).chain([&*field.need]).collect();
        lines.push(wrapped(&format!("    {}  ", visible::line(&field.place)), 6, &said.join(", ")));
        if let Some(meaning) = &field.meaning {
            lines.push(wrapped("", 6, meaning));
        }
        if !field.allowed.is_empty() {
            lines.push(wrapped("", 6, &format!("known: {}", field.allowed.join(", "))));
        }
    }
}

/// What its documents tell besides calls.
pub(super) fn rest(pack: &Pack) -> String {
    let mut lines = Vec::new();
    if !pack.endpoints.is_empty() {
        lines.push("endpoints, as --to takes them".to_owned());
    }
    for endpoint in &pack.endpoints {
        lines.push(wrapped(&format!("  {}", visible::line(&endpoint.name)), 21, &endpoint.title));
        lines.push(wrapped("", 4, &endpoint.url));
        lines.push(wrapped("", 4, &format!("takes {}", endpoint.kinds.join(", "))));
        lines.push(wrapped("", 4, &format!("({})", endpoint.source)));
    }
    if let Some(webhook) = &pack.webhook {
        lines.push("\nwhat one enters for a webhook (`hooktape platforms advise` checks it)".to_owned());
        advice(&mut lines, webhook);
    }
    for each in &pack.tables {
        table(&mut lines, each);
    }
    lines.join("\n")
}

fn advice(lines: &mut Vec<String>, advice: &Advice) {
    if advice.public_https {
        lines.push(wrapped("  URL", TEXT, "HTTPS only, and no loopback or private address"));
    }
    if let Some(most) = advice.max_custom_headers {
        lines.push(wrapped("  headers", TEXT, &format!("at most {most} custom headers")));
    }
    if !advice.forbidden_headers.is_empty() {
        lines.push(wrapped("  forbidden", TEXT, &advice.forbidden_headers.join(", ")));
    }
    if !advice.doubtful_headers.is_empty() {
        let names = advice.doubtful_headers.join(", ");
        lines.push(wrapped("  doubtful", TEXT, &format!("{names}: an older document forbids them")));
    }
    for (name, known) in &advice.known_headers {
        lines.push(wrapped("  known", TEXT, &format!("{name}: {}: {}", known.value, known.meaning)));
    }
    if !advice.egress.is_empty() {
        let addresses: Vec<String> = advice.egress.iter().map(ToString::to_string).collect();
        lines.push(wrapped("  calls from", TEXT, &addresses.join(", ")));
    }
    lines.push(wrapped("  source", TEXT, &advice.source));
}

/// Two columns stand side by side; of more, each has a line with its heading, for 80 columns are few.
fn table(lines: &mut Vec<String>, table: &Table) {
    lines.push(format!("\n{}", visible::line(&table.title)));
    let labels = table.columns.first().into_iter().chain(table.rows.iter().filter_map(|row| row.first()));
    let widest = labels.map(|label| visible::width(&visible::line(label))).max().unwrap_or_default();
    let heading: Vec<String> = table.columns.iter().map(|column| column.to_uppercase()).collect();
    let headed = heading.len() == 2 && widest <= 30;
    for row in headed.then_some(&heading).into_iter().chain(&table.rows) {
        match row.as_slice() {
            [] => {}
            [only] => lines.push(wrapped("  -", 4, only)),
            [label, text] if widest <= 30 => {
                lines.push(wrapped(&format!("  {}", visible::line(label)), widest + 4, text));
            }
            [label, cells @ ..] => {
                lines.push(wrapped("", 2, label));
                for (column, cell) in table.columns.iter().skip(1).zip(cells) {
                    lines.push(wrapped(&format!("    {}: ", visible::line(column)), 6, cell));
                }
            }
        }
    }
    lines.push(wrapped("", 2, &format!("({})", table.source)));
}
