//! The least that a screen can be: a list that draws the rows one sees and moves by a key. What it takes until its frame is
//! painted is what terminal and machine take.

use std::io::stdout;

use crossterm::event::{Event, KeyCode, read};
use crossterm::terminal::enable_raw_mode;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Text};

/// Rows that there are.
const ROWS: usize = 1_000_000;

/// Runs until `q` is pressed, or it is killed.
pub fn main() {
    enable_raw_mode().unwrap();
    let mut terminal = Terminal::new(CrosstermBackend::new(stdout())).unwrap();
    let (mut selected, mut first) = (0, 0_usize);
    loop {
        let draw = |frame: &mut ratatui::Frame| {
            let (height, width) = (usize::from(frame.area().height), usize::from(frame.area().width));
            first = first.clamp((selected + 1_usize).saturating_sub(height), selected);
            let row = |row: usize| {
                let style =
                    Style::new().add_modifier(if row == selected { Modifier::REVERSED } else { Modifier::empty() });
                let text = format!("call {row} of {ROWS}  POST /hooks/{}  200  {} ms", row % 7, row % 31);
                Line::styled(format!("{text:width$}"), style)
            };
            frame.render_widget((first..first + height).map(row).collect::<Text>(), frame.area());
        };
        terminal.draw(draw).unwrap();
        match read().unwrap() {
            Event::Key(key) if key.code == KeyCode::Char('j') => selected = (selected + 1).min(ROWS - 1),
            Event::Key(key) if key.code == KeyCode::Char('g') => selected = 0,
            Event::Key(key) if key.code == KeyCode::Char('q') => return,
            _ => {}
        }
    }
}
