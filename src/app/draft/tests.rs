use proptest::prelude::*;

use super::*;

fn draft(body: &str) -> Draft {
    Draft::new(1, Request { body: body.to_owned().into(), ..Request::default() }, None, None)
}

fn typed(body: &str, text: &str) -> Vec<u8> {
    let mut draft = draft(body);
    draft.editor.move_cursor(CursorMove::Bottom);
    draft.editor.move_cursor(CursorMove::End);
    draft.editor.insert_str(text);
    draft.body().to_vec()
}

#[test]
fn an_edit_keeps_the_layout() {
    assert_eq!(typed(r#"{"a":1.0}"#, " "), br#"{"a":1.0}"#, "white space alone changes nothing that is sent");
    assert_eq!(typed("[1e3,2]", ""), b"[1e3,2]");
    assert_eq!(typed("a\r\nb\r\n", "c"), b"a\r\nb\r\nc");
    assert_eq!(typed("{\"a\": 1,\"b\":2}\n", "x"), b"{\"a\": 1,\"b\":2}\nx");
}

#[test]
fn compact_json_is_shown_pretty_and_sent_compact() {
    let mut draft = draft(r#"{"a":[1]}"#);
    assert!(draft.text().contains('\n'));
    assert!(!draft.touched());
    draft.replace("{\n  \"a\": [2]\n}", false);
    assert!(draft.touched());
    assert_eq!(draft.body(), r#"{"a":[2]}"#);
    draft.revert();
    assert!(!draft.touched());
    draft.step_back();
    assert_eq!(draft.body(), r#"{"a":[2]}"#, "reverting is undone in one step");
    draft.step_forth();
    assert!(!draft.touched());
}

#[test]
fn an_amended_draft_differs_in_one_value_until_it_is_edited() {
    for body in [r#"{"a":1,"b":[2.0]}"#, "{\"a\": 1, \"b\":\t[2.0]}\r\n", "{\n \"b\":\r\n [2.0]}"] {
        let mut draft = draft(body);
        let amended = json::set(body, "/b/0", "\"é\"").unwrap();
        draft.amend(amended.clone(), "/b/0");
        assert_eq!((draft.body(), draft.touched()), (amended.clone().into(), true));
        assert!(draft.state().starts_with("one value changed"));
        draft.editor.insert_str(" ");
        assert!(!draft.state().starts_with("one value"));
        draft.editor.delete_char();
        assert_eq!(draft.body(), amended, "and again, where the edit is taken back");
        draft.revert();
        assert_eq!(draft.body(), body);
    }
}

#[test]
fn a_broken_edit_is_named_and_sent_as_it_is() {
    let mut draft = draft(r#"{"a":1}"#);
    draft.replace("{\n  \"a\": \n}", false);
    assert_eq!(draft.syntax_error().unwrap().line, 3);
    assert_eq!(draft.body(), "{\n  \"a\": \n}");
}

#[test]
fn reformatting_is_an_edit() {
    let mut draft = draft(r#"{"a":1}"#);
    draft.reformat().unwrap();
    assert_eq!(draft.body(), "{\n  \"a\": 1\n}");
    assert!(draft.touched());
}

#[test]
fn undo_brings_back_in_one_step_what_was_cleared() {
    for body in [r#"{"a":[1]}"#, "a\r\nb\r\n", "x", "a\n", ""] {
        let mut draft = draft(body);
        draft.editor.move_cursor(CursorMove::End);
        draft.clear();
        draft.step_back();
        assert_eq!((draft.body(), draft.touched()), (body.to_owned().into(), false), "{body:?}");
        draft.insert("yz");
        let text = draft.text();
        draft.clear();
        assert_eq!(draft.text(), "");
        draft.step_back();
        assert_eq!(draft.text(), text);
        draft.step_forth();
        assert_eq!(draft.text(), "");
    }
}

#[test]
fn an_editors_final_newline_is_no_edit() {
    let mut draft = draft(r#"{"a":1}"#);
    let text = format!("{}\n", draft.text());
    draft.edited_outside(&text);
    assert!(!draft.touched());
}

#[test]
fn bytes_that_are_no_text_are_sent_as_they_are() {
    let draft = Draft::new(1, Request { body: Bytes::from_static(b"\xff\n"), ..Request::default() }, None, None);
    assert_eq!((draft.editable(), draft.typing, &draft.body()[..]), (false, false, &b"\xff\n"[..]));
}

fn get(target: &str) -> Draft {
    Draft::new(1, Request { method: "GET".into(), target: target.into(), ..Request::default() }, None, None)
}

#[test]
fn without_a_body_path_and_query_are_edited() {
    let mut draft = get("/form?a=%20b&c=1+2");
    assert_eq!(draft.text(), "/form\n?a=%20b\n&c=1+2");
    assert_eq!((draft.target().as_str(), draft.touched()), ("/form?a=%20b&c=1+2", false));
    draft.replace("form\n?a=%20x y\n  &d=é#\n", false);
    assert_eq!(draft.request().target, "/form?a=%20x%20y&d=%C3%A9%23");
    assert_eq!((draft.body().len(), draft.syntax_error()), (0, None));
    assert!(
        !super::Draft::new(1, Request { method: "POST".into(), ..Request::default() }, None, None).edits_the_target()
    );
}

proptest! {
    #[test]
    fn an_untouched_target_is_sent_byte_for_byte(target in "/(\\PC|[?&=%# ])*") {
        let draft = get(&target);
        prop_assert_eq!(draft.request().target, target);
    }

    #[test]
    fn an_untouched_draft_is_sent_byte_for_byte(body in "(\\PC|[\r\n\t {}\\[\\]\":,1])*") {
        let draft = draft(&body);
        prop_assert!(!draft.touched());
        prop_assert_eq!(draft.body(), body.as_bytes());
    }
}

#[test]
fn what_came_over_a_wire_stays_text_in_an_edited_draft() {
    let body = r#"{"a":"{{env:SECRET}} {{uuid}}"}"#;
    let headers = [("x-evil", "{{env:SECRET}}")].into_iter().collect();
    let request = Request { body: body.into(), headers, ..Request::default() };
    let mut draft = Draft::new(1, request.clone(), None, Some(Id::NIL));
    assert!(!draft.is_template());
    assert_eq!(draft.request(), request, "untouched it leaves as it came");
    draft.editor.move_cursor(CursorMove::Bottom);
    draft.editor.move_cursor(CursorMove::Head);
    draft.insert(r#", "b": "{{env:MINE}}""#);
    let mut sent = draft.request();
    let variables = crate::replay::variables::Variables::default();
    let environment = |name: &str| Some(format!("({name})"));
    template::fill(
        &mut sent,
        &template::Values { now: jiff::Timestamp::UNIX_EPOCH, variables: &variables, environment: &environment },
    )
    .unwrap();
    assert_eq!(sent.body, r#"{"a":"{{env:SECRET}} {{uuid}}","b":"(MINE)"}"#);
    assert_eq!(sent.headers.get("x-evil"), Some("{{env:SECRET}}"));
}

#[test]
fn a_template_of_json_is_no_broken_json() {
    let mut draft = draft(r#"{"d":{{now_ms}},"n":{{$n}}}"#);
    assert_eq!((draft.is_json(), draft.syntax_error(), draft.is_template()), (true, None, true));
    assert!(draft.text().contains("\n  \"n\": {{$n}}"), "{}", draft.text());
    assert!(draft.state().starts_with("a template"));
    assert_eq!(draft.body(), r#"{"d":{{now_ms}},"n":{{$n}}}"#);
    draft.replace("{\n  \"d\": {{now}},\n  \"n\": {{nope}}\n}", false);
    let wrong = draft.syntax_error().unwrap();
    assert_eq!(wrong.line, 3);
}

#[test]
fn what_came_compressed_is_edited_unpacked_and_leaves_as_it_came_until_then() {
    let held = r#"{"a":"{{uuid}}","b":1}"#;
    let packed = |coding: &'static str| Request {
        body: zstd::encode_all(held.as_bytes(), 3).unwrap().into(),
        headers: [("content-encoding", coding), ("x-a", "{{now}}")].into_iter().collect(),
        ..Request::default()
    };
    let came = packed("zstd");
    for parent in [None, Some(Id::NIL)] {
        let mut draft = Draft::new(1, came.clone(), None, parent);
        assert!(draft.is_json() && draft.text().contains("\"b\": 1"), "{}", draft.text());
        assert_eq!((draft.request(), draft.template().body), (came.clone(), came.body.clone()));
        assert!(draft.state().ends_with("compressed (zstd) as it came"), "{}", draft.state());
        draft.replace(&draft.text().replace('1', "2"), false);
        let sent = draft.request();
        assert_eq!(sent.body, r#"{"a":"{{braces}}uuid}}","b":2}"#, "what it held is filled in with nothing");
        assert!(!sent.headers.has("content-encoding") && sent.headers.has("x-a"));
        assert!(draft.state().ends_with("not compressed (zstd) any more, without content-encoding"));
        draft.revert();
        assert_eq!(draft.request(), came);
    }
    let mut held_call = Draft::verbatim(1, came.clone(), None);
    assert_eq!(held_call.request(), came);
    held_call.replace(&held_call.text().replace('1', "2"), false);
    assert_eq!(held_call.request().body, r#"{"a":"{{uuid}}","b":2}"#);
    let closed = Draft::new(1, packed("br"), None, None);
    assert!(!closed.editable());
    assert!(closed.state().starts_with("not text: it is sent byte for byte; br, not unpacked: "), "{}", closed.state());
}

#[test]
fn mixed_line_ends_stay_what_they_are_where_an_editor_outside_changes_a_word() {
    let mut text = draft("a\r\nb\nccc\r\nx");
    text.edited_outside("a\r\nb\nddd\r\nx\n");
    assert_eq!(text.body(), "a\r\nb\nddd\r\nx");
    let mut own = draft("a\nb");
    own.edited_outside("a\r\nc\r\n");
    assert_eq!(own.body(), "a\nc", "line ends that are the editor's habit");
    let mut amended = draft("{\n \"a\":1,\r\n \"b\":2}");
    amended.amend("{\n \"a\":3,\r\n \"b\":2}".to_owned(), "/a");
    amended.editor.move_cursor(CursorMove::Top);
    amended.editor.insert_str(" ");
    assert_eq!(amended.body(), "{ \n \"a\":3,\r\n \"b\":2}");
}
