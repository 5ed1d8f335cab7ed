//! The README's pictures: the program's own screen as SVG, held against what is in `assets/screenshots`.
//!
//! `UPDATE_SCREENSHOTS=1 cargo test --test tui screenshots` draws them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use hooktape::config::{Config, Screen, Theme};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::support::{Stage, repository};

/// A cell's width and height, and how far the letters' feet are from its top, in SVG units.
const CELL: (f64, f64, f64) = (8.4, 18.0, 13.5);
/// Around the screen.
const MARGIN: f64 = 14.0;
const GROUND: &str = "#16181d";
const TEXT: &str = "#d4d8e0";
/// The first sixteen colours.
const ANSI: [&str; 16] = [
    "#1d2026", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#abb2bf", "#7f848e", "#e06c75",
    "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#ffffff",
];

fn stage(width: u16, height: u16) -> Stage {
    let config = Config { screen: Screen { theme: Theme::Dark, ..Screen::default() }, ..Config::default() };
    Stage { config, ..Stage::size(width, height) }
}

async fn picture(name: &str, recording: &Path, stage: Stage, script: &str) {
    let drawn = svg(&stage.open(recording, script).await.buffer);
    let path = repository("assets/screenshots").join(format!("{name}.svg"));
    if std::env::var_os("UPDATE_SCREENSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, drawn).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "{name} is not what the program shows: draw it with UPDATE_SCREENSHOTS=1");
}

#[tokio::test]
async fn a_bad_signature_explained() {
    picture("signature", &repository("recordings/moveo.jsonl"), stage(132, 30), "G4").await;
}

#[tokio::test]
async fn a_conversation() {
    picture("conversation", &repository("recordings/moveo.jsonl"), stage(132, 36), "gjjjj6<enter>").await;
}

#[tokio::test]
async fn two_answers_compared() {
    let folder = tempfile::tempdir().unwrap();
    picture("comparison", &pair(folder.path()), stage(132, 30), "Gc").await;
}

#[tokio::test]
async fn the_plots() {
    let folder = tempfile::tempdir().unwrap();
    picture("plots", &afternoon(folder.path()), stage(132, 36), "gZ>>").await;
}

/// A call, and the same sent again to a newer backend, which answers otherwise.
fn pair(folder: &Path) -> PathBuf {
    let request = r#"{"headers":[["content-type","application/json"]],"json":{"channel":"web","session_id":"5f0c1f0e","lang":"en","context":{"user":{"user_id":"visitor-7"}},"input":{"text":"Where is my parcel?"},"intents":[{"intent":"track_parcel","confidence":0.93}]}}"#;
    let answer = |json: &str| format!(r#"{{"headers":[["content-type","application/json"]],"json":{json}}}"#);
    let before = answer(
        r#"{"context":{"parcel":{"id":"GR-20418","state":"in_transit","days":2},"retry":false},"output":{"live_instructions":{"text":"It is on its way."}}}"#,
    );
    let after = answer(
        r#"{"context":{"parcel":{"id":"GR-20418","state":"delivered"},"carrier":"ACS","retry":false},"output":{"live_instructions":{"text":"It was delivered at 9:12."}}}"#,
    );
    let ids = ["0193a1b2-0000-7000-8000-000000000001", "0193a1b2-0000-7000-8000-000000000002"];
    let head = |id: &str, at: &str, direction: &str, took: u32, parent: &str| {
        format!(
            r#"{{"id":"{id}","at":"2026-11-21T{at}Z","dir":"{direction}","kind":"moveo/dialog","conv":"5f0c1f0e","sig":"valid","method":"POST","path":"/hooks/moveo","status":200,"took_us":{took},"size":241,"parent":{parent}"#
        )
    };
    let first = head(ids[0], "10:02:11.120331", "received", 48_200, "null");
    let second = head(ids[1], "10:05:40.771002", "sent", 31_840, &format!("\"{}\"", ids[0]));
    let lines = [
        r#"{"hooktape":1,"created":"2026-11-21T10:00:00Z","by":"hooktape"}"#.to_owned(),
        format!(r#"{first},"request":{request},"response":{before}}}"#),
        format!(r#"{second},"request":{request},"response":{after}}}"#),
    ];
    let path = folder.join("parcels.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

/// Half an hour of made-up calls: quiet, a rush, a slow patch with failures.
fn afternoon(folder: &Path) -> PathBuf {
    const KINDS: [(&str, u64); 5] = [
        ("moveo/dialog", 42_000),
        ("moveo/pre_message", 9_000),
        ("moveo/post_message", 11_000),
        ("moveo/auth_validation", 95_000),
        ("moveo/webview_callback", 23_000),
    ];
    let mut text = "{\"hooktape\":1,\"created\":\"2026-11-21T15:00:00Z\",\"by\":\"hooktape\"}\n".to_owned();
    // Knuth's; the same everywhere.
    let mut state = 20_261_121_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut at = jiff::Timestamp::from_second(1_795_273_200).unwrap();
    let mut number = 0;
    loop {
        let minute = number_of_minutes(at);
        if minute >= 30 {
            break;
        }
        let (gap, slow, failing) = match minute {
            0..8 => (1_900, 1, 0),
            8..14 => (260, 1, 0),
            14..20 => (700, 1, 0),
            20..24 => (900, 14, 9),
            _ => (1_200, 1, 0),
        };
        at += jiff::SignedDuration::from_millis(i64::try_from(next(2 * gap) + 1).unwrap());
        let (kind, usual) =
            KINDS[usize::try_from([0, 0, 0, 1, 1, 2, 2, 3, 4][usize::try_from(next(9)).unwrap()]).unwrap()];
        let took =
            (usual * (60 + next(90)) / 100 + next(8) * next(8) * next(900)) * if next(3) == 0 { slow } else { 1 };
        let status = if next(20) < failing { 502 } else { 200 };
        let sig = if next(160) == 0 { "invalid" } else { "valid" };
        number += 1;
        let conversation = next(60);
        let _ = writeln!(
            text,
            r#"{{"id":"0193a1b2-0000-7000-8000-{number:012x}","at":"{at}","dir":"received","kind":"{kind}","conv":"c-{conversation}","sig":"{sig}","method":"POST","path":"/hooks/moveo","status":{status},"took_us":{took},"size":2,"parent":null,"request":{{"headers":[],"json":{{}}}},"response":{{"headers":[],"json":{{}}}}}}"#
        );
    }
    let path = folder.join("afternoon.jsonl");
    std::fs::write(&path, text).unwrap();
    path
}

fn number_of_minutes(at: jiff::Timestamp) -> i64 {
    (at.as_second() - 1_795_273_200) / 60
}

/// The screen as a picture. Lines and bars are drawn, for fonts leave gaps between rows; letters are text, each run as
/// wide as its cells.
fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (width, height) = (f64::from(columns) * CELL.0 + 2.0 * MARGIN, f64::from(rows) * CELL.1 + 2.0 * MARGIN);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace,'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"10\" fill=\"{GROUND}\"/>\n"
    );
    for y in 0..rows {
        let mut run = Run::default();
        let mut grounds = String::new();
        let mut marks = String::new();
        let (mut ground, mut bar) = (None, None);
        for x in 0..columns {
            let cell = &buffer[(x, y)];
            let look = Look::of(cell);
            Piece::join(
                &mut grounds,
                &mut ground,
                look.ground.as_ref().map(|colour| Piece::at(x, (0.0, 1.0, 1.0), colour)),
                y,
            );
            let symbol = cell.symbol();
            let piece = level(symbol).map(|shape| Piece::at(x, shape, &look.colour));
            let is_piece = piece.is_some();
            Piece::join(&mut marks, &mut bar, piece, y);
            if let Some(line) = line(symbol, x, y, &look.colour) {
                run.flush(&mut marks, y);
                marks += &line;
            } else if is_piece {
                run.flush(&mut marks, y);
            } else if symbol.is_ascii() && run.takes(x, &look) {
                run.text += symbol;
            } else {
                run.flush(&mut marks, y);
                run = Run { begin: x, text: symbol.to_owned(), look };
                if !symbol.is_ascii() {
                    run.flush(&mut marks, y);
                }
            }
        }
        run.flush(&mut marks, y);
        Piece::join(&mut grounds, &mut ground, None, y);
        Piece::join(&mut marks, &mut bar, None, y);
        text += &grounds;
        text += &marks;
    }
    text + "</svg>\n"
}

fn place(x: f64, y: f64) -> (f64, f64) {
    (MARGIN + x * CELL.0, MARGIN + y * CELL.1)
}

/// Part of a row that is filled from one cell to another.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    begin: u16,
    end: u16,
    /// From which share of the row's height to which, and how densely.
    shape: (f64, f64, f64),
    colour: String,
}

impl Piece {
    fn at(x: u16, shape: (f64, f64, f64), colour: &str) -> Self {
        Self { begin: x, end: x + 1, shape, colour: colour.to_owned() }
    }

    /// Goes on with `next`, in one piece where they are alike.
    fn join(out: &mut String, current: &mut Option<Self>, next: Option<Self>, y: u16) {
        if let (Some(current), Some(next)) = (current.as_mut(), &next)
            && (&current.colour, current.shape, current.end) == (&next.colour, next.shape, next.begin)
        {
            current.end = next.end;
            return;
        }
        if let Some(Self { begin, end, shape: (from, to, opacity), colour }) = std::mem::replace(current, next) {
            let ((left, top), width) = (place(begin.into(), y.into()), f64::from(end - begin) * CELL.0);
            let (top, height) = (top + from * CELL.1, (to - from) * CELL.1);
            let faint = if opacity < 1.0 { format!(" fill-opacity=\"{opacity}\"") } else { String::new() };
            // Bars stand side by side without a gap; a line that is snapped to pixels is of any thickness.
            let crisp = if height > 2.0 { " shape-rendering=\"crispEdges\"" } else { "" };
            let _ = writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{top:.2}\" width=\"{width:.1}\" height=\"{height:.2}\" fill=\"{colour}\"{faint}{crisp}/>"
            );
        }
    }
}

/// What a cell looks like.
#[derive(Clone, Debug, Default, PartialEq)]
struct Look {
    colour: String,
    ground: Option<String>,
    bold: bool,
    underlined: bool,
    struck: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut colour, mut ground) = (rgb(cell.fg).unwrap_or(TEXT.to_owned()), rgb(cell.bg));
        if cell.modifier.contains(Modifier::REVERSED) {
            let under = ground.unwrap_or(GROUND.to_owned());
            ground = Some(std::mem::replace(&mut colour, under));
        }
        Self {
            colour,
            ground,
            bold: cell.modifier.contains(Modifier::BOLD),
            underlined: cell.modifier.contains(Modifier::UNDERLINED),
            struck: cell.modifier.contains(Modifier::CROSSED_OUT),
        }
    }
}

