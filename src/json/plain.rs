//! Which bytes stand in a string as they are. Everything that is recorded or read goes through this, so it looks at eight
//! at a time, for most strings are short, and in long ones at as many as the widest registers hold.

/// Bytes that are looked at eight at a time before a string is long: ids and times are shorter.
const SHORT: usize = 48;

/// Bytes that are looked at together in a long string; compilers make a few instructions of them.
const BLOCK: usize = 32;

const EACH: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = EACH * 0x80;

/// How many bytes at the beginning are neither a quote nor a backslash nor a control character, which RFC 8259 has escaped.
#[must_use]
pub fn plain(bytes: &[u8]) -> usize {
    if bytes.len() < SHORT + BLOCK {
        return of_words(bytes);
    }
    let begun = of_words(&bytes[..SHORT]);
    if begun < SHORT {
        return begun;
    }
    let (blocks, _) = bytes[SHORT..].as_chunks::<BLOCK>();
    let is_plain = |block: &&[u8; BLOCK]| block.iter().fold(0, |found, byte| found | special(*byte)) == 0;
    let long = SHORT + BLOCK * blocks.iter().take_while(is_plain).count();
    long + of_words(&bytes[long..])
}

/// 1 for what does not stand as it is, reckoned without a jump so that many are reckoned at a time.
fn special(byte: u8) -> u8 {
    u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < b' ')
}

fn of_words(bytes: &[u8]) -> usize {
    let (words, last) = bytes.as_chunks();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Each has the high bits of the bytes that are below its limit, and may have those of bytes that are not ASCII, which
        // none of the three is: exact up to and with the first found.
        let [quote, escape] = [b'"', b'\\'].map(|byte| (word ^ (EACH * u64::from(byte))).wrapping_sub(EACH));
        let found = (quote | escape | word.wrapping_sub(EACH * u64::from(b' '))) & !word & HIGH;
        if found != 0 {
            return 8 * number + found.trailing_zeros() as usize / 8;
        }
    }
    8 * words.len() + last.iter().position(|byte| special(*byte) == 1).unwrap_or(last.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_ends_where_something_must_be_escaped(bytes in proptest::collection::vec(prop_oneof![99 => b'#'..b'\\', 9 => b' '.., 1 => any::<u8>()], 0..200)) {
            let special = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '));
            prop_assert_eq!(plain(&bytes), special.unwrap_or(bytes.len()));
        }
    }
}
