use super::*;

fn entry(number: u64) -> Entry {
    Entry {
        place: Place { offset: 100 * (number + 1), len: 99 },
        id: Id(uuid::Uuid::from_u128(number.into())),
        at: Timestamp::from_microsecond(-5 + i64::try_from(number).unwrap()).unwrap(),
        direction: if number.is_multiple_of(2) { Direction::Received } else { Direction::Sent },
        kind: (!number.is_multiple_of(3)).then(|| "moveo/dialog".into()),
        conversation: (!number.is_multiple_of(4)).then(|| format!("c{}", number % 7).into()),
        sig: Sig::ALL.get(usize::try_from(number % 9).unwrap()).copied(),
        method: "POST".into(),
        path: format!("/{}", number % 5).into(),
        status: (number % 2 == 1).then_some(200),
        took_us: u64::MAX - number,
        size: number,
        parent: (number % 10 == 9).then(|| Id(uuid::Uuid::from_u128(7))),
        failed: number.is_multiple_of(6),
    }
}

#[test]
fn conversations_are_gathered_and_walked_both_ways() {
    let mut index = Index::new();
    (0..100).for_each(|number| index.push(&entry(number).view()));
    let rows = |key: &str| -> Vec<usize> {
        (0..100).filter(|&row| index.view(row).unwrap().conversation == Some(key)).collect()
    };
    let wanted = rows("c3");
    assert_eq!(index.same_conversation(wanted[1], 0..1000).collect::<Vec<_>>(), wanted);
    assert_eq!(index.same_conversation(wanted[1], 0..wanted[3]).next_back(), Some(wanted[2]));
    assert_eq!(index.same_conversation(0, 0..100).count(), 0, "the first call belongs to none");
    assert_eq!(index.same_conversation(500, 0..100).count(), 0);
    let all = index.conversations();
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted_by_key(|group| std::cmp::Reverse(group.last)));
    let group = all.iter().find(|group| group.key == "c3").unwrap();
    assert_eq!((group.calls, group.first, Some(&group.last)), (wanted.len(), wanted[0], wanted.last()));
}

#[test]
fn of_a_conversation_is_counted_what_the_plots_point_at() {
    let sound = || Entry { conversation: Some("c".into()), status: Some(200), sig: None, failed: false, ..entry(1) };
    let ill = |entry: Entry| [entry].iter().collect::<Index>().conversations()[0].ill;
    for sig in Sig::ALL {
        let bad = ["invalid", "stale", "missing", "malformed"].contains(&sig.word());
        assert_eq!(ill(Entry { sig: Some(sig), ..sound() }), usize::from(bad), "{}", sig.word());
    }
    assert_eq!(ill(sound()), 0);
    assert_eq!(ill(Entry { status: Some(400), ..sound() }), 1);
    assert_eq!(ill(Entry { failed: true, ..sound() }), 1);
}

#[test]
fn gives_back_what_was_pushed_and_keeps_each_string_once() {
    let entries: Vec<_> = (0..100).map(entry).collect();
    let mut index = Index::new();
    for entry in &entries {
        index.push(&entry.view());
    }
    assert_eq!(index.len(), 100);
    assert!((0..100).all(|row| index.get(row).as_ref() == Some(&entries[row])));
    assert!(index.iter().eq(entries.iter().map(Entry::view)));
    assert_eq!(index.get(100), None);
    assert_eq!(index.row_of(entries[42].id), Some(42));
    assert_eq!(index.row_of(Id(uuid::Uuid::max())), None);
    assert_eq!(index.conversations.values.len(), 7);
    assert!(Arc::ptr_eq(&index.get(1).unwrap().path, &index.get(31).unwrap().path));
}

#[test]
fn parts_make_the_same_index_wherever_they_are_cut() {
    let entries: Vec<_> = (0..40).map(entry).collect();
    let whole: Index = entries.iter().collect();
    for cut in 0..=40 {
        let mut parts: Index = entries[..cut].iter().collect();
        parts.append(&entries[cut..].iter().collect());
        assert_eq!(parts, whole);
        assert_eq!(parts.conversations.values.len(), 7);
    }
}

#[test]
fn of_long_strings_little_is_kept_and_no_filter_is_misled() {
    let long = |number: u64, end: &str| {
        let text = |what: &str| format!("{what}{number}{}{end}", "x".repeat(100_000)).into();
        Entry {
            kind: Some(text("k")),
            conversation: Some(text("c")),
            path: text("/"),
            method: "POST".into(),
            ..entry(number)
        }
    };
    let mut index: Index = [entry(1), long(2, "abcd"), long(2, "abcd"), long(2, "other")].iter().collect();
    index.append(&[long(2, "abcd")].iter().collect());
    let kept = |row: usize| index.get(row).unwrap();
    assert!(kept(1).path.len() <= 512 && kept(1).path.starts_with("/2xx"), "{}", kept(1).path);
    assert_eq!(index.conversations.values.len(), 3);
    assert_eq!(index.same_conversation(1, 0..9).collect::<Vec<_>>(), [1, 2, 4]);
    let matching = |query: &str| index.matching(&Query::parse(query, Timestamp::UNIX_EPOCH).unwrap());
    for query in ["path:abcd", "-conv:abcd", "kind:abcd | path:abcd", "platform:abcd"] {
        let found = matching(query);
        assert_eq!(
            (found.open, found.hits.contains(&0)),
            (vec![1, 2, 3, 4], query.starts_with('-')),
            "only these: {query}"
        );
    }
    let told = |query: &str| Some(matching(query)).filter(|found| found.open.is_empty()).map(|found| found.hits);
    assert_eq!(told("method:post -dir:sent"), Some(vec![1, 2, 3, 4]));
    assert_eq!(told("dir:sent path:abcd"), Some(vec![]), "the others are out anyway");
    for query in ["path:/2xx", "kind:k2xx", "conv:C2XX"] {
        assert_eq!(told(query), Some(vec![1, 2, 3, 4]), "{query}");
    }
    assert_eq!(told("-path:/2xx"), Some(vec![0]));
    let hash = kept(1).path.rsplit_once('…').unwrap().1.to_owned();
    assert!(matching(&format!("path:{hash}")).hits.is_empty(), "a sum is no part of a path");
}

#[test]
fn the_longest_key_that_a_platform_gives_is_kept_whole() {
    let platforms = crate::platform::Platforms::builtin().unwrap();
    let kind = platforms.kind("dialog").unwrap();
    for letter in ["a", "é"] {
        let body = format!(r#"{{"session_id":"{}"}}"#, letter.repeat(1_000_000));
        let request = crate::call::Request { body: body.into(), ..crate::call::Request::default() };
        let key = kind.conversation(&crate::platform::Seen::new(&request)).unwrap();
        let index: Index = [Entry { conversation: Some(key.into()), ..entry(1) }].iter().collect();
        let none = Matching::default();
        // Else every filter by conversation had to look into that call.
        assert_eq!(index.matching(&Query::parse("conv:z", Timestamp::UNIX_EPOCH).unwrap()), none, "{letter}");
    }
}

#[test]
fn forgets_from_an_offset_on() {
    let mut index = Index::new();
    (0..30).for_each(|number| index.push(&entry(number).view()));
    index.truncate(entry(20).place.offset);
    assert_eq!(index.len(), 20);
    (20..25).for_each(|number| index.push(&entry(number + 1).view()));
    assert_eq!(index.get(20), Some(entry(21)), "and takes no parent from the row that was there");
}
