//! The list of calls: which of the recorded ones are shown, and which one is selected. It holds numbers, never calls.

use crate::recording::Query;

/// A filter and what fits it so far.
#[derive(Clone, Debug)]
pub struct Filter {
    /// As typed.
    pub text: String,
    /// As understood.
    pub query: Query,
    /// Names the search that fills it.
    pub search: u64,
    /// Calls looked through so far, of those that were there when it began.
    pub scanned: usize,
    /// Whether the looking through is over.
    pub finished: bool,
    /// It was ended before its end: there may be more hits than are known.
    pub stopped: bool,
    /// The calls that are looked through, where heads told of all others; none: it is all of them.
    open: Option<Vec<usize>>,
    /// Calls that were not looked through, for their heads told.
    told: usize,
    /// Hits among the calls that were there when it began.
    found: Vec<usize>,
    /// Hits among the calls that came since.
    came: Vec<usize>,
}

impl Filter {
    /// A filter that fits nothing yet.
    #[must_use]
    pub fn new(text: String, query: Query, search: u64) -> Self {
        Self {
            text,
            query,
            search,
            scanned: 0,
            finished: false,
            stopped: false,
            open: None,
            told: 0,
            found: Vec::new(),
            came: Vec::new(),
        }
    }

    /// Takes in what the heads of all `calls` tell: which fit, and which have to be looked through for that. Both rise.
    pub fn told_by_heads(&mut self, hits: Vec<usize>, open: Vec<usize>, calls: usize) {
        self.told = calls - open.len();
        (self.scanned, self.finished) = (self.told, open.is_empty());
        (self.found, self.open) = (hits, Some(open));
    }

    /// Adds hits among the calls that were there when it began, in rising order.
    fn found(&mut self, hits: &[usize]) {
        // They may stand among those that heads told of.
        let from = hits.first().map_or(self.found.len(), |first| self.found.partition_point(|hit| hit < first));
        self.found.extend_from_slice(hits);
        #[expect(clippy::stable_sort_primitive, reason = "it merges two runs that are in order in one pass")]
        self.found[from..].sort();
    }

    /// Takes no more hits among the calls that were there when it began.
    pub fn stop(&mut self) {
        (self.stopped, self.finished) = (!self.finished, true);
    }

    /// Adds a call that came since.
    pub fn came(&mut self, number: usize) {
        self.came.push(number);
    }

    fn len(&self) -> usize {
        self.found.len() + self.came.len()
    }

    fn get(&self, row: usize) -> Option<usize> {
        self.found.get(row).or_else(|| self.came.get(row.checked_sub(self.found.len())?)).copied()
    }

    fn row_of(&self, number: usize) -> Option<usize> {
        self.found
            .binary_search(&number)
            .ok()
            .or_else(|| self.came.binary_search(&number).ok().map(|row| row + self.found.len()))
    }
}

/// What the list shows.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Calls in the recording.
    pub total: usize,
    /// Which of them are shown; all without one.
    pub filter: Option<Filter>,
    /// The newest call is selected, also when another comes.
    pub follow: bool,
    /// First row on the screen.
    pub top: usize,
    selected: usize,
}

impl Default for Calls {
    /// An empty list that follows what comes.
    fn default() -> Self {
        Self { total: 0, filter: None, follow: true, top: 0, selected: 0 }
    }
}

impl Calls {
    /// Ends the search that is under way, what it found stays; how many calls it has looked at.
    pub(super) fn stop_search(&mut self) -> Option<usize> {
        let filter = self.filter.as_mut().filter(|filter| !filter.finished)?;
        filter.stop();
        Some(filter.scanned)
    }

