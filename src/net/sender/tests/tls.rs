//! Whom calls by TLS trust.

use super::*;

/// What a call by TLS to a listener of ours ends with: its status, or why it did not get there. The listener has a
/// certificate that it made, or one that says it is an authority's, as `openssl req -x509` makes it.
async fn by_tls(host: &str, authority: bool, tls: impl Fn(&[u8]) -> Tls) -> Vec<Result<u16, String>> {
    let folder = tempfile::tempdir().unwrap();
    let [certificate, key] = ["own.pem", "own-key.pem"].map(|name| folder.path().join(name));
    let tls_of = if authority {
        let secret = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        std::fs::write(&certificate, params.self_signed(&secret).unwrap().pem()).unwrap();
        std::fs::write(&key, secret.serialize_pem()).unwrap();
        Certificate::Own { certificate: certificate.clone(), key }
    } else {
        Certificate::SelfSigned
    };
    let listen = Listen { tls: Some(tls_of), ..Listen::default() };
    let site = Site::new(Config { listen, ..Config::default() }).await;
    let certificate = if authority { certificate } else { site.path.with_file_name("certificate.pem") };
    let own = std::fs::read(certificate).unwrap();
    let url = format!("https://{host}:{}/", site.address.port());
    let sender = sender(&site);
    let mut ends = Vec::new();
    for bare in [false, true] {
        let mut outgoing = Outgoing { tls: tls(&own), ..outgoing(&url, request("POST", &[], b"{}")) };
        if bare {
            outgoing.dropped = vec!["accept".to_owned()];
        }
        let call = sender.exchange(sender.prepare(outgoing), &mut Wire::default(), std::future::pending()).await;
        ends.push(call.status().ok_or_else(|| call.error.unwrap_or_default()));
    }
    ends
}

#[tokio::test]
async fn a_target_is_trusted_as_its_tls_options_say() {
    let own = |pem: &[u8]| Tls { authorities: pem.to_owned(), ..Tls::default() };
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let other = |_: &[u8]| Tls { authorities: stranger.clone().into(), ..Tls::default() };
    let any = |_: &[u8]| Tls { any_certificate: true, ..Tls::default() };
    for authority in [false, true] {
        assert_eq!(by_tls("localhost", authority, own).await, [Ok(200), Ok(200)]);
        assert_eq!(by_tls("127.0.0.1", authority, any).await, [Ok(200), Ok(200)]);
        let unknown = by_tls("localhost", authority, |_| Tls::default()).await;
        for end in [unknown, by_tls("localhost", authority, other).await].concat() {
            let why = end.unwrap_err();
            assert!(why.contains("certificate") && why.contains("--ca FILE"), "{why}");
        }
    }
    for end in by_tls("127.0.0.1", true, own).await {
        let why = end.unwrap_err();
        assert!(why.contains("not valid for name"), "one's own is not everyone's: {why}");
    }
}

#[tokio::test]
async fn a_host_of_its_own_is_the_host_also_where_http_2_is_spoken() {
    let listen = Listen { tls: Some(Certificate::SelfSigned), ..Listen::default() };
    let mut site = Site::new(Config { listen, ..Config::default() }).await;
    let own = std::fs::read(site.path.with_file_name("certificate.pem")).unwrap();
    let url = format!("https://localhost:{}/", site.address.port());
    let sender = sender(&site);
    let any = Tls { any_certificate: true, ..Tls::default() };
    for tls in [any, Tls { authorities: own, ..Tls::default() }] {
        for host in [None, Some("virtual.example".to_owned())] {
            let expected = host.clone().unwrap_or_else(|| url[8..url.len() - 1].to_owned());
            let sent = outgoing(&url, request("POST", &[], b"{}"));
            let call = sender.send(Outgoing { tls: tls.clone(), virtual_host: host, ..sent }).await;
            assert_eq!((call.status(), call.request.headers.get("host")), (Some(200), Some(&*expected)));
            let came = site.next().await;
            assert_eq!(came.request.headers.all("host").collect::<Vec<_>>(), [expected.as_bytes()]);
        }
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_is_told() {
    let site = Site::new(Config::default()).await;
    let tls = crate::config::Tls { any_certificate: false, authorities: b"-----BEGIN CERTIFICATE-----\nx".to_vec() };
    let call =
        sender(&site).send(Outgoing { tls, ..outgoing("https://127.0.0.1:1/", request("POST", &[], b"x")) }).await;
    assert!(call.error.unwrap().starts_with("not sent: "));
}
