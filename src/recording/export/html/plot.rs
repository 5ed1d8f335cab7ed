//! How long calls took, over time: a point a call, on a logarithmic scale.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use crate::call::Id;

/// A call in the plot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub at: Timestamp,
    pub took: Duration,
    pub sig: &'static str,
    pub id: Id,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 20.0;

/// More points than these would only lie on each other.
const MOST: usize = 2000;

/// The plot of `points`, which are in the order of time.
pub(super) fn svg(points: &[Point]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return "<p>No calls.\n".to_owned() };
    let logs = points.iter().map(|point| log(point.took));
    let (low, high) = logs.fold((f64::MAX, f64::MIN), |(low, high), log| (low.min(log), high.max(log)));
    let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
    let span = seconds(first, last).max(f64::MIN_POSITIVE);
    let x = |point: &Point| LEFT + (WIDTH - LEFT - 10.0) * seconds(first, point) / span;
    let y = |log: f64| 10.0 + (HEIGHT - BOTTOM - 10.0) * (high - log) / (high - low);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"time each call took\">\n");
    let mut decade = low;
    while decade <= high {
        let y = y(decade);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            label(decade),
        );
        decade += 1.0;
    }
    // Of calls that would lie on each other the slowest is drawn.
    let crowd = points.len().div_ceil(MOST);
    for crowd in points.chunks(crowd) {
        let Some(slowest) = crowd.iter().max_by_key(|point| point.took) else { continue };
        let _ = writeln!(
            svg,
            "<a href=\"#c{}\"><circle class=\"{}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{:.3}, {} µs, {}</title></circle></a>",
            slowest.id,
            slowest.sig,
            x(slowest),
            y(log(slowest.took)),
            slowest.at,
            slowest.took.as_micros(),
            slowest.sig,
        );
    }
    let base = HEIGHT - 4.0;
    let _ = writeln!(svg, "<text class=\"start\" x=\"{LEFT}\" y=\"{base}\">{:.3}</text>", first.at);
    let _ = writeln!(svg, "<text x=\"{WIDTH}\" y=\"{base}\">{:.3}</text>\n</svg>", last.at);
    if crowd > 1 {
        let _ = writeln!(svg, "<p>Each point is the slowest of {crowd} calls in a row.");
    }
    svg
}

fn seconds(from: &Point, to: &Point) -> f64 {
    to.at.duration_since(from.at).as_secs_f64()
}

/// The decimal logarithm of its microseconds.
fn log(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).max(1.0).log10()
}

fn label(decade: f64) -> String {
    match 10_f64.powf(decade) {
        micros if micros < 1e3 => format!("{micros:.0} µs"),
        micros if micros < 1e6 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.0} s", micros / 1e6),
    }
}
