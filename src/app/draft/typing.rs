//! What keys do to the text of a draft, beyond what a text area makes of them by itself.

use crossterm::event::{KeyCode, KeyEvent};
use tui_textarea::{CursorMove, DataCursor, TextArea};

use super::Draft;

/// An edit that can be taken back, or done again.
struct Edit {
    /// Where the cursor is before that.
    from: DataCursor,
    /// Where it is then.
    to: DataCursor,
    /// What it is of, where it is one letter that comes or goes.
    letter: Option<Letter>,
}

/// Edits of letters that are alike are one run.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Letter {
    /// It is of a word, not between words.
    of_word: bool,
    /// It comes.
    comes: bool,
}

impl Draft {
    /// A key goes into the text.
    pub(in crate::app) fn input(&mut self, key: KeyEvent) {
        let breaks = key.code == KeyCode::Enter && key.modifiers.is_empty();
        let edited = if breaks { self.break_line() } else { self.editor.input(key) };
        self.typed(edited);
    }

    /// A new line begins below the text of the one before it.
    fn break_line(&mut self) -> bool {
        let DataCursor(row, column) = self.editor.cursor();
        let line = self.editor.lines().get(row).map_or("", String::as_str);
        let indent: String = line.chars().take(column).take_while(|letter| matches!(letter, ' ' | '\t')).collect();
        self.editor.insert_str(format!("\n{indent}"))
    }

    /// Takes pasted text. A terminal pastes a line's end as the return key would type it.
    pub(in crate::app) fn paste(&mut self, text: &str) {
        let edited = self.editor.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
        self.typed(edited);
    }

    /// Deletes what stands before the cursor in its line.
    pub(in crate::app) fn clear_line(&mut self) {
        let edited = self.editor.delete_line_by_head();
        self.typed(edited);
    }

    /// Deletes all of the text, for another one to be typed or pasted.
    pub(in crate::app) fn clear(&mut self) {
        self.replace("", false);
        self.typing = true;
    }

    /// Undoes the last edit; of typed or deleted letters a run: a word, or what stands between two.
    pub fn step_back(&mut self) {
        self.turn(TextArea::undo, TextArea::redo);
    }

    /// Does again what was undone last.
    pub fn step_forth(&mut self) {
        self.turn(TextArea::redo, TextArea::undo);
    }

    fn turn(&mut self, step: fn(&mut TextArea<'static>) -> bool, back: fn(&mut TextArea<'static>) -> bool) {
        let mut last: Option<Edit> = None;
        while let Some(next) = self.peek(step, back) {
            let goes_on = last.as_ref().is_none_or(|last| last.letter == next.letter && last.to == next.from);
            if !goes_on {
                break;
            }
            step(&mut self.editor);
            let alone = next.letter.is_none();
            last = Some(next);
            if alone {
                break;
            }
        }
        if let Some(DataCursor(row, column)) = last.map(|last| last.to)
            && let (Ok(row), Ok(column)) = (row.try_into(), column.try_into())
        {
            // Looking at the edit that was next has moved it.
            self.editor.move_cursor(CursorMove::Jump(row, column));
        }
        // A text that is put for another one passes through none, which is not for anyone to see.
        if self.editor.is_empty() {
            step(&mut self.editor);
        }
        self.changed();
    }

    /// The edit that `step` would take, which `back` takes back; none: there is no further one.
    fn peek(
        &mut self,
        step: fn(&mut TextArea<'static>) -> bool,
        back: fn(&mut TextArea<'static>) -> bool,
    ) -> Option<Edit> {
        let lines = self.editor.lines().len();
        if !step(&mut self.editor) {
            return None;
        }
        let to = self.editor.cursor();
        let (same, then) = (self.editor.lines().len() == lines, self.editor.lines()[to.0].clone());
        back(&mut self.editor);
        let from = self.editor.cursor();
        let now = &self.editor.lines()[from.0];
        let (shorter, longer) = if then.len() < now.len() { (&then, now) } else { (now, &then) };
        let one = same && from.0 == to.0 && from.1.abs_diff(to.1) <= 1 && {
            longer.chars().count() == shorter.chars().count() + 1
        };
        let letter = longer.chars().nth(from.1.min(to.1)).filter(|_| one);
        let comes = then.len() > now.len();
        Some(Edit {
            from,
            to,
            letter: letter.map(|letter| Letter { of_word: letter.is_alphanumeric() || letter == '_', comes }),
        })
    }
}