/// Letters of the same look, one beside the other.
#[derive(Debug, Default)]
struct Run {
    begin: u16,
    text: String,
    look: Look,
}

impl Run {
    fn takes(&self, x: u16, look: &Look) -> bool {
        !self.text.is_empty() && self.look == *look && usize::from(self.begin) + self.text.len() == usize::from(x)
    }

    fn flush(&mut self, out: &mut String, y: u16) {
        let Self { begin, text, look } = std::mem::take(self);
        let letters = text.trim_end();
        if letters.is_empty() {
            return;
        }
        let blanks = letters.len() - letters.trim_start().len();
        let letters = letters.trim_start();
        let (left, top) = place(f64::from(begin) + f64::from(u32::try_from(blanks).unwrap()), y.into());
        let mut more = String::new();
        for (set, attribute) in [
            (look.bold, " font-weight=\"bold\""),
            (look.underlined, " text-decoration=\"underline\""),
            (look.struck, " text-decoration=\"line-through\""),
        ] {
            more += if set { attribute } else { "" };
        }
        if letters.is_ascii() && letters.len() > 1 {
            let _ = write!(more, " textLength=\"{:.1}\"", f64::from(u32::try_from(letters.len()).unwrap()) * CELL.0);
        }
        let letters = letters.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let baseline = top + CELL.2;
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{baseline:.1}\" fill=\"{}\" xml:space=\"preserve\"{more}>{letters}</text>",
            look.colour
        );
    }
}

