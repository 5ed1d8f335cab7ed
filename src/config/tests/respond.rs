//! What answers calls, as it is written.

use super::*;

#[test]
fn responders_are_read() {
    let text = r#"
        [listen]
        respond = { forward = ["mine", ":3001"], fault = { status = 503, next = 2 }, hold = true }

        [[target]]
        name = "mine"
        url = "http://127.0.0.1:3000/api"

        [[reply]]
        name = "moveo/audit"
        json = { own = true }

        [[reply]]
        name = "people"
        lookup = { table = "people.csv", column = "id", by = "/value" }
        cases = [{ when = { found = true, "/a" = "b", "/c" = false, query = "dir:received" }, status = 201 }, {}]

        [[route]]
        path = "/a"
        respond = { reply = "moveo/audit", hold = "20s", fault = "reset probability=50%" }

        [[route]]
        path = "/b"
        respond.reply = { use = "people", table = "others.csv" }

        [[route]]
        path = "/c"
        respond.reply.sequence = [{ status = 500 }, { json = {} }]

        [[route]]
        path = "/d"
        fail_on_error = true
        timeout = "10s"
        respond.forward = { to = ":1", keep_host = true, timeout = "2s" }
    "#;
    let (_directory, sources) =
        sources(&[("hooktape.toml", text), ("people.csv", "id,name\n1,a\n"), ("others.csv", "id,name\n2,b\n")]);
    let config = Config::load(&sources).unwrap();
    let shown = |number: usize| config.routes[number].respond.as_ref().unwrap().to_string();
    assert_eq!(
        config.respond.to_string(),
        "→ mine, also http://127.0.0.1:3001 · fault status=503 next=2 · held as long as the platform waits, else 25s"
    );
    assert_eq!(shown(0), "reply moveo/audit · fault reset probability=0.5 · held up to 20s");
    assert_eq!((shown(1), shown(2)), ("reply people".to_owned(), "2 replies in turn".to_owned()));
    let set = |number: usize| (config.routes[number].fail_on_error, config.routes[number].timeout);
    assert_eq!((set(0), set(3)), ((None, None), (Some(true), Some(Duration::from_secs(10)))));
    let Some(Source::Reply(people)) = config.routes[1].respond.as_ref().map(|respond| &respond.source) else {
        panic!("{config:?}")
    };
    assert_eq!(people.lookup.as_ref().unwrap().table.find("id", "2").unwrap()["name"], "b");
    assert_eq!(
        people.cases[0].when,
        When {
            kind: None,
            query: Some("dir:received".into()),
            pointers: vec![("/a".into(), Expected::Equal("b".into())), ("/c".into(), Expected::There(false))],
            found: Some(true),
        }
    );
    let Some(Source::Forward(forward)) = config.routes[3].respond.as_ref().map(|respond| &respond.source) else {
        panic!("{config:?}")
    };
    assert_eq!((forward.keep_host, forward.targets[0].timeout), (true, Duration::from_secs(2)));
    let own = config.replies.iter().find(|replies| replies.name.as_deref() == Some("moveo/audit")).unwrap();
    assert_eq!(own.cases[0].reply.body, r#"{"own":true}"#);
}
