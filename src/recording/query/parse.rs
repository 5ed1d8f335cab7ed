//! From text to a tree: `any = all { "|" all }`, `all = { part }`, `part = { "-" } ( "(" any ")" | "@" name | [ key ":" ] value )`.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::ops::Range;

use super::term::{KEYS, Term, Value};
use super::{Node, QueryError, Reading};
use crate::config::instead;
use crate::{json, visible};

/// How deep parentheses may nest.
const DEEPEST: usize = 64;
/// How deep saved queries may name one another.
const NESTED: usize = 32;
/// How many parts saved queries may bring into one query: two that each name the next twice would soon be too many.
const PARTS: usize = 2_000;
/// Columns of a saved query in a sentence.
const QUOTED: usize = 200;

pub fn parse(text: &str, by: &Reading<'_>) -> Result<Node, QueryError> {
    whole(Parser { text, at: 0, depth: 0, by, within: &[], brought: &Brought::default() })
}

fn whole(mut parser: Parser<'_>) -> Result<Node, QueryError> {
    parser.space();
    if parser.at == parser.text.len() {
        return Ok(Node::All(Vec::new()));
    }
    let root = parser.any()?;
    match parser.peek() {
        None => Ok(root),
        Some(_) => Err(parser.error(1, "there is no ( for this ): take it away, or quote it: \")\"")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    by: &'a Reading<'a>,
    /// The saved queries that this one stands in.
    within: &'a [&'a str],
    brought: &'a Brought,
}

/// What saved queries have brought into a query so far.
#[derive(Default)]
struct Brought {
    parts: Cell<usize>,
    /// What is too much of it, once something is.
    excess: OnceCell<String>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn takes(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        self.at += if found { wanted.len_utf8() } else { 0 };
        found
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// An error about the next `len` bytes, or as many as there are.
    fn error(&self, len: usize, message: &str) -> QueryError {
        QueryError { span: self.at..(self.at + len).min(self.text.len()), message: message.to_owned() }
    }

    /// That saved queries bring too much: whoever names one says which.
    fn excess(&self, what: String) -> QueryError {
        self.error(1, self.brought.excess.get_or_init(|| what))
    }

    fn any(&mut self) -> Result<Node, QueryError> {
        let mut nodes = vec![self.all()?];
        while self.takes('|') {
            nodes.push(self.all()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Any(nodes) })
    }

    fn all(&mut self) -> Result<Node, QueryError> {
        let mut nodes = Vec::new();
        loop {
            self.space();
            match self.peek() {
                None | Some('|' | ')') if nodes.is_empty() => {
                    let beside = self.peek() == Some('|') || self.text[..self.at].trim_end().ends_with('|');
                    let why = if beside { ": | stands between two parts" } else { "" };
                    return Err(self.error(1, &format!("something to look for is missing here{why}")));
                }
                None | Some('|' | ')') => break,
                Some(_) => nodes.push(self.part()?),
            }
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::All(nodes) })
    }

    fn part(&mut self) -> Result<Node, QueryError> {
        if !self.within.is_empty() {
            self.brought.parts.set(self.brought.parts.get() + 1);
            if self.brought.parts.get() > PARTS {
                let what = format!("has more than {PARTS} parts with those of the saved queries that it names");
                return Err(self.excess(what));
            }
        }
        let mut negated = false;
        while self.takes('-') {
            negated = !negated;
        }
        let node = match self.peek() {
            None | Some('|' | ')') => {
                return Err(self.error(1, "what to leave out is missing behind -; to look for a -, quote it: \"-\""));
            }
            Some(next) if next.is_whitespace() => {
                return Err(
                    self.error(1, "what to leave out stands right behind its -; to look for a -, quote it: \"-\"")
                );
            }
            Some('(') => self.group()?,
            Some('@') if self.name().is_some() => self.saved()?,
            Some(_) => Node::Term(self.term()?),
        };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn group(&mut self) -> Result<Node, QueryError> {
        let opened = self.at;
        if self.depth == DEEPEST {
            return Err(self.error(1, "parentheses nest too deep"));
        }
        self.depth += 1;
        self.at += 1;
        let node = self.any()?;
        self.depth -= 1;
        if self.takes(')') {
            return Ok(node);
        }
        Err(QueryError { span: opened..opened + 1, message: "the ) for this ( is missing".into() })
    }

    /// The name behind an @, if it can be one: an address is text.
    fn name(&self) -> Option<&'a str> {
        let word = self.rest().strip_prefix('@')?;
        let name = &word[..word.find(ends_word).unwrap_or(word.len())];
        let good = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        (!name.is_empty() && name.chars().all(good)).then_some(name)
    }

    fn saved(&mut self) -> Result<Node, QueryError> {
        let name = self.name().unwrap_or_default();
        let span = self.at..self.at + 1 + name.len();
        self.at = span.end;
        let Some(text) = self.by.saved.get(name) else {
            let known: Vec<&str> = self.by.saved.keys().map(String::as_str).collect();
            let known = instead(name, &known);
            let message =
                format!("no query is saved as {name:?}: {known} (to look for the text, quote it: \"@{name}\")");
            return Err(QueryError { span, message });
        };
        if self.within.contains(&name) {
            return Err(QueryError { span, message: format!("@{name} asks for itself") });
        }
        if self.within.len() == NESTED {
            return Err(self.excess(format!("names saved queries that name others, more than {NESTED} deep")));
        }
        let within = [self.within, &[name]].concat();
        whole(Parser { text, at: 0, depth: self.depth, within: &within, ..*self }).map_err(|error| {
            let message = match self.brought.excess.get() {
                Some(what) => format!("@{name} {what}"),
                None => format!("@{name} ({}): {error}", visible::truncate(text, QUOTED)),
            };
            QueryError { span, message }
        })
    }

    fn term(&mut self) -> Result<Term, QueryError> {
        let key = self.key();
        let from = self.at;
        let value = self.value()?;
        let Some(key) = key else { return Ok(Term::word(&value)) };
        if key.as_str(self.text).starts_with('/') {
            let pointer = key.as_str(self.text);
            json::check_pointer(pointer).map_err(|message| QueryError { message, span: key.0.clone() })?;
            return Term::pointer(pointer, &value).map_err(|message| QueryError { span: from..self.at, message });
        }
        let name = key.as_str(self.text);
        let Some(known) = KEYS.iter().find(|known| known.name.eq_ignore_ascii_case(name)) else {
            return Err(QueryError { message: unknown(name), span: key.0 });
        };
        let error = |message| QueryError { span: if from == self.at { key.0.clone() } else { from..self.at }, message };
        if value.text.is_empty() {
            return Err(error(format!("{}: needs a value, as in {}", known.name, known.written())));
        }
        Term::keyed(known, &value, self.by).map_err(error)
    }

    /// `name:` or `/pointer:`, if that is what comes next.
    fn key(&mut self) -> Option<Key> {
        let colon = self.rest().find(|letter: char| letter == ':' || ends_word(letter))?;
        let name = &self.rest()[..colon];
        let named = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
        if !self.rest()[colon..].starts_with(':') || !(named || name.starts_with('/')) {
            return None;
        }
        let key = Key(self.at..self.at + colon);
        self.at += colon + 1;
        Some(key)
    }

    fn value(&mut self) -> Result<Value<'a>, QueryError> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let word = &rest[..rest.find(ends_word).unwrap_or(rest.len())];
        self.at += word.len();
        Ok(Value { text: Cow::Borrowed(word), quoted: false })
    }

    /// `\"` and `\\` are a quote and a backslash; any other backslash is itself.
    fn quoted(&mut self) -> Result<Value<'a>, QueryError> {
        let opened = self.at;
        let mut text = String::new();
        let mut letters = self.rest().char_indices().skip(1).peekable();
        while let Some((index, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += index + 1;
                    return Ok(Value { text: Cow::Owned(text), quoted: true });
                }
                '\\' if letters.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => {
                    text.extend(letters.next().map(|(_, next)| next));
                }
                _ => text.push(letter),
            }
        }
        Err(QueryError { span: opened..self.text.len(), message: "the closing \" is missing".into() })
    }
}

/// Where a key stands in the query, without its colon.
struct Key(Range<usize>);

impl Key {
    fn as_str<'a>(&self, text: &'a str) -> &'a str {
        &text[self.0.clone()]
    }
}

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '|' | '(' | ')' | '"')
}

fn unknown(name: &str) -> String {
    let keys: Vec<&str> = KEYS.iter().map(|key| key.name).chain(["/pointer"]).collect();
    let known = instead(&name.to_ascii_lowercase(), &keys);
    format!("{name}: is not known: {known} (to look for the text, quote it: \"{name}:...\")")
}
