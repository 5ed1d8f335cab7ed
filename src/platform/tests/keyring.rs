//! Which secret signs.

use super::*;
use crate::config::{Secret, Secrets};
use crate::platform::Keyring;
use crate::signature::keys;

fn keyring(shared: &[(&str, Secret)]) -> Keyring {
    let filed = shared.iter().map(|(name, secret)| ((*name).to_owned(), vec![secret.clone()]));
    Keyring::new(Secrets(filed.collect()))
}

#[test]
fn a_targets_own_secret_that_cannot_be_had_is_not_replaced_by_another() {
    let platforms = platforms();
    let keyring = keyring(&[("moveo", Secret::new("env:MOVEO_TOKEN", "shared"))]);
    let kind = platforms.kind("moveo/dialog").unwrap();
    let unset = Secret::unresolved("env:OWN", "the variable OWN is not set");
    let own = Secret::new("env:OTHER", "other");
    assert_eq!(keyring.signing(kind, &[]).unwrap().unwrap().label(), "env:MOVEO_TOKEN");
    assert_eq!(keyring.signing(kind, &[own.clone(), unset.clone()]).unwrap().unwrap().label(), "env:OTHER");
    for own in [vec![unset.clone()], vec![unset, own]] {
        let why = keyring.signing(kind, &own).unwrap_err();
        assert!(
            why.starts_with("cannot sign for moveo with env:OWN, the target's own: the variable OWN is not set"),
            "{why}"
        );
        assert!(!why.contains("MOVEO_TOKEN"), "{why}");
    }
}

#[test]
fn what_is_configured_and_cannot_be_had_is_to_be_set_right() {
    let platforms = platforms();
    let kind = platforms.kind("moveo/dialog").unwrap();
    let unset = keyring(&[("moveo", Secret::unresolved("env:TOKEN", "the variable TOKEN is not set"))]);
    let why = unset.signing(kind, &[]).unwrap_err();
    assert!(why.contains("TOKEN is not set; set it right") && !why.contains("--secret"), "{why}");
    assert!(keyring(&[]).signing(kind, &[]).unwrap_err().contains("--secret"));
    let unsigned = kind.sample();
    let diagnose = |keyring: &Keyring| keyring.diagnose(&platforms, &unsigned, Some(kind), &[], Timestamp::UNIX_EPOCH);
    assert!(diagnose(&keyring(&[]))[0].contains("once its secret is configured"));
    assert!(!diagnose(&keyring(&[("moveo", Secret::new("env:TOKEN", "x"))]))[0].contains("configured"));
}

#[test]
fn a_targets_own_secret_for_another_scheme_leaves_the_platforms_in_its_place() {
    let platforms = platforms();
    let pair = keys::new_rsa().unwrap();
    let keyring = keyring(&[("moveo/webview", Secret::new("file:shared.pem", pair.private_pem.clone()))]);
    let kind = platforms.kind("moveo/webview_callback").unwrap();
    let token = Secret::new("env:TOKEN", "a token of webhooks");
    assert_eq!(keyring.signing(kind, std::slice::from_ref(&token)).unwrap().unwrap().label(), "file:shared.pem");
    let public = Secret::new("file:public.pem", pair.public_pem);
    let why = keyring.signing(kind, &[token.clone(), public]).unwrap_err();
    assert!(why.contains("with file:public.pem, the target's own: it is a public key"), "{why}");
    let private = Secret::new("file:own.pem", pair.private_pem);
    assert_eq!(keyring.signing(kind, &[token, private]).unwrap().unwrap().label(), "file:own.pem");
}
