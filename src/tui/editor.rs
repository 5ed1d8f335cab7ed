//! `$EDITOR`: a text out to a private file and back.

use std::io::Write;
use std::process::Command;

/// How a shell ends that cannot start a program.
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

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
    // `$EDITOR` may hold arguments, as in `code --wait`, and quotes: like git, we leave these to the shell.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), editor])
        .arg(file.path())
        .status()
        .map_err(|error| format!("cannot start a shell for the editor: {error}"))?;
    if let Some(NOT_EXECUTABLE | NOT_FOUND) = status.code() {
        return Err(format!(
            "no editor {editor:?} could be started (VISUAL or EDITOR names another): the draft is as it was"
        ));
    }
    if !status.success() {
        return Err(format!("{editor} ended with {status}: the draft is as it was"));
    }
    let bytes = std::fs::read(file.path())
        .map_err(|error| format!("cannot read back what {editor} wrote: {error}; the draft is as it was"))?;
    String::from_utf8(bytes).map_err(|_| format!("what {editor} wrote is not UTF-8: the draft is as it was"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_over_what_the_editor_wrote() {
        assert_eq!(edit_with("sed -i s/a/b/", "a\n", "json").unwrap(), "b\n");
        assert_eq!(edit_with("sh -c 'sed -i \"s/a/b c/\" \"$0\"'", "a\n", "json").unwrap(), "b c\n");
    }

    #[test]
    fn an_editor_that_fails_changes_nothing() {
        assert!(edit_with("false", "a", "json").unwrap_err().contains("as it was"));
        assert!(edit_with("/no/such/editor", "a", "json").unwrap_err().contains("EDITOR"));
        assert!(edit_with("rm", "a", "json").unwrap_err().contains("as it was"));
    }
}
