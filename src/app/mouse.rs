//! What the mouse means: a click selects what it hits, the wheel scrolls what is under it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use crate::app::action::Action;
use crate::app::event::{Effect, Notice};
use crate::app::shown::Tab;
use crate::app::{App, Focus};

/// Rows that one turn of the wheel passes.
const TURN: isize = 3;

/// Who has the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holder {
    /// We: it selects and scrolls.
    #[default]
    Program,
    /// The terminal: it selects text.
    Terminal,
}

/// Part of the screen, in columns and rows from its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what a rectangle has")]
pub struct Area {
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}

impl Area {
    fn contains(self, (column, row): (u16, u16)) -> bool {
        column.checked_sub(self.x).is_some_and(|column| column < self.width)
            && row.checked_sub(self.y).is_some_and(|row| row < self.height)
    }
}

/// Where on the screen things are that can be pointed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    /// The rows of the list.
    pub list: Area,
    /// The panel of the call, its headings too.
    pub detail: Area,
    /// The headings of its tabs.
    pub tabs: [Area; Tab::ALL.len()],
}

impl App {
    /// The mouse did something. Over a dialog or a draft, which are for keys, it does nothing.
    pub(super) fn point(&mut self, mouse: MouseEvent) {
        if matches!(mouse.kind, MouseEventKind::Drag(_)) {
            // Whoever drags wants to select text.
            self.notice = Some(Notice::info(format!(
                "{} gives the mouse to the terminal, which can select text then",
                self.keymap.key(Action::Mouse)
            )));
            return;
        }
        if !self.dialogs.is_empty() || self.draft.is_some() {
            return;
        }
        let at = (mouse.column, mouse.row);
        self.cursor.rest();
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            MouseEventKind::ScrollDown => self.wheel(at, TURN),
            MouseEventKind::ScrollUp => self.wheel(at, -TURN),
            _ => {}
        }
    }

    fn click(&mut self, at: (u16, u16)) {
        let Spots { list, detail, tabs } = self.regions.spots;
        let tab = Tab::ALL.into_iter().zip(tabs).find(|(_, place)| place.contains(at));
        if let Some((tab, _)) = tab {
            self.show_tab(tab);
        }
        if list.contains(at) {
            self.focus = Focus::List;
            let row = self.calls.top + usize::from(at.1 - list.y);
            if row < self.calls.len() {
                self.calls.select_row(row);
            }
        } else if detail.contains(at) && !self.calls.is_empty() {
            self.focus = Focus::Detail;
            self.calls.follow = false;
        }
    }

    fn wheel(&mut self, at: (u16, u16), rows: isize) {
        let Spots { list, detail, .. } = self.regions.spots;
        if list.contains(at) {
            self.calls.scroll(rows, self.regions.list_height);
        } else if detail.contains(at) {
            let last = self.regions.detail_rows.saturating_sub(self.regions.detail_height);
            let scroll = &mut self.scroll[self.tab as usize];
            *scroll = scroll.saturating_add_signed(rows).min(last);
        }
    }

    /// Gives the mouse to the terminal, or takes it back.
    pub(super) fn toggle_mouse(&mut self) -> Vec<Effect> {
        let ours = self.mouse == Holder::Terminal;
        self.mouse = if ours { Holder::Program } else { Holder::Terminal };
        let how = if ours {
            "the mouse selects and scrolls here".to_owned()
        } else {
            format!("the mouse selects text, as the terminal does it: {} takes it back", self.keymap.key(Action::Mouse))
        };
        self.tell(Notice::info(how));
        vec![Effect::Mouse(ours)]
    }
}
