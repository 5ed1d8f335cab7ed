//! JSON as a tree whose branches open and close: what is drawn are only the rows on the screen.
//!
//! ```text
//! ▾ context {3}                nodes, in the order of the text: 20 bytes each
//!   ▸ user {2}        closed   rows: the nodes that no closed one hides
//!     name "Zoë"
//! ```

use std::borrow::Cow;
use std::ops::Range;

use crate::json::{self, TokenKind};

/// From this many nodes on a tree opens with only its first levels open.
const MANY: usize = 2_000;
/// The levels that are open then.
const FIRST_LEVELS: usize = 2;
/// No key.
const NONE: u32 = u32::MAX;

/// One value of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    /// Where the value begins.
    start: u32,
    /// Where its key begins.
    key: u32,
    /// The node behind all that are in it.
    next: u32,
    /// How many values it holds itself.
    count: u32,
    depth: u16,
    kind: TokenKind,
    closed: bool,
}

/// A tree, and where its cursor is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    text: String,
    nodes: Vec<Node>,
    rows: Vec<u32>,
    row: usize,
}

/// One row of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch<'a> {
    /// How deep it is.
    pub depth: usize,
    /// Its key, without quotes; none in a list, whose indices are not told.
    pub key: Option<Cow<'a, str>>,
    /// What the value is.
    pub kind: TokenKind,
    /// Its text; of an object or array the bracket that opens it.
    pub value: &'a str,
    /// How many values it holds.
    pub count: usize,
    /// Whether what it holds is hidden.
    pub closed: bool,
}