    /// Takes in what a search has found since, by its number among those looked through, if it is still wanted. Whoever
    /// stands on a call behind it, as on one that came meanwhile, stays there.
    pub(super) fn found(&mut self, search: u64, mut hits: Vec<usize>, scanned: usize, finished: bool) {
        let row = self.selected;
        let filter = self.filter.as_mut().filter(|filter| filter.search == search && !filter.finished);
        let Some(filter) = filter else { return };
        if let Some(open) = &filter.open {
            hits = hits.into_iter().filter_map(|hit| open.get(hit).copied()).collect();
        }
        if let Some(number) = filter.get(row) {
            let before = hits.partition_point(|hit| *hit < number);
            self.selected += before;
            self.top += before;
        }
        filter.found(&hits);
        filter.scanned = filter.told + scanned;
        filter.finished = finished;
    }

    /// Rows in the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filter.as_ref().map_or(self.total, Filter::len)
    }

    /// Whether the list has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the call in `row`.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<usize> {
        match &self.filter {
            Some(filter) => filter.get(row),
            None => (row < self.total).then_some(row),
        }
    }

    /// The first row whose call may have that number or a higher one.
    #[must_use]
    pub fn row_from(&self, number: usize) -> usize {
        match &self.filter {
            Some(filter) => {
                let before = |hits: &[usize]| hits.partition_point(|hit| *hit < number);
                before(&filter.found) + before(&filter.came)
            }
            None => number.min(self.total),
        }
    }

    /// The selected row.
    #[must_use]
    pub fn row(&self) -> usize {
        self.selected.min(self.len().saturating_sub(1))
    }

    /// The number of the selected call.
    #[must_use]
    pub fn selected(&self) -> Option<usize> {
        self.at(self.row())
    }

    /// Selects a row; the last one is followed from then on.
    pub fn select_row(&mut self, row: usize) {
        self.selected = row.min(self.len().saturating_sub(1));
        self.follow = self.selected + 1 >= self.len();
    }

    /// Stays in a row of a list that is being built anew, also while it is still shorter than that; where heads told most of
    /// it, at the call `number` that stood there or the one behind it.
    pub fn stay_at(&mut self, row: usize, number: Option<usize>) {
        let is_told = self.filter.as_ref().is_some_and(|filter| filter.open.is_some());
        self.selected = number.filter(|_| is_told).map_or(row, |number| self.row_from(number));
    }

    /// Moves the selection by `rows`.
    pub fn step(&mut self, rows: isize) {
        self.select_row(self.row().saturating_add_signed(rows));
    }

    /// Moves the rows on the screen by `rows`; the selection comes along where it would be left behind.
    pub fn scroll(&mut self, rows: isize, height: usize) {
        let top = self.top.saturating_add_signed(rows).min(self.len().saturating_sub(height));
        if top != self.top {
            self.top = top;
            self.select_row(self.row().clamp(top, top + height.saturating_sub(1)));
        }
    }

    /// The row of a call, unless the filter hides it.
    #[must_use]
    pub fn row_of(&self, number: usize) -> Option<usize> {
        match &self.filter {
            Some(filter) => filter.row_of(number),
            None => (number < self.total).then_some(number),
        }
    }

    /// Selects a call by its number. Where the filter hides it, nothing happens.
    pub fn select(&mut self, number: usize) -> bool {
        let row = self.row_of(number);
        if let Some(row) = row {
            self.selected = row;
            self.follow = false;
        }
        row.is_some()
    }

    /// The filter as it was typed; empty without one.
    #[must_use]
    pub fn filter_text(&self) -> &str {
        self.filter.as_ref().map_or("", |filter| &filter.text)
    }

    /// Sets or drops the filter, keeping the selected call selected where it is still shown.
    pub fn set_filter(&mut self, filter: Option<Filter>) {
        let (number, follow) = (self.selected(), self.follow);
        self.filter = filter;
        self.selected = 0;
        self.top = 0;
        if !number.is_some_and(|number| self.select(number)) {
            self.select_row(usize::MAX);
        }
        self.follow = follow;
    }

    /// Brings the selection and the rows on the screen in line with `height` rows of room.
    pub fn settle(&mut self, height: usize) {
        if self.follow {
            self.selected = self.len().saturating_sub(1);
        }
        let row = self.row();
        if row < self.top {
            self.top = row;
        } else if height > 0 && row >= self.top + height {
            self.top = row + 1 - height;
        }
        self.top = self.top.min(self.len().saturating_sub(height));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(total: usize) -> Calls {
        Calls { total, ..Calls::default() }
    }

    #[test]
    fn following_selects_the_newest_until_the_user_moves_away() {
        let mut calls = calls(3);
        calls.settle(2);
        assert_eq!((calls.selected(), calls.top), (Some(2), 1));
        calls.step(-1);
        calls.total = 4;
        calls.settle(2);
        assert_eq!((calls.selected(), calls.follow), (Some(1), false));
        calls.select_row(usize::MAX);
        assert!(calls.follow);
    }

    #[test]
    fn a_filter_keeps_the_selected_call_where_it_can() {
        let mut calls = calls(10);
        calls.select(4);
        let query = Query::parse("x", jiff::Timestamp::UNIX_EPOCH).unwrap();
        let mut filter = Filter::new("x".into(), query, 1);
        filter.found(&[2, 4, 6]);
        filter.came(11);
        calls.set_filter(Some(filter));
        assert_eq!((calls.len(), calls.row(), calls.selected()), (4, 1, Some(4)));
        calls.step(2);
        assert_eq!(calls.selected(), Some(11));
        assert!(!calls.select(3));
        calls.set_filter(None);
        assert_eq!(calls.len(), 10);
    }

    #[test]
    fn what_is_found_puts_no_other_call_under_the_cursor() {
        let mut calls = calls(20);
        let query = Query::parse("x", jiff::Timestamp::UNIX_EPOCH).unwrap();
        calls.set_filter(Some(Filter::new("x".into(), query, 1)));
        calls.found(1, vec![3], 5, false);
        calls.filter.as_mut().unwrap().came(20);
        for (stands_on, hits) in [(20, [6, 8]), (6, [9, 10])] {
            calls.select(stands_on);
            calls.found(1, hits.to_vec(), 12, false);
            calls.settle(2);
            assert_eq!(calls.selected(), Some(stands_on));
        }
        calls.stay_at(50, None);
        calls.found(1, vec![11], 20, true);
        assert_eq!((calls.selected, calls.len()), (50, 7));
        calls.found(1, vec![12], 20, true);
        assert_eq!(calls.len(), 7, "it is over");
    }

    #[test]
    fn what_heads_leave_open_is_found_among_what_they_told() {
        let mut calls = calls(20);
        let query = Query::parse("path:x", jiff::Timestamp::UNIX_EPOCH).unwrap();
        let mut filter = Filter::new("path:x".into(), query, 1);
        filter.told_by_heads(vec![2, 5, 9], vec![1, 4, 7, 12], 20);
        calls.set_filter(Some(filter));
        assert!(calls.select(5));
        calls.found(1, vec![0, 2], 3, false);
        assert_eq!((calls.selected(), calls.filter.as_ref().unwrap().scanned), (Some(5), 19));
        calls.found(1, vec![3], 4, true);
        assert_eq!((0..calls.len()).filter_map(|row| calls.at(row)).collect::<Vec<_>>(), [1, 2, 5, 7, 9, 12]);
        assert_eq!((calls.selected(), calls.filter.as_ref().unwrap().finished), (Some(5), true));
        calls.stay_at(0, Some(6));
        assert_eq!(calls.selected(), Some(7));
    }

    #[test]
    fn the_wheel_takes_the_selection_along_only_where_it_must() {
        let mut calls = calls(10);
        calls.settle(4);
        calls.scroll(-3, 4);
        assert_eq!((calls.top, calls.row(), calls.follow), (3, 6, false));
        calls.scroll(2, 4);
        assert_eq!((calls.top, calls.row()), (5, 6));
        calls.scroll(99, 4);
        assert_eq!((calls.top, calls.row(), calls.follow), (6, 6, false));
    }

    #[test]
    fn an_empty_list_has_no_selection() {
        let mut calls = calls(0);
        calls.step(1);
        calls.step(-1);
        calls.settle(5);
        assert_eq!(calls.selected(), None);
    }
}
