//! Lines put on the screen. Most text is ASCII, where every byte is a grapheme cluster of one column: it is written cell by
//! cell, without looking for clusters and their widths, which was the dearest part of a frame.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Widget as _};

use crate::view::theme;

/// Puts `lines` into `area`, one on a row, from the left; what does not fit is cut off.
pub(super) fn lines(buffer: &mut Buffer, lines: &[Line], area: Rect) {
    let area = area.intersection(buffer.area);
    lines.iter().zip(area.rows()).for_each(|(line, row)| put(buffer, line, row));
}

fn put(buffer: &mut Buffer, line: &Line, row: Rect) {
    if line.style != Style::new() && line.width() > 0 {
        buffer.set_style(row, line.style);
    }
    let mut left = row;
    for span in &line.spans {
        if left.is_empty() {
            return;
        }
        let text = span.content.as_ref();
        let columns = if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            let begin = buffer.index_of(left.x, left.y);
            let cells = &mut buffer.content[begin..begin + usize::from(left.width)];
            for (cell, byte) in cells.iter_mut().zip(text.bytes()) {
                cell.set_char(char::from(byte)).set_style(span.style);
            }
            text.len()
        } else {
            let columns = span.width();
            if columns > 0 {
                span.render(left, buffer);
            }
            columns
        };
        let columns = u16::try_from(columns).unwrap_or(u16::MAX).min(left.width);
        left = Rect { x: left.x + columns, width: left.width - columns, ..left };
    }
}

/// Draws a block that has a border above, and perhaps one on the left: only the cells that these take.
pub(super) fn edges(buffer: &mut Buffer, block: Block, area: Rect) {
    let top = Rect { height: area.height.min(1), ..area };
    let left = block.inner(area).x > area.x;
    block.render(top, buffer);
    if left {
        let below = Rect { y: top.bottom(), height: area.height - top.height, width: area.width.min(1), ..area };
        Block::new().borders(Borders::LEFT).border_style(theme::DIM).render(below, buffer);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Color;
    use ratatui::text::{Span, Text};

    use super::*;
    use crate::visible;

    proptest! {
        #[test]
        fn what_is_painted_is_what_ratatui_paints(
            texts in prop::collection::vec(("[ -~]{0,12}|\\PC{0,6}", 0..3_usize), 0..6),
            selected in any::<bool>(),
            width in 0..30_u16,
        ) {
            let styles = [Style::new(), Style::new().fg(Color::Red), Style::new().bg(Color::Blue)];
            let spans = texts.iter().map(|(text, style)| Span::styled(visible::line(text), styles[*style]));
            let line = Line::from(spans.collect::<Vec<_>>());
            let line = if selected { line.style(styles[2]) } else { line };
            let area = Rect { x: 1, y: 1, width, height: 2 };
            let [mut ours, mut theirs] = [0; 2].map(|_| Buffer::filled(Rect::new(0, 0, 40, 4), ratatui::buffer::Cell::new("x")));
            lines(&mut ours, std::slice::from_ref(&line), area);
            Text::from(vec![line]).render(area, &mut theirs);
            prop_assert_eq!(ours, theirs);
        }
    }
}
