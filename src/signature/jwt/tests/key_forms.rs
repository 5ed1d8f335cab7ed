//! Keys in every form that people paste them in.

use rstest::rstest;

use super::*;

#[test]
fn a_private_key_has_a_public_half() {
    let of = |pem: &str| keys::public_pem(&Secret::new("key", pem), &[Algorithm::Rs256, Algorithm::Es256]).unwrap();
    assert_eq!(of(&PAIR.private_pem).as_ref(), Some(&PAIR.public_pem));
    assert_eq!(of(&PAIR.private_base64).as_ref(), Some(&PAIR.public_pem));
    assert_eq!(of(&PAIR.public_pem), None);
    let ec = keys::new_ec().unwrap();
    let public = of(&ec).unwrap();
    let rules = Rules { algorithms: vec![Algorithm::Es256], ..rules() };
    let scheme = Scheme { method: Method::Jwt(rules), ..scheme() };
    let claims = good().as_object().unwrap().clone();
    let token = mint_with(&Secret::new("ec", ec), &[Algorithm::Es256], claims, 4000, AT).unwrap();
    assert_eq!(verify(&scheme, &bearer(&token), &[&Secret::new("public", public)], AT).sig, Sig::Valid);
}

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// RSA keys as PKCS#1 and SPKI hold them within what `new_rsa` gives: PKCS#8 and SPKI put 26 and 24 bytes before.
fn rewrapped(text: &str, skip: usize, label: &str) -> String {
    pem::write(label, &pem::read(text).unwrap().1[skip..])
}

#[test]
fn every_form_of_a_key_is_read() {
    let token = bearer(&token_of(&good()));
    let pkcs1 = rewrapped(&PAIR.private_pem, 26, "RSA PRIVATE KEY");
    let forms = [
        PAIR.private_pem.clone(),
        PAIR.private_base64.clone(),
        pkcs1.clone(),
        base64(&pkcs1),
        PAIR.public_pem.clone(),
        PAIR.public_base64.clone(),
        rewrapped(&PAIR.public_pem, 24, "RSA PUBLIC KEY"),
        PAIR.public_pem.replace('\n', "\r\n"),
        format!("\n  {}", PAIR.public_pem),
    ];
    for form in forms {
        let verdict = verify(&scheme(), &token, &[&Secret::new("key", form.clone())], AT);
        assert_eq!(verdict.sig, Sig::Valid, "{form}: {}", verdict.reason);
    }
    assert!(scheme().can_sign_with(&Secret::new("key", pkcs1)));
}

#[test]
fn a_new_pair_is_what_openssl_writes() {
    assert!(PAIR.private_pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(PAIR.public_pem.ends_with("\n-----END PUBLIC KEY-----\n"));
    assert!(PAIR.public_pem.lines().all(|line| line.len() <= 64));
    assert_eq!(base64(&PAIR.private_pem), PAIR.private_base64);
    assert!(PAIR.private_base64.starts_with("LS0tLS1CRUdJTi") && !PAIR.private_base64.contains('\n'));
    assert!(!format!("{:?}", *PAIR).contains(&PAIR.private_base64));
    assert_ne!(PAIR.public_pem, OTHER.public_pem);
}

#[rstest]
#[case::quoted(|pem: &str| format!("\"{}\"", pem.trim()), "in quotation marks")]
#[case::escaped(|pem: &str| pem.replace('\n', "\\n"), "written out as `\\n`")]
#[case::cut(|pem: &str| pem[..400].to_owned(), "its END line is missing")]
#[case::damaged(|pem: &str| pem.replacen("MII", "AII", 1), "damaged")]
#[case::encrypted(|pem: &str| pem.replace("PUBLIC", "ENCRYPTED PRIVATE"), "openssl pkey")]
#[case::certificate(|pem: &str| pem.replace("PUBLIC KEY", "CERTIFICATE"), "it is no certificate")]
#[case::openssh(|pem: &str| pem.replace("PUBLIC KEY", "OPENSSH PRIVATE KEY"), "PUBLIC KEY is needed")]
#[case::text(|_: &str| "123456789".to_owned(), "neither PEM")]
#[case::empty(|_: &str| String::new(), "neither PEM")]
fn a_key_that_cannot_be_read_says_why(#[case] spoil: fn(&str) -> String, #[case] words: &str) {
    let secret = Secret::new("key", spoil(&PAIR.public_pem));
    let error = Key::read(&secret, &rules().algorithms).err().unwrap().to_string();
    assert!(error.contains(words), "{error}");
    assert_eq!(scheme().why_not(&secret), Some(error));
}

/// 1024 bits.
const SMALL: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDj6Vg0LNMsQJpvYRZ55+ZAUJEz
e+Qg5RR7aw/xmnQfWfOGhIfdfC8vIR58EOAk2v99vRgOYBVruRWNwriFPP3VOlmv
Ua2kUkzBK6AF2UsrIAbCY61KLCPxgG5GrY/sWUgz83FT3n0akTcSpjkfM3aXAFNR
QbdAxTql2Nb6Z0W2mwIDAQAB
-----END PUBLIC KEY-----
";

#[test]
fn a_small_key_is_refused() {
    let secret = Secret::new("key", SMALL);
    let error = Key::read(&secret, &[Algorithm::Rs256]).err().unwrap().to_string();
    assert!(error.contains("RSA key of under 2048 bits"), "{error}");
}
