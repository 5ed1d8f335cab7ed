//! A JSON text through a jq filter.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Exn, Vars, data};
use jaq_json::{Val, read};

use crate::json;

/// Most values that a filter may give.
const MOST_VALUES: usize = 100_000;
/// Bytes of an error that are shown, at each of its ends: it quotes a value whole, and says behind it what is wrong.
const END: usize = 300;
/// Longest result, in bytes.
const MOST_BYTES: usize = 32 << 20;

/// What `filter` makes of the JSON text `body`: one value as it is, several as an array, none as no text. May never
/// return, take all memory or go too deep: it is for a process of its own.
///
/// # Errors
/// A sentence: what is wrong with the filter, or what went wrong while it ran.
pub fn run(body: &[u8], filter: &str) -> Result<String, String> {
    if std::str::from_utf8(body).map_or(true, |text| json::check(text).is_err()) {
        return Err("the body is not JSON".to_owned());
    }
    let input = read::parse_single(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let (loader, arena) = (Loader::new(defs), Arena::default());
    let modules = loader.load(&arena, File { code: filter, path: () }).map_err(|errors| told(filter, errors))?;
    let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
        let unknown: Vec<String> = errors.into_iter().flat_map(|(_, errors)| errors).map(unknown).collect();
        unknown.join("; ")
    })?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut found: Vec<String> = Vec::new();
    let mut bytes = 0;
    for value in filter.id.run((context, input)) {
        let failed = |exception: Exn<'_, Val>| match exception.get_err() {
            Ok(error) => format!("the filter failed: {}", both_ends(&error.to_string())),
            Err(_) => "the filter stopped by itself".to_owned(),
        };
        let value = value.map_err(failed)?.to_string();
        bytes += value.len();
        if found.len() >= MOST_VALUES || bytes > MOST_BYTES {
            return Err(format!("the filter gives more than {MOST_VALUES} values or {} MiB", MOST_BYTES >> 20));
        }
        found.push(value);
    }
    match found.len() {
        0 => Ok(String::new()),
        1 => Ok(found.swap_remove(0)),
        _ => Ok(format!("[{}]", found.join(","))),
    }
}

/// `"nope" is not known here`. It may be to the program `jq`: that reads files and further inputs, too.
fn unknown((name, _): (&str, jaq_core::compile::Undefined)) -> String {
    format!("{name:?} is not known here")
}

/// What is wrong with a filter, and where.
fn told(filter: &str, errors: jaq_core::load::Errors<&str, ()>) -> String {
    use jaq_core::load::Error;
    // The parts of the filter that errors name are slices of it.
    let column = |at: &str| {
        let offset = (at.as_ptr() as usize).checked_sub(filter.as_ptr() as usize).filter(|at| *at <= filter.len());
        offset
            .and_then(|at| filter.get(..at))
            .map_or_else(String::new, |before| format!(" at column {}", before.chars().count() + 1))
    };
    let mut told = Vec::new();
    for (_, error) in errors {
        match error {
            Error::Io(errors) => told.extend(errors.into_iter().map(|(path, error)| format!("{path}: {error}"))),
            Error::Lex(errors) => {
                told.extend(
                    errors.into_iter().map(|(wanted, at)| format!("{} is expected{}", wanted.as_str(), column(at))),
                );
            }
            Error::Parse(errors) => {
                told.extend(
                    errors.into_iter().map(|(wanted, at)| format!("{} is expected{}", wanted.as_str(), column(at))),
                );
            }
        }
    }
    told.join("; ")
}

fn both_ends(error: &str) -> String {
    if error.len() <= 2 * END {
        return error.to_owned();
    }
    let (begin, end) = (error.floor_char_boundary(END), error.ceil_char_boundary(error.len() - END));
    format!("{} … {}", &error[..begin], &error[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_gives_its_value_or_an_array_of_them() {
        let body = br#"{"a":[{"n":1.0},{"n":12345678901234567890123}]}"#;
        assert_eq!(run(body, ".a[1].n").unwrap(), "12345678901234567890123");
        assert_eq!(run(body, ".a[].n").unwrap(), "[1.0,12345678901234567890123]");
        assert_eq!(run(body, "empty").unwrap(), "");
        assert_eq!(run(body, ".a | length").unwrap(), "2");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(run(b"{}", ".a[").unwrap_err().contains("column"), "{:?}", run(b"{}", ".a["));
        assert!(run(b"{}", "nope").unwrap_err().contains("\"nope\" is not known here"));
        assert!(run(b"{}", ".a | error(\"x\")").unwrap_err().contains("failed"));
        assert!(run(b"nonsense", ".").unwrap_err().contains("not JSON"));
        let long = format!("\"{}\"", "ä".repeat(1 << 20));
        let told = run(long.as_bytes(), ".x").unwrap_err();
        assert!(told.len() < 3 * END && told.contains(" … ") && told.ends_with("\"x\""), "{told}");
        for halting in ["halt", "halt_error", "halt(3)"] {
            assert!(run(b"1", halting).is_err(), "{halting}");
        }
        assert_eq!(run(b"1", "def f: . + 1; f").unwrap(), "2");
        assert!(run("[".repeat(1 << 20).as_bytes(), ".").unwrap_err().contains("not JSON"));
        assert!(run(b"1", "repeat(1)").unwrap_err().contains("more than"));
    }
}
