//! What is wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

/// A fault of the configuration. Reads `hooktape.toml:12:9: secrets.moveo: what is wrong and how to repair it`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file, relative to the working directory where it stands there.
    pub file: Option<PathBuf>,
    /// 1-based; 0 where the whole file is meant.
    pub line: usize,
    /// 1-based, in characters; 0 where the whole file is meant.
    pub column: usize,
    /// The key, from the top: `listen.address`.
    pub key: Option<String>,
    /// What is wrong and how to repair it. Values are not repeated: they may be secrets.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            if self.line > 0 {
                write!(f, "{}:{}:", self.line, self.column)?;
            }
            f.write_str(" ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// All that is wrong with a configuration, in the order of its text; a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}
