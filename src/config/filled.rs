//! What placeholders took from the environment.

use std::fmt;
use std::sync::{Arc, RwLock};

use crate::sync::{read, write};

/// Values that are shorter, in bytes, are no secrets, and stand everywhere.
const SHORTEST: usize = 4;

/// The values that `{{env:NAME}}` has stood for since the program started: secret, for all one knows. All clones are one, so
/// that what masks knows at once what was filled in.
#[derive(Clone, Default)]
pub struct Filled(Arc<RwLock<Vec<String>>>);

impl Filled {
    /// What a variable of the environment holds, which counts as secret from now on. None: there is none that is text.
    pub fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().inspect(|value| self.add(value))
    }

    /// Has a value count as secret from now on.
    pub fn add(&self, value: &str) {
        let is_known = |known: &[String]| known.iter().any(|known| known == value);
        // Most are filled in many times, and nobody is to wait for that.
        if value.len() >= SHORTEST && !is_known(&read(&self.0)) {
            let mut known = write(&self.0);
            if !is_known(&known) {
                known.push(value.to_owned());
            }
        }
    }

    /// Does `work` with all of them.
    pub fn with<T>(&self, work: impl FnOnce(&[String]) -> T) -> T {
        work(&read(&self.0))
    }
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filled")
    }
}

/// It is no setting: nothing that was configured differs by it.
impl PartialEq for Filled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Filled {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_known_to_all_clones_once_and_never_printed() {
        let filled = Filled::default();
        let other = filled.clone();
        for value in ["secret", "1", "secret", ""] {
            filled.add(value);
        }
        assert_eq!(filled.variable("PATH"), std::env::var("PATH").ok());
        assert_eq!(filled.variable("NO_SUCH_VARIABLE_IS_THERE"), None);
        assert!(other.with(|known| known.iter().filter(|known| *known == "secret").count() == 1 && known.len() == 2));
        assert!(!format!("{other:?}").contains("secret"));
    }
}
