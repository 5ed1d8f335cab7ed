//! `hooktape recordings` and `hooktape prune`: what the data directory keeps, and removing what is no longer wanted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgGroup;
use color_eyre::eyre::{self, eyre};
use jiff::Timestamp;
use serde_json::json;

use crate::call::Id;
use crate::cli::context::{Context, data_dir};
use crate::cli::{Format, Outcome, print};
use crate::config::{parse_duration, parse_size};
use crate::recording::{self, Kept, Marks, OpenError, Position, Reader};
use crate::visible;

/// The arguments of `prune`.
#[derive(clap::Args, Debug)]
#[command(group = ArgGroup::new("which").required(true).multiple(true))]
pub struct Args {
    /// Remove recordings that were last recorded to longer ago: 30d, 12h
    #[arg(long, value_name = "AGE", group = "which", value_parser = parse_duration)]
    older_than: Option<Duration>,
    /// Remove recordings that are larger: 1GiB, 500MB
    #[arg(long, value_name = "SIZE", group = "which", value_parser = parse_size)]
    larger_than: Option<usize>,
    /// Keep the newest N whatever else is said; alone: remove all others
    #[arg(long, value_name = "N", group = "which")]
    keep: Option<usize>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

fn folder() -> eyre::Result<PathBuf> {
    Ok(recording::folder(&data_dir()?))
}

pub(super) fn list(context: &Context) -> eyre::Result<Outcome> {
    let kept = recording::recordings_in(&folder()?)?;
    let now = Timestamp::now();
    for one in &kept {
        print::out(&line(context, one, calls(&one.path), None, now))?;
    }
    if context.format == Format::Text {
        print::note(&sum(&kept, "recording"));
    }
    Ok(Outcome::Yes)
}

/// How many calls a recording has, without those that are deleted; none where it cannot be read.
fn calls(path: &Path) -> Option<u64> {
    let reader = Reader::open(path).ok()?;
    let mut entries = reader.entries(Position::default());
    let ids: Vec<Id> = entries.by_ref().flatten().map(|entry| entry.id).collect();
    let marks: Marks = entries.take_annotations().into_iter().collect();
    Some(ids.iter().filter(|id| marks.of(**id).is_none_or(|said| !said.deleted)).count() as u64)
}

pub(super) fn prune(context: &Context, args: &Args) -> eyre::Result<Outcome> {
    let now = Timestamp::now();
    let kept = recording::recordings_in(&folder()?)?;
    let (in_use, gone): (Vec<Kept>, Vec<Kept>) = chosen(args, kept, now).into_iter().partition(|one| one.in_use);
    for one in &in_use {
        print::note(&format!("hooktape: {} stays: it is being recorded to", one.path.display()));
    }
    // For people the list comes before the question; for programs it says what became of each.
    let told_then = context.format == Format::Json && !args.dry_run;
    for one in gone.iter().filter(|_| !told_then) {
        print::result(&line(context, one, None, None, now))?;
    }
    let what = sum(&gone, "recording");
    if args.dry_run || gone.is_empty() {
        print::note(&format!("{what} would be removed"));
        return Ok(Outcome::Yes);
    }
    if !args.yes && !confirmed(&what)? {
        print::note("nothing was removed");
        return Ok(Outcome::No);
    }
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    for one in gone {
        let result = one.remove();
        if told_then {
            print::result(&line(context, &one, None, Some(&result), now))?;
        }
        match result {
            Ok(()) => removed.push(one),
            Err(error) => failed.push(error),
        }
    }
    print::note(&format!("{} removed", sum(&removed, "recording")));
    let last = failed.pop();
    for error in failed {
        print::note(&format!("hooktape: {error}"));
    }
    last.map_or(Ok(Outcome::Yes), |error| Err(error.into()))
}

/// The recordings that the arguments mean; `kept` has the newest first.
fn chosen(args: &Args, kept: Vec<Kept>, now: Timestamp) -> Vec<Kept> {
    let any = args.older_than.is_none() && args.larger_than.is_none();
    let goes = |one: &Kept| {
        any || args.older_than.is_some_and(|age| one.age(now) > age)
            || args.larger_than.is_some_and(|size| one.bytes > size as u64)
    };
    kept.into_iter().skip(args.keep.unwrap_or(0)).filter(goes).collect()
}

fn confirmed(what: &str) -> eyre::Result<bool> {
    print::ask(&format!("Remove {what}?"))?
        .ok_or_else(|| eyre!("{what} would be removed: say --yes, or --dry-run to only see them"))
}

fn sum(kept: &[Kept], what: &str) -> String {
    let bytes = kept.iter().map(|one| one.bytes).sum();
    format!("{}, {}", visible::count(kept.len(), what), visible::size(bytes))
}

/// A recording; `removal`: how that went.
fn line(
    context: &Context,
    one: &Kept,
    calls: Option<u64>,
    removal: Option<&Result<(), OpenError>>,
    now: Timestamp,
) -> String {
    let age = one.age(now);
    if context.format == Format::Json {
        let mut value = json!({
            "schema": 1, "path": one.path, "bytes": one.bytes, "changed": one.changed, "in_use": one.in_use,
        });
        if one.torn > 0 {
            value["torn_bytes"] = one.torn.into();
        }
        if let Some(calls) = calls {
            value["calls"] = calls.into();
        }
        if let Some(removal) = removal {
            value["removed"] = removal.is_ok().into();
            value["error"] = json!(removal.as_ref().err().map(ToString::to_string));
        }
        return value.to_string();
    }
    let calls = calls.map_or_else(String::new, |calls| visible::count(calls, "call"));
    let state = if one.in_use { "  (being recorded to)" } else { "" };
    let beside = one.beside().map_or_else(String::new, |beside| format!("  ({})", visible::line(&beside)));
    let (path, size) = (one.path.to_string_lossy(), visible::size(one.bytes));
    format!("{size:>10}  {calls:>12}  {:>5}  {}{state}{beside}", visible::age(age), visible::line(&path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_size_choose_and_the_newest_are_kept_whatever_they_say() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let recording = |name: &str, age: i64, bytes: u64| Kept {
            path: name.into(),
            bytes,
            torn: 0,
            changed: Timestamp::from_second(1_000_000 - age).unwrap(),
            in_use: false,
            identity: (0, 0),
        };
        let all =
            [recording("a", -5, 900), recording("b", 100, 50), recording("c", 7_300, 10), recording("d", 9_999, 500)];
        let names = |older: Option<u64>, larger: Option<usize>, keep: Option<usize>| -> String {
            let older_than = older.map(Duration::from_secs);
            let args = Args { older_than, larger_than: larger, keep, dry_run: false, yes: false };
            let gone = chosen(&args, all.to_vec(), now);
            gone.iter().map(|one| one.path.display().to_string()).collect::<Vec<_>>().concat()
        };
        assert_eq!(names(Some(3600), None, None), "cd");
        assert_eq!(names(None, Some(100), None), "ad");
        assert_eq!(names(Some(3600), Some(100), None), "acd");
        assert_eq!(names(Some(3600), Some(100), Some(3)), "d");
        assert_eq!(names(None, None, Some(2)), "cd");
    }
}
