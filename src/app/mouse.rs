//! What the mouse means: a click selects what it hits, the wheel scrolls what is under it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use tui_textarea::{CursorMove, DataCursor};

use crate::app::action::Action;
use crate::app::event::{Effect, Notice};
use crate::app::shown::Tab;
use crate::app::{App, Focus};

/// Rows that one turn of the wheel passes.
pub(super) const TURN: isize = 3;

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

/// How the list and the call share the screen, in thousandths for the list; none: as it comes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Split {
    /// Side by side.
    pub beside: Option<u16>,
    /// One above the other.
    pub above: Option<u16>,
    /// The mouse has hold of the line between them.
    held: bool,
}

/// Where on the screen things are that can be pointed at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    /// The list and the call.
    pub both: Area,
    /// The line between them; upright where it is one column wide.
    pub divider: Area,
    /// The rows of the list.
    pub list: Area,
    /// The panel of the call, its headings too.
    pub detail: Area,
    /// The headings of its tabs.
    pub tabs: [Area; Tab::ALL.len()],
    /// The text of a draft.
    pub payload: Area,
    /// The answer to it.
    pub answer: Area,
}

impl App {
    /// The mouse did something. A dialog is for keys: only the wheel moves in it.
    pub(super) fn point(&mut self, mouse: MouseEvent) {
        let at = (mouse.column, mouse.row);
        if self.split.held && matches!(mouse.kind, MouseEventKind::Drag(_)) {
            return self.divide(at);
        }
        self.split.held = false;
        if matches!(mouse.kind, MouseEventKind::Drag(_)) {
            // Whoever drags elsewhere wants to select text.
            self.notice = Some(Notice::info(format!(
                "{} gives the mouse to the terminal, which can select text then",
                self.keymap.key(Action::Mouse)
            )));
            return;
        }
        if matches!(mouse.kind, MouseEventKind::Down(_) | MouseEventKind::ScrollDown | MouseEventKind::ScrollUp) {
            // It was read, or is in the log; and it may lie over what is pointed at.
            self.notice = None;
            self.draft.iter_mut().for_each(|draft| draft.leaving = false);
        }
        if !self.dialogs.is_empty() {
            return match mouse.kind {
                MouseEventKind::ScrollDown => self.dialog_wheel(true),
                MouseEventKind::ScrollUp => self.dialog_wheel(false),
                _ => {}
            };
        }
        if self.draft.is_some() {
            return self.point_in_draft(mouse.kind, at);
        }
        self.cursor.rest();
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(at),
            MouseEventKind::ScrollDown => self.wheel(at, TURN),
            MouseEventKind::ScrollUp => self.wheel(at, -TURN),
            _ => {}
        }
    }

    /// The wheel scrolls the payload or the answer; a click puts the cursor there.
    fn point_in_draft(&mut self, kind: MouseEventKind, at: (u16, u16)) {
        let Spots { payload, answer, .. } = self.regions.spots;
        let Some(draft) = &mut self.draft else { return };
        let turn = match kind {
            MouseEventKind::ScrollDown => TURN,
            MouseEventKind::ScrollUp => -TURN,
            MouseEventKind::Down(MouseButton::Left) if payload.contains(at) => {
                let (top, left) = draft.editor.scroll_offset();
                let row = usize::from(at.1 - payload.y) + usize::from(top);
                let column = usize::from(at.0 - payload.x) + usize::from(left);
                let DataCursor(line, character) = draft.editor.screen_to_data(row, column);
                if let (Ok(line), Ok(character)) = (line.try_into(), character.try_into()) {
                    draft.editor.cancel_selection();
                    draft.editor.move_cursor(CursorMove::Jump(line, character));
                    draft.typed(false);
                }
                return;
            }
            _ => return,
        };
        if payload.contains(at) {
            draft.editor.cancel_selection();
            draft.editor.scroll((i16::try_from(turn).unwrap_or(0), 0));
        } else if answer.contains(at) {
            draft.scroll = draft.scroll.saturating_add_signed(turn);
        }
    }

    fn click(&mut self, at: (u16, u16)) {
        let Spots { list, detail, tabs, divider, .. } = self.regions.spots;
        self.split.held = divider.contains(at);
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
        } else if detail.contains(at) && !self.calls.is_empty() && (tab.is_some() || !self.split.held) {
            self.focus = Focus::Detail;
            self.calls.follow = false;
            if matches!(self.tab, Tab::Body | Tab::Response) && tab.is_none() {
                self.click_in_tree(usize::from(at.1 - detail.y));
            }
        }
    }

    /// The cursor of a tree goes to the row that was clicked, counted from the headings; where it is already, its branch
    /// opens or closes.
    fn click_in_tree(&mut self, below: usize) {
        if below == 0 || below > self.regions.detail_height {
            return;
        }
        let row = (self.scroll[self.tab as usize] + below - 1).checked_sub(self.regions.detail_head);
        let Some(tree) = self.open_tree() else { return };
        match row.filter(|row| *row < tree.len()) {
            Some(row) if row == tree.row() => tree.toggle(),
            Some(row) => tree.step(row.cast_signed() - tree.row().cast_signed()),
            None => {}
        }
    }

    /// The line between list and call goes where the mouse is, but neither of them goes.
    fn divide(&mut self, (column, row): (u16, u16)) {
        let Spots { both, divider, .. } = self.regions.spots;
        let share = |at: u16, length: u16| {
            let share = u32::from(at) * 1000 / u32::from(length.max(1));
            Some(u16::try_from(share.clamp(150, 850)).unwrap_or(500))
        };
        if divider.width == 1 {
            self.split.beside = share(column.saturating_sub(both.x), both.width);
        } else {
            self.split.above = share(row.saturating_sub(both.y), both.height);
        }
        self.cursor.see();
    }

    fn wheel(&mut self, at: (u16, u16), rows: isize) {
        let Spots { list, detail, .. } = self.regions.spots;
        if list.contains(at) {
            self.calls.scroll(rows, self.regions.list_height);
        } else if detail.contains(at) {
            self.scroll_tab(rows);
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
