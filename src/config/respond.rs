//! What answers the calls of a route: where the answer comes from, whether it waits for the user, and what is broken on
//! purpose.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Reply, Target, parse_duration};

/// What answers a received call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Respond {
    /// Where the answer comes from.
    pub source: Source,
    /// The call waits for the user.
    pub hold: Option<Hold>,
    /// What is broken on purpose.
    pub fault: Option<super::Fault>,
}

/// How long a call waits for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// As long as its platform waits for an answer, as far as that is known.
    Patience,
    /// This long.
    For(Duration),
}

impl Hold {
    /// Where the platform's patience is not known: below the 30 s that Moveo gives a custom integration's webhook, the one
    /// time that it publishes.
    const UNKNOWN: Duration = Duration::from_secs(25);

    /// A duration, or `platform`.
    ///
    /// # Errors
    /// A sentence that shows how a duration is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "platform" { Ok(Self::Patience) } else { parse_duration(text).map(Self::For) }
    }

    /// How long, where the platform waits for `patience`: a tenth is left for the answer to get there.
    #[must_use]
    pub fn time(self, patience: Option<Duration>) -> Duration {
        match (self, patience) {
            (Self::For(time), _) => time,
            (Self::Patience, Some(patience)) => patience / 10 * 9,
            (Self::Patience, None) => Self::UNKNOWN,
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patience => write!(f, "as long as the platform waits, else {:?}", Self::UNKNOWN),
            Self::For(time) => write!(f, "up to {time:?}"),
        }
    }
}

/// Where an answer comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Source {
    /// The platform's pack: what a working endpoint would say.
    #[default]
    Platform,
    /// A fixed or templated reply.
    Reply(Arc<Replies>),
    /// One's own server.
    Forward(Arc<Forward>),
}

/// Servers that calls are passed on to.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// The first one answers; the others get the same call, and their answers are recorded only.
    pub targets: Vec<Target>,
    /// Whether the caller's `Host` goes along instead of the target's own.
    pub keep_host: bool,
}

/// Replies of which one is chosen for each call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replies {
    /// What a route calls them: `moveo/live-instructions`; none where they stand in the route itself.
    pub name: Option<String>,
    /// What they do, in words.
    pub title: String,
    /// The kinds of call they are made for; none: any.
    pub kinds: Vec<String>,
    /// The replies, in order.
    pub cases: Vec<Case>,
    /// One after the other, the last again and again, instead of the first that fits.
    pub in_turn: bool,
    /// What is looked up before one is chosen.
    pub lookup: Option<Lookup>,
}

impl Replies {
    /// One reply for every call.
    #[must_use]
    pub fn always(reply: Reply) -> Self {
        Self { cases: vec![Case { when: When::default(), reply }], ..Self::default() }
    }
}

/// A reply and when it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// When.
    pub when: When,
    /// The reply. `{{...}}` in its body and headers stands for something of the call.
    pub reply: Reply,
}

/// Conditions that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct When {
    /// The call is of this kind.
    pub kind: Option<String>,
    /// The call fits this query, in the words of the list's filter.
    pub query: Option<String>,
    /// What is at these JSON Pointers into the body.
    pub pointers: Vec<(String, Expected)>,
    /// Whether the lookup found a row.
    pub found: Option<bool>,
}

/// What is expected at a JSON Pointer.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Something other than `null`, or (false) nothing.
    There(bool),
    /// This value.
    Equal(serde_json::Value),
}

/// A row of a table that belongs to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// The table.
    pub table: Arc<Table>,
    /// The column that is searched.
    pub column: String,
    /// Where in the call the value is: a JSON Pointer into its body.
    pub by: String,
}

