//! `to:staging`: where a call was sent, by a target's name or by the address.

use super::needle::Needle;
use crate::call::Call;
use crate::config::Target;

/// To whom a call was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    address: Needle,
    /// Those with such names.
    targets: Vec<Target>,
}

impl Receiver {
    pub fn new(text: &str, targets: &[Target]) -> Self {
        let address = Needle::new(text);
        let named = |target: &&Target| address.is_in(target.name.as_bytes());
        Self { targets: targets.iter().filter(named).cloned().collect(), address }
    }

    /// Whether the call was sent there.
    pub fn got(&self, call: &Call) -> bool {
        let at = |origin: &String| {
            self.address.is_in(origin.as_bytes())
                || self.targets.iter().any(|target| target.is_behind(origin, call.kind.as_deref(), call.request.path()))
        };
        call.request.origin.as_ref().is_some_and(at)
    }
}