/// What of its row a bar or a level line fills.
fn level(symbol: &str) -> Option<(f64, f64, f64)> {
    match symbol.chars().next()? {
        '─' => Some((0.47, 0.53, 1.0)),
        '░' => Some((0.0, 1.0, 0.3)),
        eighths @ '▁'..='█' => Some((1.0 - f64::from(eighths as u32 - '▁' as u32 + 1) / 8.0, 1.0, 1.0)),
        _ => None,
    }
}

/// Upright lines and corners.
fn line(symbol: &str, x: u16, y: u16, colour: &str) -> Option<String> {
    let (left, top) = place(x.into(), y.into());
    let (right, bottom, middle, centre) = (left + CELL.0, top + CELL.1, left + CELL.0 / 2.0, top + CELL.1 / 2.0);
    let turn = |vertical: f64, horizontal: f64| {
        format!("M{middle:.1} {vertical:.1}Q{middle:.1} {centre:.1} {horizontal:.1} {centre:.1}")
    };
    let path = match symbol.chars().next()? {
        '│' | '▏' => format!("M{middle:.1} {top:.1}V{bottom:.1}"),
        '╭' | '┌' => turn(bottom, right),
        '╮' | '┐' => turn(bottom, left),
        '╰' | '└' => turn(top, right),
        '╯' | '┘' => turn(top, left),
        '├' => format!("M{middle:.1} {top:.1}V{bottom:.1}M{middle:.1} {centre:.1}H{right:.1}"),
        _ => return None,
    };
    Some(format!("<path d=\"{path}\" stroke=\"{colour}\" fill=\"none\" stroke-width=\"1.1\"/>\n"))
}

/// A colour as SVG has it; nothing for the terminal's own.
fn rgb(colour: Color) -> Option<String> {
    let named = match colour {
        Color::Reset => return None,
        Color::Rgb(red, green, blue) => return Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Indexed(index @ 16..=231) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let [red, green, blue] = [(index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6].map(level);
            return Some(format!("#{red:02x}{green:02x}{blue:02x}"));
        }
        Color::Indexed(index @ 232..) => {
            let level = 8 + 10 * (index - 232);
            return Some(format!("#{level:02x}{level:02x}{level:02x}"));
        }
        Color::Indexed(index) => index,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    Some(ANSI[usize::from(named)].to_owned())
}
