//! `$EDITOR`: a text out to a private file and back.

use std::io::Write;
use std::process::Command;

/// Lets the user edit `text` in `$VISUAL`, else `$EDITOR`, else `vi`. `extension` tells the editor what it is.
///
/// # Errors
/// A sentence: which editor could not be started, or why its text is not taken over.
pub fn edit(text: &str, extension: &str) -> Result<String, String> {
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.trim().is_empty())
        .unwrap_or_else(|| "vi".to_owned());
    edit_with(&editor, text, extension)
}

fn edit_with(editor: &str, text: &str, extension: &str) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot make a file for {editor}: {error}");
    // Only its owner may read it: a payload is personal data.
    let mut file =
        tempfile::Builder::new().prefix("hooktape-").suffix(&format!(".{extension}")).tempfile().map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    // `$EDITOR` may hold arguments, as in `code --wait`.
    let mut words = editor.split_whitespace();
    let program = words.next().ok_or("no editor is named: set EDITOR")?;
    let status = Command::new(program)
        .args(words)
        .arg(file.path())
        .status()
        .map_err(|error| format!("cannot start the editor {program:?}: {error}; EDITOR names another"))?;
    if !status.success() {
        return Err(format!("{program} ended with {status}: the draft is as it was"));
    }
    let bytes =
        std::fs::read(file.path()).map_err(|error| format!("cannot read back what {program} wrote: {error}"))?;
    String::from_utf8(bytes).map_err(|_| format!("what {program} wrote is not UTF-8: the draft is as it was"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_over_what_the_editor_wrote() {
        assert_eq!(edit_with("sed -i s/a/b/", "a\n", "json").unwrap(), "b\n");
    }

    #[test]
    fn an_editor_that_fails_changes_nothing() {
        assert!(edit_with("false", "a", "json").unwrap_err().contains("as it was"));
        assert!(edit_with("/no/such/editor", "a", "json").unwrap_err().contains("EDITOR"));
    }
}
