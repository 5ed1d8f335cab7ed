//! Every row of every table in the documents of the platforms is in a pack, in one place, with all its cells.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use hooktape::platform::{Field, Pack, Platforms};

/// `## platform, table`, and its rows as `- cell | cell`.
const DOCUMENTS: &str = include_str!("packs/documents.md");

/// A table of a document.
struct Table {
    platform: &'static str,
    title: &'static str,
    rows: Vec<Vec<&'static str>>,
}

fn tables() -> Vec<Table> {
    let mut tables = Vec::new();
    for section in DOCUMENTS.split("\n## ").skip(1) {
        let (heading, rows) = section.split_once('\n').unwrap();
        let (platform, title) = heading.split_once(", ").unwrap();
        let rows = rows.lines().filter_map(|line| line.strip_prefix("- "));
        tables.push(Table { platform, title, rows: rows.map(|row| row.split(" | ").collect()).collect() });
    }
    tables
}

/// Everything a pack tells people, one place a string.
fn entries(pack: &Pack) -> Vec<String> {
    let mut entries = Vec::new();
    for kind in pack.kinds() {
        let about = kind.describe();
        let signed = about.signed.unwrap_or_default();
        entries.push([about.name, about.title, about.fires, about.returns, about.failure, signed].join("\n"));
        let field = |field: Field| {
            let required = if field.required { "required" } else { "optional" };
            let place = field.place.trim_start_matches('/').replace('/', ".");
            let (json_type, meaning) = (field.json_type.unwrap_or_default(), field.meaning.unwrap_or_default());
            [kind.name.as_str(), field.part, &place, required, &json_type, &meaning].join("\n")
        };
        let fields = kind.fields().into_iter().chain(kind.response_fields()).chain(kind.error_fields());
        entries.extend(fields.map(field));
    }
    for table in &pack.tables {
        entries.extend(table.rows.iter().map(|row| format!("{}\n{}", table.title, row.join("\n"))));
    }
    entries.extend(pack.endpoints.iter().map(|endpoint| format!("{}\n{}", endpoint.title, endpoint.url)));
    if let Some(webhook) = &pack.webhook {
        let most = webhook.max_custom_headers.unwrap_or_default();
        entries.push(format!("at most {most} custom headers\n{}", webhook.forbidden_headers.join("\n")));
        entries.push(format!("{:?}", webhook.egress));
    }
    entries
}

#[test]
fn every_row_of_every_documented_table_is_in_a_pack() {
    let platforms = Platforms::builtin().unwrap();
    let (mut count, mut lost) = (0, Vec::new());
    for Table { platform, title, rows } in tables() {
        let entries = entries(platforms.pack(platform).unwrap());
        count += rows.len();
        for row in rows {
            if !entries.iter().any(|entry| row.iter().all(|cell| entry.contains(cell))) {
                lost.push(format!("{platform}, {title}: {}", row.join(" | ")));
            }
        }
    }
    assert_eq!(count, DOCUMENTS.matches("\n- ").count());
    assert!(lost.is_empty(), "{} of {count} rows are in no pack:\n{}", lost.len(), lost.join("\n"));
}

/// The envelope of the four webhooks is the same.
#[test]
fn every_webhook_of_moveo_has_the_whole_common_envelope() {
    let platforms = Platforms::builtin().unwrap();
    let common = tables().into_iter().find(|table| table.title == "Webhooks: common envelope").unwrap();
    assert_eq!(common.rows.len(), 10);
    for kind in ["dialog", "first_message", "pre_message", "post_message"] {
        let fields = platforms.kind(format!("moveo/{kind}").as_str()).unwrap().fields();
        for row in &common.rows {
            let field = fields.iter().find(|field| field.place == format!("/{}", row[0])).unwrap();
            assert_eq!(field.json_type.as_deref(), Some(row[1]), "{kind} {}", row[0]);
            assert!(field.meaning.as_deref().unwrap().contains(row[2]), "{kind} {}", row[0]);
        }
    }
}
