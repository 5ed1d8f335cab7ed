//! A body as it is shown: as a tree, as text, or byte by byte.

use bytes::Bytes;

use crate::app::decode;
use crate::app::needle::Needle;
use crate::app::text::Text;
use crate::app::tree::Tree;

/// How bodies are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// JSON as a tree; forms and tokens decoded; bytes that are no text as such.
    #[default]
    Tree,
    /// JSON laid out for reading.
    Pretty,
    /// As it came.
    Raw,
    /// Byte by byte.
    Hex,
}

impl Form {
    /// The next one, going round.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Tree => Self::Pretty,
            Self::Pretty => Self::Raw,
            Self::Raw => Self::Hex,
            Self::Hex => Self::Tree,
        }
    }

    /// What it does, as a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Tree => "bodies are shown as trees",
            Self::Pretty => "JSON is laid out for reading",
            Self::Raw => "bodies are shown exactly as they came",
            Self::Hex => "bodies are shown byte by byte",
        }
    }
}

/// A body as it is shown.
#[derive(Clone, Debug)]
pub enum Body {
    /// A tree, and what it was made of where it is not the body itself.
    Tree(Tree, Option<String>),
    /// Text in rows.
    Text(Text),
    /// Bytes.
    Hex(Bytes),
}

impl Body {
    /// `bytes` in that form, as far as they can be shown in it.
    #[must_use]
    pub fn new(bytes: &Bytes, content_type: Option<&str>, form: Form) -> Self {
        let text = std::str::from_utf8(bytes);
        match (form, text) {
            (Form::Tree, Ok(text)) if Tree::looks_so(text) => {
                Tree::new(text).map_or_else(|| Self::Text(Text::new(bytes, true)), |tree| Self::Tree(tree, None))
            }
            (Form::Tree, _) => {
                let decoded = decode::decode(bytes, content_type);
                match decoded.and_then(|(what, text)| Some((Tree::new(&text)?, what))) {
                    Some((tree, what)) => Self::Tree(tree, Some(what.to_owned())),
                    None if text.is_err() => Self::Hex(bytes.clone()),
                    None => Self::Text(Text::new(bytes, true)),
                }
            }
            (Form::Hex, _) | (Form::Pretty, Err(_)) => Self::Hex(bytes.clone()),
            (Form::Pretty, _) => Self::Text(Text::new(bytes, true)),
            (Form::Raw, _) => Self::Text(Text::new(bytes, false)),
        }
    }

    /// A JSON text that a filter made of a body.
    #[must_use]
    pub fn filtered(text: &str) -> Self {
        Tree::new(text).map_or_else(|| Self::Text(Text::new(text.as_bytes(), true)), |tree| Self::Tree(tree, None))
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Tree(..) => false,
            Self::Text(text) => text.is_empty(),
            Self::Hex(bytes) => bytes.is_empty(),
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Tree(tree, _) => tree.len(),
            Self::Text(text) => text.len(),
            Self::Hex(bytes) => bytes.len().div_ceil(16),
        }
    }

    /// Cuts text into rows of `width` columns.
    pub fn wrap(&mut self, width: usize) {
        if let Self::Text(text) = self {
            text.wrap(width);
        }
    }

    /// The tree, where it is one.
    #[must_use]
    pub fn tree(&self) -> Option<&Tree> {
        match self {
            Self::Tree(tree, _) => Some(tree),
            _ => None,
        }
    }

    /// The tree, to walk in.
    pub fn tree_mut(&mut self) -> Option<&mut Tree> {
        match self {
            Self::Tree(tree, _) => Some(tree),
            _ => None,
        }
    }

    /// Where `needle` is: rows of a text, bytes of a tree's text. Nowhere in bytes.
    #[must_use]
    pub fn find(&self, needle: &Needle) -> Vec<usize> {
        match self {
            Self::Tree(tree, _) => needle.places(tree.text()).into_iter().map(|at| at.start).collect(),
            Self::Text(text) => text.find(needle),
            Self::Hex(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_shows_what_it_can() {
        let of = |bytes: &'static [u8], form| Body::new(&Bytes::from_static(bytes), None, form);
        assert!(matches!(of(b"{\"a\":1}", Form::Tree), Body::Tree(_, None)));
        assert!(matches!(of(b"{\"a\":1}", Form::Pretty), Body::Text(_)));
        assert!(matches!(of(b"{\"a\":", Form::Tree), Body::Text(_)));
        assert!(matches!(of(b"plain", Form::Tree), Body::Text(_)));
        assert!(matches!(of(b"\xff\xfe", Form::Tree), Body::Hex(_)));
        assert!(matches!(of(b"\xff\xfe", Form::Raw), Body::Text(_)));
        assert_eq!(of(&[0; 17], Form::Hex).len(), 2);
        let form = Body::new(&Bytes::from_static(b"a=1"), Some("application/x-www-form-urlencoded"), Form::Tree);
        assert!(matches!(form, Body::Tree(_, Some(_))));
    }
}
