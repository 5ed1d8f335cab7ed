//! Algorithm confusion: what everybody may know of a key pair is no shared secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rstest::rstest;

use super::*;
use crate::signature::keys::{Key, new_ec};

const RSA: &str = include_str!("../../../recordings/moveo-webview.public.pem");
/// The example of sendgrid/sendgrid-nodejs, as `SendGrid` prints its keys: base64 of the DER.
const ECDSA: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";
/// One of another curve.
const P384: &str = "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEe/s0EqosNwd/GcAl0sBcaEH+fIm1o4flIOxP8AZHSwDmI+0k2KoFUGaf96vSxAtrYv6eFFEXlhOlTsRGi8tfdL+DHwrl6bu+z/hiEfozMw3q/pkZu1SY9Nnpdsky0tXy";
/// The public key of the first test of RFC 8032, 7.1.
const ED25519: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const PREFIXED: &str = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// Private keys without their armour, in base64: of X25519 (RFC 8410, 10.3), of P-256 by SEC 1 (RFC 5915, 3), the beginning of one
/// of RSA (RFC 8017, A.1.2) and of what `ssh-keygen` writes.
const PRIVATE: [&str; 4] = [
    "MC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC",
    "MHcCAQEEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhCoAoGCCqGSM49AwEHoUQDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
    "MIIEpAIBAAKCAQEA6S2eP1tTTQcoHcQEGQ0fLCc5s9cEFqCbWzSHpRqtUKVvzhcJ",
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz",
];

/// The forms in which a public key is had, and so the private one.
fn keys() -> Vec<String> {
    let certificate = RSA.replace("PUBLIC KEY", "CERTIFICATE");
    let forms = [RSA.to_owned(), RSA.trim().to_owned(), RSA.replace('\n', "\\n"), RSA[..200].to_owned(), certificate];
    let encoded = forms.iter().map(|pem| STANDARD.encode(pem));
    let private = new_ec().unwrap();
    let der = RSA.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let coded = STANDARD.encode(RSA);
    let damaged = [format!("\"{coded}\""), coded[..coded.len() - 3].to_owned(), format!(" {}", &coded[..99])];
    let loose =
        [der.trim_end_matches('=').replace('+', "-").replace('/', "_"), format!("'{der}'"), der[..120].to_owned()];
    let ssh = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me@host", " sk-ssh-ed25519@openssh.com AAAAGnNr"];
    let certified = rcgen::generate_simple_self_signed(["acme.example".to_owned()]).unwrap();
    let certified = STANDARD.encode(certified.cert.der());
    let others = [&der, ECDSA, ED25519, P384, PREFIXED, &private, &certified].into_iter().chain(ssh);
    let others = others.chain(PRIVATE).chain(damaged.iter().chain(&loose).map(String::as_str));
    forms.iter().cloned().chain(encoded).chain(others.map(ToOwned::to_owned)).collect()
}

fn scheme(table: &str) -> Scheme {
    let toml = format!("header = \"Sig\"\n{}\n", table.replace("; ", "\n"));
    Scheme { name: "acme/webhook".into(), ..toml::from_str(&toml).unwrap() }
}

