//! Looks for secrets in whatever a program leaves behind, in every form in which they could be seen.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use memchr::memmem;

/// A secret by name, and its forms.
pub struct Needle {
    name: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Needle {
    /// As it is, in hex, base64 (wherever in a longer text it may begin), and with `%`. Of a PEM file, each line.
    pub fn new(name: &'static str, secret: &str) -> Self {
        let lines: Vec<&str> = if secret.contains("-----BEGIN") {
            secret.lines().filter(|line| line.len() > 20 && !line.starts_with('-')).collect()
        } else {
            vec![secret]
        };
        let mut forms = Vec::new();
        for bytes in lines.iter().map(|line| line.as_bytes()) {
            let hex = base16ct::lower::encode_string(bytes);
            let percent = bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            forms.extend([bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), percent.into_bytes()]);
            for shift in 0..3 {
                // What its first and last bytes share a character with is another's.
                let shifted = [&vec![0; shift], bytes].concat();
                let whole = shifted.len() / 3 * 4;
                for engine in [STANDARD, URL_SAFE] {
                    forms.push(engine.encode(&shifted).as_bytes()[(shift * 8).div_ceil(6)..whole].to_vec());
                }
            }
        }
        assert!(forms.iter().all(|form| form.len() >= 12), "{name} is too short to be looked for");
        Self { name, forms }
    }
}

/// Panics if one of the needles is in `hay`, which came from `place`.
pub fn none_in(needles: &[Needle], hay: &[u8], place: &str) {
    for needle in needles {
        for form in &needle.forms {
            if let Some(at) = memmem::find(hay, form) {
                let around =
                    String::from_utf8_lossy(&hay[at.saturating_sub(80)..(at + form.len() + 20).min(hay.len())]);
                panic!("{} is in {place}: {around}", needle.name);
            }
        }
    }
}

/// Every file below `folder`.
pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_in(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
