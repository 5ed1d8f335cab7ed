//! `JUnit`'s XML: a suite, a case a delivery.

use std::io::{self, Write};

use super::{Report, escape};
use crate::call::micros;
use crate::replay::Summary;

pub(super) fn write(report: &Report, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let failed = report.cases.iter().filter(|case| !case.unmet.is_empty()).count();
    let skipped = report.cases.iter().filter(|case| case.skipped.is_some()).count();
    let (title, at) = (escape(&format!("{} to {}", report.title, report.targets())), report.at);
    // What was not sent has no cases: else what is left of a replay that was ended would pass for all of it.
    let shortfall = summary.shortfall();
    let errors = usize::from(shortfall.is_some());
    let time = seconds(micros(summary.elapsed));
    let tests = report.cases.len() + errors;
    let counts = format!("tests=\"{tests}\" failures=\"{failed}\" skipped=\"{skipped}\" errors=\"{errors}\"");
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"hooktape replay\" {counts} time=\"{time}\">")?;
    writeln!(out, "<testsuite name=\"{title}\" {counts} time=\"{time}\" timestamp=\"{at:.0}\">")?;
    let how = escape(&report.how);
    writeln!(out, "<properties><property name=\"how\" value=\"{how}\"/></properties>")?;
    for case in &report.cases {
        let class = escape(&case.kind.as_deref().unwrap_or("unknown").replace('/', "."));
        let (name, time) = (escape(&case.name()), seconds(case.took_us));
        write!(out, "<testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\">")?;
        if let Some(reason) = &case.skipped {
            write!(out, "<skipped message=\"{}\"/>", escape(reason))?;
        }
        if let Some(first) = case.unmet.first() {
            let message = escape(&format!("expected {first}"));
            write!(out, "<failure message=\"{message}\">{}</failure>", escape(&case.trouble()))?;
        }
        if let Some(other) = &case.against {
            let first = answer(&case.url, case.status, case.took_us, None);
            let second = answer(&other.url, other.status, other.took_us, other.error.as_deref());
            write!(out, "<system-out>{}</system-out>", escape(&format!("{first}\n{second}")))?;
        }
        writeln!(out, "</testcase>")?;
    }
    if let Some(shortfall) = shortfall {
        let message = escape(&shortfall);
        write!(out, "<testcase classname=\"replay\" name=\"all calls are sent\" time=\"0\">")?;
        writeln!(out, "<error message=\"{message}\"/></testcase>")?;
    }
    writeln!(out, "</testsuite>\n</testsuites>")
}

/// `http://a/hook: 200 in 1.234567 s`.
fn answer(url: &str, status: Option<u16>, took: u64, error: Option<&str>) -> String {
    match (error, status) {
        (Some(error), _) => format!("{url}: {error}"),
        (None, Some(status)) => format!("{url}: {status} in {} s", seconds(took)),
        (None, None) => format!("{url}: no answer in {} s", seconds(took)),
    }
}

fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