/// What stands in the header of a call that is forged with `key`, which everybody knows.
fn forged(scheme: &Scheme, body: &str, key: &str) -> String {
    match &scheme.method {
        Method::Detached(detached) => {
            let secret = PreparedKey::raw(key.as_bytes());
            let request = request(body, "");
            let source = Source { request: &request, body: body.as_bytes(), url: "", timestamp: "", secret: b"" };
            detached.encoding.encode(&detached.tag(&secret, source).unwrap())
        }
        Method::Shared(Shared::Token) => key.to_owned(),
        Method::Shared(Shared::Basic) => STANDARD.encode(key),
        Method::Jwt(_) => {
            let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode("{}"));
            let signature = Key::Text(key.as_bytes().to_vec()).sign(signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }
}

#[rstest]
#[case::hmac_sha1(r#"scheme = "hmac-sha1"; encoding = "hex"; message = "{body}""#)]
#[case::hmac_sha256(r#"scheme = "hmac-sha256"; encoding = "hex"; message = "{body}""#)]
#[case::hmac_sha512(r#"scheme = "hmac-sha512"; encoding = "base64"; message = "{body}""#)]
#[case::hash_with_the_secret(r#"scheme = "sha256"; encoding = "hex"; message = "{secret}{body}""#)]
#[case::token(r#"scheme = "token""#)]
#[case::basic(r#"scheme = "basic""#)]
#[case::jwt(r#"scheme = "jwt"; algorithms = ["HS256"]"#)]
fn a_key_of_a_pair_neither_checks_nor_signs_where_the_secret_is_shared(#[case] table: &str) {
    let scheme = scheme(table);
    for key in keys() {
        let secret = Secret::new("file:public.pem", key.as_bytes());
        let mut call = request("{}", "");
        call.headers.set("Sig", forged(&scheme, "{}", &key));
        let verdict = verify(&scheme, &call, &[&secret], now());
        assert_eq!((verdict.sig, sig(&scheme, &call, &[&secret], now())), (Sig::NoSecret, Sig::NoSecret), "{key}");
        assert!(verdict.reason.contains("file:public.pem: it is a key of a pair"), "{}", verdict.reason);
        let why = sign(&scheme, &mut call, Some(&secret), now()).unwrap_err().to_string();
        assert!(why.contains("a public key is no secret"), "{why}");
        assert!(!scheme.can_sign_with(&secret) && !scheme.may_be_meant(&secret), "{key}");
        // Beside the right one it changes nothing.
        let right = scheme.fresh_secret("env:RIGHT").unwrap();
        assert_eq!(verify(&scheme, &call, &[&secret, &right], now()).sig, Sig::Invalid, "{key}");
        sign(&scheme, &mut call, Some(&right), now()).unwrap();
        assert_eq!(verify(&scheme, &call, &[&secret, &right], now()).sig, Sig::Valid, "{key}");
    }
}

#[test]
fn an_endpoint_does_not_prove_with_a_public_key_that_it_has_the_secret() {
    let secret = Secret::new("file:public.pem", RSA);
    let why = sign_text(&plain(), "challenge", &secret).unwrap_err().to_string();
    assert!(why.contains("a public key is no secret"), "{why}");
}

#[test]
fn bytes_alone_are_no_key_of_a_pair_where_one_has_a_prefix() {
    let scheme = scheme(
        r#"scheme = "ed25519"; encoding = "base64"; message = "{body}"; key = "base64"; key_prefix = ["whsk_", "whpk_"]"#,
    );
    let mut call = request("{}", "");
    sign(&scheme, &mut call, Some(&scheme.fresh_secret("fresh").unwrap()), now()).unwrap();
    let tried = |text: &str| verify(&scheme, &call, &[&Secret::new("env:KEY", text)], now());
    assert_eq!(tried(PREFIXED).sig, Sig::Invalid);
    assert_eq!(tried(ED25519).sig, Sig::Invalid);
    let bare = tried(PREFIXED.trim_start_matches("whpk_"));
    assert_eq!(bare.sig, Sig::NoSecret);
    assert!(bare.reason.contains("it does not begin with `whsk_` or `whpk_`"), "{}", bare.reason);
}

#[test]
fn what_merely_resembles_a_key_is_a_secret() {
    for text in [
        "123456789",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "LS0tLS1C",
        "sk-proj-5up3rs3cr3t",
    ] {
        let secret = Secret::new("env:TOKEN", text);
        assert!(plain().can_sign_with(&secret) && plain().may_be_meant(&secret), "{text}");
    }
    for bytes in [&[0x30; 32][..], &[0x30; 64]] {
        assert!(plain().can_sign_with(&Secret::new("env:TOKEN", STANDARD.encode(bytes))));
    }
}
