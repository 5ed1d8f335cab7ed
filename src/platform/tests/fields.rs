//! What the tables of fields say of each: whether it must be there, and when.

use super::*;

/// `place need`, of the rows whose place begins so.
fn needs(fields: Vec<Field>, under: &str) -> Vec<String> {
    let rows = fields.into_iter().filter(|field| field.place.starts_with(under));
    rows.map(|field| format!("{} {}", field.place, field.need)).collect()
}

#[test]
fn what_only_some_actions_need_is_said_to_be_theirs() {
    let platforms = platforms();
    let fields = || platforms.kind("moveo/dialog").unwrap().response_fields();
    assert_eq!(needs(fields(), "/responses/*/type"), ["/responses/*/type required"]);
    assert_eq!(
        needs(fields(), "/responses/*/text"),
        [
            "/responses/*/texts required for type text unless text is there",
            "/responses/*/texts optional for type replay",
            "/responses/*/text required for type text unless texts is there",
        ]
    );
    assert_eq!(
        needs(fields(), "/responses/*/variables"),
        [
            "/responses/*/variables optional for type reset",
            "/responses/*/variables required for type set_variables",
            "/responses/*/variables/*/variable optional",
            "/responses/*/variables/*/value optional",
        ]
    );
    assert_eq!(
        needs(fields(), "/responses/*/url")[0],
        "/responses/*/url required for type image, video, file, audio or url"
    );
    assert_eq!(
        needs(fields(), "/responses/*/cards/*/buttons/*/label"),
        ["/responses/*/cards/*/buttons/*/label required"]
    );
    assert_eq!(needs(fields(), "/context/user"), ["/context/user not in the contract"]);
    let required: Vec<String> = fields().into_iter().filter(|field| field.required).map(|field| field.place).collect();
    assert_eq!(
        required,
        [
            "/responses/*/type",
            "/responses/*/options/*/label",
            "/responses/*/options/*/text",
            "/responses/*/cards/*/media/url",
            "/responses/*/cards/*/buttons/*/type",
            "/responses/*/cards/*/buttons/*/label"
        ]
    );
    let height = fields().into_iter().find(|field| field.place == "/responses/*/height").unwrap();
    assert_eq!(
        (height.json_type.as_deref(), height.allowed.join(" ")),
        (Some("string"), "tall compact full".to_owned())
    );
    let meaning = |need: &str| fields().into_iter().find(|field| field.need == need).unwrap().meaning.unwrap();
    assert_eq!(meaning("required for type set_variables"), "The variables and their values");
}

#[test]
fn a_rule_for_every_response_hides_none_of_its_fields() {
    let platforms = platforms();
    let of = |kind: &str| {
        let mut needs = needs(platforms.kind(kind).unwrap().response_fields(), "/responses/");
        needs.sort();
        needs
    };
    assert_eq!(of("moveo/post_message"), of("moveo/dialog"));
    let pre = platforms.kind("moveo/pre_message").unwrap().response_fields();
    assert_eq!(needs(pre, "/responses"), ["/responses not in the contract"]);
}

#[test]
fn what_the_documents_list_is_required_though_its_lack_is_but_noted() {
    let platforms = platforms();
    for (kind, place, need) in [
        ("moveo/auth_validation", "/session_id", "required"),
        ("moveo/pre_message", "/channel_type", "required"),
        ("moveo/pre_message", "/history", "optional"),
        ("moveo/webview_survey", "/rating", "required"),
        ("moveo/webview_callback", "Content-Type", "required"),
        ("moveo/webview_open", "/trigger_node_id", "optional"),
        ("liveperson/webview_open", "/convId", "required unless conversationId is there"),
        ("liveperson/webview_open", "/conversationId", "required unless convId is there"),
        ("liveperson/webview_open", "/botId", "required"),
    ] {
        let fields = platforms.kind(kind).unwrap().fields();
        let field = fields.iter().find(|field| field.place == place).unwrap();
        assert_eq!((&*field.need, field.required), (need, need == "required"), "{kind} {place}");
    }
}

/// The table of a kind whose requests this schema is of.
fn table(schema: &str) -> Vec<String> {
    const PACK: &str = r#"
        [platform]
        name = "acme"
        title = "Acme"

        [[kind]]
        name = "event"
        title = "Event"
        recognise = { method = "POST", has = ["/acme"] }
        request = "event.schema.json"
        sample = "event.json"
    "#;
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in [("pack.toml", PACK), ("event.schema.json", schema), ("event.json", r#"{"acme":1}"#)] {
        std::fs::write(dir.path().join(file), text).unwrap();
    }
    let mut platforms = platforms();
    platforms.add_dir(dir.path()).unwrap();
    needs(platforms.kind("acme/event").unwrap().fields(), "/")
}

#[test]
fn a_schema_that_leads_back_to_itself_has_a_table() {
    let choice = r##"{"anyOf":[{"$ref":"#"},{"required":["a"]}],"required":["b"],"properties":{"a":{},"b":{}}}"##;
    assert_eq!(table(choice), ["/a required in some cases", "/b required"]);
    let tree = r##"{"required":["a"],"properties":{"a":{"$ref":"#"},"b":{"type":"array","items":{"$ref":"#"}}}}"##;
    assert_eq!(table(tree), ["/a required", "/b optional"]);
}

#[test]
fn a_schema_without_end_has_a_table_with_one() {
    let all = |member: fn(usize) -> String| (0..12).map(member).collect::<Vec<_>>().join(",");
    let members = all(|n| format!(r##""m{n}":{{"allOf":[{{"$ref":"#"}}]}}"##));
    assert_eq!(table(&format!(r#"{{"properties":{{{members}}}}}"#)).len(), 1000);
    let next = |n| format!(r##"{{"required":["x{n}"],"$ref":"#/s{}"}}"##, n + 1);
    let levels: Vec<String> =
        (0..40).map(|n| format!(r#""s{n}":{{"anyOf":[{},{}]}}"#, next(n), next(n).replace('x', "y"))).collect();
    let doubled = format!(r##"{{"$ref":"#/s0","s40":{{"properties":{{"end":{{}}}}}},{}}}"##, levels.join(","));
    assert!(table(&doubled).len() <= 1, "each level doubles what is below it");
}

#[test]
fn what_is_always_required_is_so_in_each_case() {
    let schema = r#"{"required":["a","type"],"properties":{"type":{"type":"string"}},
        "if":{"properties":{"type":{"const":"x"}}},"then":{"properties":{"a":{"type":"string"},"c":{}}}}"#;
    assert_eq!(table(schema), ["/type required", "/a required for type x", "/c optional for type x"]);
}
