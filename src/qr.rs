//! A QR code in the characters of a terminal, two modules to a character, for a phone to read from the screen.

use qrcode::{Color, EcLevel, QrCode};

/// The margin that readers need (ISO/IEC 18004, 9.1), in modules.
const QUIET: usize = 4;

/// The lines of the code for `text`, margin and all; none where it is too long for one (some 2900 bytes).
///
/// Light modules are drawn and dark ones left blank: right as it is on a dark terminal, and on any other in white on black.
#[must_use]
pub fn lines(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    let light = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < width);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => code[(x, y)] == Color::Light,
            _ => true,
        }
    };
    let side = width + 2 * QUIET;
    let row = |y: usize| {
        let half = |x: usize| match (light(x, y), y + 1 < side && light(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        (0..side).map(half).collect()
    };
    Some((0..side).step_by(2).map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader sees: whether each module is light.
    fn modules(lines: &[String]) -> Vec<Vec<bool>> {
        let half = |line: &String, halves: [char; 2]| line.chars().map(|char| halves.contains(&char)).collect();
        lines.iter().flat_map(|line| [half(line, ['█', '▀']), half(line, ['█', '▄'])]).collect()
    }

    #[test]
    fn it_shows_every_module_of_the_code_in_its_margin() {
        let text = "https://shop.example/page?executionId=1";
        let seen = modules(&lines(text).unwrap());
        let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
        let side = code.width() + 2 * QUIET;
        assert!(seen.len() >= side && seen.iter().all(|row| row.len() == side));
        for y in 0..side {
            for x in 0..side {
                let inside = (QUIET..side - QUIET).contains(&x) && (QUIET..side - QUIET).contains(&y);
                let light = !inside || code[(x - QUIET, y - QUIET)] == Color::Light;
                assert_eq!(seen[y][x], light, "{x} {y}");
            }
        }
    }

    #[test]
    fn what_is_too_long_has_none() {
        assert!(lines(&"x".repeat(2900)).is_some());
        assert!(lines(&"x".repeat(3000)).is_none());
    }
}
