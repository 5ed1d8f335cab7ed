//! One copy of each string: kinds, paths and conversations repeat with every call.

use std::collections::HashSet;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Names(HashSet<Arc<str>>);

impl Names {
    /// The shared copy of `name`.
    pub fn share(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new = Arc::<str>::from(name);
        self.0.insert(Arc::clone(&new));
        new
    }
}
