//! What is said of a signature that does not fit is true.

use super::engine::{at, call, scheme, secret};
use super::*;

#[test]
fn what_need_not_be_signed_is_not_said_to_be_signed_always() {
    for (optional, said) in
        [(false, "the platform signs every call"), (true, "signs only where it is told to; where it is")]
    {
        let scheme = scheme(&format!(r#"scheme = "token"; header = "Sig"; optional = {optional}"#));
        let verdict = verify(&scheme, &call("", &[], "{}"), &[&secret("k")], at(0));
        assert_eq!(verdict.sig, Sig::Missing);
        assert!(verdict.reason.contains(said), "{}", verdict.reason);
    }
}
