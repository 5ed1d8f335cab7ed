use super::*;
use crate::call::Response;

fn compared(left: &str, right: &str, rules: &Rules) -> Comparison {
    let call = |body: &str| {
        let response = Response { status: 200, body: body.to_owned().into(), ..Response::default() };
        Arc::new(Call { response: Some(response), ..crate::app::tests::call("/") })
    };
    Comparison::new(call(left), call(right), &Platforms::builtin().unwrap(), rules)
}

fn marked(comparison: &Comparison) -> Vec<(Option<&str>, Option<&str>)> {
    let rows = comparison.rows.iter().filter(|row| row.difference.is_some());
    rows.map(|row| (row.left.as_deref().map(str::trim), row.right.as_deref().map(str::trim))).collect()
}

#[test]
fn fields_stand_beside_each_other_and_belong_to_a_difference() {
    let found = compared(r#"{"a":1,"b":{"c":2},"d":3}"#, r#"{"a":1,"b":{"c":5},"e":[]}"#, &Rules::default());
    let places: Vec<String> = found.differences.iter().map(|found| found.place.to_string()).collect();
    assert_eq!(places, ["/b/c", "/d", "/e"]);
    assert_eq!(marked(&found)[0], (Some("\"c\": 2"), Some("\"c\": 5")));
    let all: Vec<usize> = found.rows.iter().filter_map(|row| row.difference).collect();
    assert!(all.contains(&0) && all.contains(&1), "{:?}", found.rows);
    assert_eq!(found.rows[1].left.as_deref(), Some("{"));
}

#[test]
fn what_is_ignored_is_shown_and_is_no_difference() {
    let mut rules = Rules::default();
    rules.ignore("/a").unwrap();
    let found = compared(r#"{"a":1,"b":1}"#, r#"{"a":2,"b":1}"#, &rules);
    assert!(found.differences.is_empty() && found.span().is_none());
    assert_eq!(found.rows.iter().filter(|row| row.ignored).count(), 1);
}

#[test]
fn a_jump_counts_lines_and_nothing_is_shown_beyond_the_end() {
    let long = "x".repeat(100);
    let mut found =
        compared(&format!(r#"{{"a":"{long}","b":1}}"#), &format!(r#"{{"a":"{long}","b":2}}"#), &Rules::default());
    assert_eq!(found.begins(200), [0, 1, 2, 3, 4, 5]);
    let begins = found.begins(20);
    assert_eq!(begins, [0, 1, 2, 8, 9, 10], "two blanks, a name and the text");
    assert_eq!(found.shown_from(&begins, 4), 6, "the last four, the difference among them");
    found.chase = false;
    found.scroll = 99;
    assert_eq!((found.shown_from(&begins, 4), found.shown_from(&begins, 20)), (6, 0));
}

#[test]
fn text_is_compared_line_by_line() {
    let found = compared("one\ntwo\nthree", "one\n2\nthree", &Rules::default());
    assert_eq!(marked(&found), [(Some("two"), Some("2"))]);
}

#[test]
fn jumps_go_round() {
    let mut found = compared(r#"{"a":1,"b":1}"#, r#"{"a":2,"b":2}"#, &Rules::default());
    found.step(-1);
    assert_eq!(found.selected, 1);
    found.step(1);
    assert_eq!((found.selected, found.span()), (0, Some(2..3)));
}

#[test]
fn a_field_may_be_ignored_in_all_elements_of_its_arrays() {
    let body =
        |id: &str| format!(r#"{{"0":[{{"id":"{id}","at":[[1,"{id}"]]}},{{"id":"{id}{id}"}}],"n":{{"0":"{id}"}}}}"#);
    let mut app = crate::app::tests::app();
    let mut found = compared(&body("a"), &body("b"), &Rules::default());
    let places =
        |found: &Comparison| -> Vec<String> { found.differences.iter().map(|found| found.place.to_string()).collect() };
    assert_eq!(places(&found), ["/0/0/id", "/0/0/at/0/1", "/0/1/id", "/n/0"]);
    assert_eq!(found.in_all("/0/0/at/0/1"), "/0/*/at/*/*");
    assert_eq!(found.in_all("/n/0"), "/n/0", "a name that looks like an index is none");
    app.ignore(&mut found, true);
    assert_eq!(app.rules.pointers, ["/0/*/id"]);
    assert_eq!(places(&found), ["/0/0/at/0/1", "/n/0"]);
    app.ignore(&mut found, false);
    assert_eq!(app.rules.pointers, ["/0/*/id", "/0/0/at/0/1"]);
    let whole = compared("[1]", "{}", &Rules::default());
    assert_eq!(whole.in_all(""), "");
}

#[test]
fn each_line_knows_its_value() {
    let text = json::pretty(r#"{"a":{"b/c":[1,[2]]},"d":0}"#).unwrap();
    let of = |place: &str| -> String {
        let (side, place) = (Side::Response, Place::Json(place.to_owned()));
        let found = [Difference { side, place, left: None, right: None, rough: false }];
        let numbers = of_values(&text, &PointerTrie::of(&found));
        numbers.iter().map(|number| if number.is_some() { '7' } else { '.' }).collect()
    };
    assert_eq!(of("/a"), ".77777777..", "{text}");
    assert_eq!((of("/d").as_str(), of("/a/b~1c/1/0").as_str()), (".........7.", ".....7....."));
    assert_eq!(of(""), "7".repeat(11));
    assert_eq!((of("/a/b~1c").as_str(), of("/a/b~1c/0").as_str()), ("..777777...", "...7......."));
    assert_eq!((of("/b~1c").as_str(), of("/a/b~1c/2").as_str()), ("...........", "..........."));
}

#[test]
fn lines_know_their_values_in_time_however_long_a_name_is() {
    let zeros = "\"a\":0,".repeat(40_000);
    let name = "k".repeat(MOST_BYTES / 2);
    let body = |last: u32| format!(r#"{{"{name}":{{{zeros}"x":{last}}}}}"#);
    let begun = std::time::Instant::now();
    let found = compared(&body(1), &body(2), &Rules::default());
    assert_eq!(found.differences.len(), 1);
    assert!(found.rows.iter().any(|row| row.difference == Some(0)));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
}

#[test]
fn the_screen_says_that_there_was_no_time_for_the_fewest_differences() {
    let body = |from: usize, to: usize| {
        let numbers: Vec<String> = (from..to).map(|number| format!("[{number}]")).collect();
        format!("[{}]", numbers.join(","))
    };
    let found = compared(&body(0, 50_000), &body(50_000, 100_001), &Rules::default());
    assert!(found.rough && found.differences.len() == 50_001, "{}", found.differences.len());
    assert!(!compared("[1,2]", "[1]", &Rules::default()).rough);
}

#[test]
fn what_keeps_it_ignored_is_toml_whatever_the_names_are() {
    let mut app = crate::app::tests::app();
    for name in ["a\"b", "c\\d", "e\u{7f}\u{1b}f", "g'h", "i\nj\u{9b}", "é"] {
        let body = |value| serde_json::json!({ name: value }).to_string();
        let mut found = compared(&body(1), &body(2), &app.rules);
        app.ignore(&mut found, false);
        let told = app.notice.as_ref().unwrap().text.clone();
        let (_, rest) = told.split_once("; `").unwrap();
        let (line, _) = rest.split_once("` below [compare]").unwrap();
        let read: toml::Table = line.parse().unwrap();
        assert_eq!(read["ignore"].as_array().unwrap().last().unwrap().as_str(), Some(&*format!("/{name}")), "{line}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}
