//! Where a call was sent, as whoever sent it calls that place.

use crate::app::App;
use crate::call::Call;
use crate::config::Target;

/// Host and port that a call was sent to, if it was.
#[must_use]
pub fn address(call: &Call) -> Option<&str> {
    let origin = call.request.origin.as_deref()?;
    Some(origin.split_once("://").map_or(origin, |(_, address)| address))
}

impl App {
    /// The name of the target that a call was sent to, by its address and path, where one alone may be meant and that has one.
    #[must_use]
    pub fn addressee(&self, call: &Call) -> Option<&str> {
        let (origin, kind) = (call.request.origin.as_deref()?, call.kind.as_deref());
        let mut there = self.targets.iter().filter(|target| target.is_behind(origin, kind, call.request.path()));
        there.next().filter(|_| there.next().is_none()).and_then(own_name)
    }

    /// What the place is called that a call was sent to: the target's name, or host and port.
    pub(super) fn sent_to<'a>(&'a self, call: &'a Call) -> Option<&'a str> {
        self.addressee(call).or_else(|| address(call))
    }

    /// What the chosen target is called so.
    #[must_use]
    pub fn place_in_use(&self) -> Option<&str> {
        self.target().map(|target| own_name(target).unwrap_or_else(|| target.place()))
    }
}

/// The name of a target that is not called by its address alone.
fn own_name(target: &Target) -> Option<&str> {
    target.address().is_none().then_some(&*target.name)
}

#[cfg(test)]
mod tests {
    use crate::app::tests::{app, call};
    use crate::config::Target;

    #[test]
    fn the_one_target_at_an_address_is_named_and_of_several_the_one_with_that_path() {
        let mut app = app();
        app.targets.clear();
        let mut sent = call("/hooks/v1");
        assert_eq!(app.sent_to(&sent), None, "it came");
        sent.request.origin = Some("http://127.0.0.1:3000".to_owned());
        assert_eq!(app.sent_to(&sent), Some("127.0.0.1:3000"));
        app.choose(Target::from_address("127.0.0.1:3000/hooks/v1").unwrap());
        assert_eq!((app.sent_to(&sent), app.place_in_use()), (Some("127.0.0.1:3000"), Some("127.0.0.1:3000")));
        app.targets.clear();
        app.choose(Target::new("two", "http://127.0.0.1:3000/hooks/v2"));
        assert_eq!(app.sent_to(&sent), Some("127.0.0.1:3000"), "another path");
        app.choose(Target::new("one", "http://127.0.0.1:3000/hooks/v1"));
        assert_eq!((app.sent_to(&sent), app.place_in_use()), (Some("one"), Some("one")));
        app.choose(Target::new("any", "http://127.0.0.1:3000"));
        assert_eq!(app.sent_to(&sent), Some("127.0.0.1:3000"), "either may be meant");
        app.targets.clear();
        app.choose(Target::new("below", "http://127.0.0.1:3000/api{path}/in"));
        assert_eq!(app.sent_to(&sent), Some("127.0.0.1:3000"), "another path");
        sent.request.target = "/api/hooks/v1/in?x=1".into();
        assert_eq!(app.sent_to(&sent), Some("below"));
        sent.request.target = "/api/in".into();
        assert_eq!(app.sent_to(&sent), Some("127.0.0.1:3000"), "one piece is not both ends");
    }
}
