//! Strings that are too long for an index: whoever calls chooses how long a path or the key of a conversation is.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Most bytes that are kept of a string.
const MOST: usize = 512;

/// Bytes of a string's hash that are kept instead of its end: others that begin so stay apart.
const HASH: usize = 8;

/// Bytes of a longer string that are kept; where these end within a character, up to three fewer.
const BEGINNING: usize = MOST - "…".len() - 2 * HASH;

/// What is kept of `text`: all of it, unless it is too long.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    if text.len() <= MOST {
        return text.into();
    }
    let mut kept = text[..text.floor_char_boundary(BEGINNING)].to_owned();
    kept.push('…');
    for byte in &Sha256::digest(text)[..HASH] {
        let _ = write!(kept, "{byte:02x}");
    }
    kept.into()
}

/// How a longer string begins, if `kept` may be what was kept of one: only the call has all of that.
#[must_use]
pub fn beginning(kept: &str) -> Option<&str> {
    let (beginning, hash) = kept.rsplit_once('…').filter(|_| (MOST - 3..=MOST).contains(&kept.len()))?;
    let is_hash = hash.len() == 2 * HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_strings_are_kept_apart_in_little_room() {
        for whole in ["", "/hooks?a=1", &"x".repeat(MOST)] {
            assert_eq!((&*short(whole), beginning(whole)), (whole, None));
        }
        for letter in ["x", "é", "€", "🙂"] {
            let long = letter.repeat(1000);
            let kept = short(&long);
            let begins = beginning(&kept).unwrap();
            assert!(long.starts_with(begins) && begins.starts_with(&letter.repeat(100)), "{kept}");
            assert_eq!(short(&kept), kept, "it is not made short again");
            assert_ne!(kept, short(&(long.clone() + "y")));
            assert_eq!(kept, short(&long));
        }
    }
}