impl Tree {
    /// The tree of a JSON text; none where it is not JSON, or neither object nor array.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.len() >= NONE as usize || !Self::looks_so(text) || json::check(text).is_err() {
            return None;
        }
        let offset = |at: usize| u32::try_from(at).unwrap_or(NONE);
        let mut nodes: Vec<Node> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut key = NONE;
        for token in json::tokens(text) {
            match token.kind {
                TokenKind::Key => key = offset(token.span.start),
                TokenKind::CloseObject | TokenKind::CloseArray => {
                    if let Some(closed) = open.pop() {
                        nodes[closed].next = offset(nodes.len());
                    }
                }
                kind if kind.begins_value() => {
                    if let Some(&parent) = open.last() {
                        nodes[parent].count += 1;
                    }
                    let depth = u16::try_from(open.len()).unwrap_or(u16::MAX);
                    if matches!(kind, TokenKind::OpenObject | TokenKind::OpenArray) {
                        open.push(nodes.len());
                    }
                    let next = offset(nodes.len() + 1);
                    let start = offset(token.span.start);
                    nodes.push(Node {
                        start,
                        key: std::mem::replace(&mut key, NONE),
                        next,
                        count: 0,
                        depth,
                        kind,
                        closed: false,
                    });
                }
                _ => {}
            }
        }
        let mut tree = Self { text: text.to_owned(), nodes, rows: Vec::new(), row: 0 };
        if tree.nodes.len() > MANY {
            tree.close_from(FIRST_LEVELS);
        }
        tree.lay_out();
        Some(tree)
    }

    /// Whether a text looks as if it had a tree.
    #[must_use]
    pub fn looks_so(text: &str) -> bool {
        text.trim_start().starts_with(['{', '['])
    }

    /// The text it is of.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row that the cursor is in.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// What stands in a row.
    #[must_use]
    pub fn branch(&self, row: usize) -> Option<Branch<'_>> {
        let node = self.nodes.get(*self.rows.get(row)? as usize)?;
        Some(Branch {
            depth: node.depth.into(),
            key: (node.key != NONE).then(|| json::unquote(&self.text[self.token(node.key)])),
            kind: node.kind,
            value: &self.text[self.token(node.start)],
            count: node.count as usize,
            closed: node.closed,
        })
    }

    /// The JSON Pointer of the value that the cursor is at.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut segments = Vec::new();
        let mut at = self.here();
        while let Some(parent) = self.parent(at) {
            let node = self.nodes[at];
            segments.push(if node.key == NONE {
                self.children(parent).position(|child| child == at).unwrap_or(0).to_string()
            } else {
                json::escape(&json::unquote(&self.text[self.token(node.key)]))
            });
            at = parent;
        }
        segments.iter().rev().fold(String::new(), |pointer, segment| pointer + "/" + segment)
    }

    /// The text of the value that the cursor is at, whole.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.text[self.span(self.here())]
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, rows: isize) {
        self.row = self.row.saturating_add_signed(rows).min(self.rows.len().saturating_sub(1));
    }

    /// Opens what the cursor is at, or closes it.
    pub fn toggle(&mut self) {
        let at = self.here();
        if self.nodes[at].count > 0 {
            self.nodes[at].closed ^= true;
            self.lay_out();
        }
    }

    /// Opens what the cursor is at; false where there is nothing to open.
    pub fn open(&mut self) -> bool {
        let at = self.here();
        let opens = self.nodes[at].closed;
        if opens {
            self.toggle();
        }
        opens
    }

    /// Closes what the cursor is at, else goes to what holds it; false at the root.
    pub fn close(&mut self) -> bool {
        let at = self.here();
        if self.nodes[at].count > 0 && !self.nodes[at].closed && self.nodes[at].depth > 0 {
            self.toggle();
            return true;
        }
        let parent = self.parent(at);
        if let Some(parent) = parent {
            self.go_to(parent);
        }
        parent.is_some()
    }

    /// To the next value of the same object or array, or the one before.
    pub fn sibling(&mut self, step: isize) {
        let at = self.here();
        let node = self.nodes[at];
        let to = if step > 0 {
            Some(node.next as usize).filter(|&next| self.nodes.get(next).is_some_and(|next| next.depth == node.depth))
        } else {
            let before = self.nodes[..at].iter().rposition(|other| other.depth <= node.depth);
            before.filter(|&before| self.nodes[before].depth == node.depth)
        };
        if let Some(to) = to {
            self.go_to(to);
        }
    }

    /// Opens everything down to one level more than now, or one level less. Gives the level.
    pub fn level(&mut self, step: isize) -> usize {
        let open = |node: &&Node| !node.closed && node.count > 0;
        let visible = self.rows.iter().map(|&row| &self.nodes[row as usize]);
        let now = visible.filter(open).map(|node| usize::from(node.depth) + 1).max().unwrap_or(0);
        let deepest = self.nodes.iter().filter(|node| node.count > 0).map(|node| usize::from(node.depth) + 1).max();
        let level = now.saturating_add_signed(step).clamp(1, deepest.unwrap_or(1));
        let here = self.here();
        self.nodes.iter_mut().for_each(|node| node.closed = false);
        self.close_from(level);
        self.lay_out();
        self.show(here);
        level
    }

    /// Puts the cursor at the value that byte `at` of the text belongs to, opening what hides it.
    pub fn reveal(&mut self, at: usize) {
        let at = u32::try_from(at).unwrap_or(NONE);
        let behind = self.nodes.partition_point(|node| node.start.min(node.key) <= at);
        self.go_to(behind.saturating_sub(1));
    }

    fn here(&self) -> usize {
        self.rows.get(self.row).map_or(0, |&node| node as usize)
    }

    fn parent(&self, at: usize) -> Option<usize> {
        let depth = self.nodes.get(at)?.depth;
        self.nodes[..at].iter().rposition(|node| node.depth < depth)
    }

    fn children(&self, of: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes[of].next as usize;
        let step = move |at: &usize| Some(self.nodes[*at].next as usize).filter(|next| *next < end);
        std::iter::successors(Some(of + 1).filter(|first| *first < end), step)
    }

    /// Puts the cursor at a node, opening what hides it.
    fn go_to(&mut self, node: usize) {
        let mut above = self.parent(node);
        let mut changed = false;
        while let Some(parent) = above {
            changed |= std::mem::take(&mut self.nodes[parent].closed);
            above = self.parent(parent);
        }
        if changed {
            self.lay_out();
        }
        self.show(node);
    }

    /// Puts the cursor at a node, or at what hides it.
    fn show(&mut self, node: usize) {
        let node = u32::try_from(node).unwrap_or(NONE);
        self.row = self.rows.partition_point(|row| *row <= node).saturating_sub(1);
    }

    fn close_from(&mut self, level: usize) {
        self.nodes.iter_mut().for_each(|node| node.closed |= usize::from(node.depth) >= level && node.count > 0);
    }

    fn lay_out(&mut self) {
        self.rows.clear();
        let mut at = 0;
        while let Some(node) = self.nodes.get(at as usize) {
            self.rows.push(at);
            at = if node.closed { node.next } else { at + 1 };
        }
        self.row = self.row.min(self.rows.len().saturating_sub(1));
    }

    /// The token that begins at a place of the text.
    fn token(&self, start: u32) -> Range<usize> {
        let start = start as usize;
        let token = json::tokens(&self.text[start..]).next();
        start..start + token.map_or(0, |token| token.span.end)
    }

    /// The whole value of a node.
    fn span(&self, at: usize) -> Range<usize> {
        let node = self.nodes[at];
        let token = self.token(node.start);
        if !matches!(node.kind, TokenKind::OpenObject | TokenKind::OpenArray) {
            return token;
        }
        let mut depth = 0_usize;
        let mut end = token.end;
        for inner in json::tokens(&self.text[token.start..]) {
            depth += usize::from(matches!(inner.kind, TokenKind::OpenObject | TokenKind::OpenArray));
            depth -= usize::from(matches!(inner.kind, TokenKind::CloseObject | TokenKind::CloseArray));
            if depth == 0 {
                end = token.start + inner.span.end;
                break;
            }
        }
        token.start..end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"{"a": {"b~/": [1, {"c": null}], "d": {}}, "e": "x"}"#;

    fn rows(tree: &Tree) -> Vec<String> {
        let shown = |branch: Branch| format!("{}{}:{}", branch.depth, branch.key.unwrap_or_default(), branch.value);
        (0..tree.len()).map(|row| shown(tree.branch(row).unwrap())).collect()
    }

    #[test]
    fn values_are_rows_and_closed_ones_hide_theirs() {
        let mut tree = Tree::new(TEXT).unwrap();
        assert_eq!(rows(&tree), ["0:{", "1a:{", "2b~/:[", "3:1", "3:{", "4c:null", "2d:{", "1e:\"x\""]);
        tree.step(2);
        assert!(tree.close());
        assert_eq!(rows(&tree), ["0:{", "1a:{", "2b~/:[", "2d:{", "1e:\"x\""]);
        tree.sibling(1);
        assert_eq!((tree.pointer().as_str(), tree.value()), ("/a/d", "{}"));
        tree.sibling(1);
        assert_eq!(tree.pointer(), "/a/d", "it is the last");
        assert!(tree.close() && tree.close() && tree.close() && !tree.close());
        assert_eq!((tree.row(), tree.pointer().as_str()), (0, ""));
        assert_eq!(tree.value(), TEXT);
    }

    #[test]
    fn pointers_name_what_the_cursor_is_at() {
        let mut tree = Tree::new(TEXT).unwrap();
        tree.reveal(TEXT.find("null").unwrap());
        assert_eq!((tree.pointer().as_str(), tree.value()), ("/a/b~0~1/1/c", "null"));
        assert_eq!(json::find(TEXT, &tree.pointer()).map(|span| &TEXT[span]), Some("null"));
    }

    #[test]
    fn levels_open_and_close_and_the_cursor_stays_near() {
        let mut tree = Tree::new(TEXT).unwrap();
        tree.reveal(TEXT.find("null").unwrap());
        assert_eq!(tree.level(-1), 3);
        assert_eq!(tree.pointer(), "/a/b~0~1/1");
        assert_eq!(tree.level(-9), 1);
        assert_eq!(rows(&tree), ["0:{", "1a:{", "1e:\"x\""]);
        assert_eq!(tree.pointer(), "/a");
        tree.reveal(TEXT.find("null").unwrap());
        assert_eq!(tree.pointer(), "/a/b~0~1/1/c", "what hides it is opened");
    }

    #[test]
    fn what_is_neither_object_nor_array_is_no_tree() {
        for text in ["", "1", "\"x\"", "{", "[1,]", "nonsense"] {
            assert_eq!(Tree::new(text), None, "{text}");
        }
        let mut empty = Tree::new("[]").unwrap();
        empty.toggle();
        empty.sibling(-1);
        assert!(!empty.open() && !empty.close());
        assert_eq!((empty.len(), empty.value()), (1, "[]"));
    }

    #[test]
    fn a_large_tree_opens_with_its_first_levels() {
        let text = format!("[{}]", vec!["[[1,2],[3]]"; 1000].join(","));
        let tree = Tree::new(&text).unwrap();
        assert_eq!(tree.len(), 1 + 1000 + 2000);
    }

    proptest! {
        #[test]
        fn no_walk_leaves_the_tree(steps in prop::collection::vec(0_u8..8, 0..60)) {
            let mut tree = Tree::new(TEXT).unwrap();
            for step in steps {
                match step {
                    0 => tree.step(1),
                    1 => tree.step(-2),
                    2 => tree.toggle(),
                    3 => drop(tree.close()),
                    4 => tree.sibling(1),
                    5 => tree.sibling(-1),
                    6 => drop(tree.level(1)),
                    _ => drop(tree.level(-1)),
                }
                let span = json::find(TEXT, &tree.pointer());
                prop_assert_eq!(span.map(|span| &TEXT[span]), Some(tree.value()));
            }
        }
    }
}