/// A small table from a CSV file (RFC 4180) whose first line names the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    /// A sentence: the line that has another number of fields than there are columns, or a quote that is not closed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = records(text)?.into_iter();
        let columns: Vec<String> = lines.next().ok_or("the table is empty")?.1;
        let mut rows = Vec::new();
        for (line, row) in lines {
            if row.len() != columns.len() {
                return Err(format!("line {line} has {} fields, not {}", row.len(), columns.len()));
            }
            rows.push(row);
        }
        Ok(Self { columns, rows })
    }

    /// Whether there is such a column.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// The first row whose `column` says `value`, by column. Letters and digits count, case does not: `123-45-6789` is
    /// `123456789`.
    #[must_use]
    pub fn find(&self, column: &str, value: &str) -> Option<HashMap<&str, &str>> {
        let plain = |text: &str| -> String {
            text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let (at, wanted) = (self.columns.iter().position(|name| name == column)?, plain(value));
        let row = self.rows.iter().find(|row| !wanted.is_empty() && plain(&row[at]) == wanted)?;
        Some(self.columns.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect())
    }
}

/// The records of a CSV text, each with the line it begins on. Empty lines are none.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let mut records = Vec::new();
    let (mut record, mut field, mut quoted, mut line, mut began) = (Vec::new(), String::new(), false, 1, 1);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                if !(record.is_empty() && field.is_empty()) {
                    record.push(std::mem::take(&mut field));
                    records.push((began, std::mem::take(&mut record)));
                }
                line += 1;
                began = line;
            }
            char => {
                line += usize::from(char == '\n');
                field.push(char);
            }
        }
    }
    if quoted {
        return Err(format!("a quote that begins on line {began} or below is not closed"));
    }
    if !(record.is_empty() && field.is_empty()) {
        record.push(field);
        records.push((began, record));
    }
    Ok(records)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("the platform's answer"),
            Self::Reply(replies) => match (&replies.name, replies.cases.as_slice()) {
                (Some(name), _) => write!(f, "reply {name}"),
                (None, [only]) => write!(f, "reply {}", only.reply.status),
                (None, cases) if replies.in_turn => write!(f, "{} replies in turn", cases.len()),
                (None, cases) => write!(f, "reply, {} cases", cases.len()),
            },
            Self::Forward(forward) => {
                f.write_str("→ ")?;
                for (number, target) in forward.targets.iter().enumerate() {
                    let also = if number == 0 { "" } else { ", also " };
                    write!(f, "{also}{}", target.name)?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Respond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if let Some(fault) = &self.fault {
            write!(f, " · fault {fault}")?;
        }
        if let Some(hold) = self.hold {
            write!(f, " · held {hold}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_in_by_letters_and_digits() {
        let table =
            Table::parse("\u{feff}name,ssn,dob\r\n\"Papadopoulou, \"\"M\"\"\",123-45-6789,1980-04-12\r\n\r\n").unwrap();
        let row = table.find("ssn", "123456789").unwrap();
        assert_eq!((row["name"], row["dob"]), ("Papadopoulou, \"M\"", "1980-04-12"));
        for (column, value) in [("ssn", "12345678"), ("ssn", "-"), ("ssn", ""), ("nope", "123456789")] {
            assert_eq!(table.find(column, value), None, "{column} {value}");
        }
    }

    #[test]
    fn a_hold_leaves_the_answer_time_to_get_there() {
        let second = Duration::from_secs(1);
        assert_eq!(Hold::Patience.time(Some(3 * second)), Duration::from_millis(2700));
        assert_eq!(Hold::Patience.time(None), 25 * second);
        assert_eq!(Hold::parse("40s").map(|hold| hold.time(Some(second))), Ok(40 * second));
        assert_eq!((Hold::parse("platform"), Hold::parse("soon").is_err()), (Ok(Hold::Patience), true));
    }

    #[test]
    fn a_broken_table_is_named_by_its_line() {
        assert_eq!(Table::parse("a,b\n1,2\n3\n").unwrap_err(), "line 3 has 1 fields, not 2");
        assert!(Table::parse("a\n\"b\n").unwrap_err().contains("line 2"));
        assert!(Table::parse("").is_err());
    }
}
