//! Texts that are too long to be kept with every call: whoever calls chooses how long a path or the key of a conversation is.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Most bytes that an index keeps of a text.
const MOST: usize = 512;

/// Most bytes of the key of a conversation: fewer than are left of a text in an index, so that nobody looks for the rest of it.
const MOST_OF_KEY: usize = 500;

/// Bytes of a text's hash that are kept instead of its end: others that begin so stay apart, also where whoever calls would
/// rather have them meet.
const HASH: usize = 8;

/// What an index keeps of `text`: all of it, unless it has more than 512 bytes; then its beginning and a hash of the whole.
#[must_use]
pub fn short(text: &str) -> Cow<'_, str> {
    within(MOST, text)
}

/// `text` as the key of a conversation: all of it, unless it has more than 500 bytes; then its beginning and a hash of the
/// whole. [`short`] leaves that as it is, and [`beginning`] takes it for all there is.
#[must_use]
pub fn short_key(text: &str) -> Cow<'_, str> {
    within(MOST_OF_KEY, text)
}

fn within(most: usize, text: &str) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    // Where that ends within a character, there are up to three bytes fewer.
    let beginning = most - "…".len() - 2 * HASH;
    let mut kept = text[..text.floor_char_boundary(beginning)].to_owned();
    kept.push('…');
    for byte in &Sha256::digest(text)[..HASH] {
        let _ = write!(kept, "{byte:02x}");
    }
    kept.into()
}

/// How a longer text begins, if `kept` may be what [`short`] kept of one: only the call has all of that.
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
    fn long_texts_are_kept_apart_in_little_room() {
        for whole in ["", "/hooks?a=1", &"x".repeat(MOST)] {
            assert_eq!((&*short(whole), beginning(whole)), (whole, None));
        }
        assert_eq!(short_key(&"x".repeat(MOST_OF_KEY)), "x".repeat(MOST_OF_KEY));
        for letter in ["x", "é", "€", "🙂"] {
            let long = letter.repeat(1000);
            let kept = short(&long);
            let begins = beginning(&kept).unwrap();
            assert!(long.starts_with(begins) && begins.starts_with(&letter.repeat(100)), "{kept}");
            assert_eq!(short(&kept), kept, "it is not made short again");
            assert_ne!(kept, short(&(long.clone() + "y")));
            assert_eq!(kept, short(&long));
            let key = short_key(&long);
            assert_eq!((short(&key), beginning(&key)), (key.clone(), None), "an index keeps all of it");
        }
    }

    #[test]
    fn who_calls_does_not_put_two_conversations_into_one() {
        let [one, two] = ["plumless", "buckeroo"].map(|end| "a".repeat(MOST) + end);
        assert_eq!(crc32fast::hash(one.as_bytes()), crc32fast::hash(two.as_bytes()));
        assert_ne!(short_key(&one), short_key(&two));
    }
}
