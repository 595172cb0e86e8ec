//! The user's own editor, for statements that are too long for a line.

use std::{env, fs, io::Write, process::Command};

use crate::failure::{Failure, describe};

/// Opens `text` in $VISUAL, $EDITOR or vi, and gives back what became of it. Blocks until the editor has ended.
///
/// The text lies in a file that its owner alone can read, and that is gone afterwards.
pub(crate) fn edit(text: &str) -> Result<String, Failure> {
    let failed = |what: &str, why: &dyn std::fmt::Display| Failure::machinery(format!("{what}: {why}"));
    let chosen =
        ["VISUAL", "EDITOR"].into_iter().find_map(|name| env::var(name).ok().filter(|it| !it.is_empty()));
    let editor = chosen.unwrap_or_else(|| "vi".to_owned());
    let mut file = tempfile::Builder::new()
        .prefix("querybox.")
        .suffix(".sql")
        .tempfile()
        .map_err(|error| failed("cannot make a file to edit", &describe(&error)))?;
    file.write_all(text.as_bytes())
        .map_err(|error| failed("cannot write the file to edit", &describe(&error)))?;
    let path = file.into_temp_path();
    // As git and psql do: the variable may hold arguments, so a shell reads it.
    let status = Command::new("sh")
        .args(["-c", &format!("exec {editor} \"$1\""), "sh"])
        .arg(&path)
        .status()
        .map_err(|error| failed("cannot start the editor", &describe(&error)))?;
    if !status.success() {
        return Err(failed(&format!("the editor `{editor}` failed"), &status));
    }
    fs::read_to_string(&path).map_err(|error| failed("cannot read what was edited", &describe(&error)))
}
