//! `JUnit`'s XML: a suite, a case a delivery.

use std::io::{self, Write};

use super::{Report, escape};
use crate::replay::Summary;

pub(super) fn write(report: &Report, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let failed = report.cases.iter().filter(|case| !case.unmet.is_empty()).count();
    let skipped = report.cases.iter().filter(|case| case.skipped.is_some()).count();
    let (title, at) = (escape(&format!("{} to {}", report.title, report.target)), report.at);
    let time = seconds(u64::try_from(summary.elapsed.as_micros()).unwrap_or(u64::MAX));
    let counts = format!("tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\" errors=\"0\"", report.cases.len());
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"hooktape replay\" {counts} time=\"{time}\">")?;
    writeln!(out, "<testsuite name=\"{title}\" {counts} time=\"{time}\" timestamp=\"{at:.0}\">")?;
    for case in &report.cases {
        let class = escape(&case.kind.as_deref().unwrap_or("unknown").replace('/', "."));
        let (name, time) = (escape(&case.name()), seconds(case.took_us));
        write!(out, "<testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\">")?;
        if let Some(reason) = &case.skipped {
            write!(out, "<skipped message=\"{}\"/>", escape(reason))?;
        }
        if let Some(first) = case.unmet.first() {
            let message = escape(&format!("expected {}: {}", first.expected, first.found));
            write!(out, "<failure message=\"{message}\">{}</failure>", escape(&case.trouble()))?;
        }
        writeln!(out, "</testcase>")?;
    }
    writeln!(out, "</testsuite>\n</testsuites>")
}
