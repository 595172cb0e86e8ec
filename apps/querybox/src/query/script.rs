//! The text to run: from the command line, a file, or standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use querybox_api::REQUEST_BYTES_MAX;

use crate::failure::{Failure, describe};

/// SQL that was read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub sql: String,
    /// The file that people know it by. `None`: the command line.
    pub file: Option<String>,
    /// The line of the file at which it begins, from 1.
    pub first_line: usize,
}

/// Reads the script. A `file` of `-` is standard input, which is also where a script comes from that is not given at all.
///
/// # Errors
///
/// A usage failure: nothing to run, an unreadable file, more than Core takes, text that is not UTF-8.
pub(crate) fn read(
    sql: Option<String>,
    file: Option<&Path>,
    stdin_is_terminal: bool,
) -> Result<Script, Failure> {
    match (sql, file) {
        (Some(sql), _) => Ok(Script { sql, file: None, first_line: 1 }),
        (None, Some(path)) if path != Path::new("-") => {
            let name = path.display().to_string();
            let bytes = File::open(path)
                .map_err(|error| unreadable(&name, &error))
                .and_then(|file| bytes(file, &name))?;
            decode(bytes, name)
        }
        (None, None) if stdin_is_terminal => Err(Failure::usage("there is nothing to run")
            .with_hint("give the SQL as an argument, in a file with `-f FILE`, or through a pipe")),
        (None, _) => {
            let name = "standard input".to_owned();
            let bytes = bytes(io::stdin().lock(), &name)?;
            decode(bytes, name)
        }
    }
}

/// Reads no more than Core takes: what comes through a pipe may have no end.
fn bytes(source: impl Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    source
        .take(REQUEST_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(name, &error))?;
    if bytes.len() > REQUEST_BYTES_MAX {
        return Err(Failure::usage(format!("the script is larger than {} MiB", REQUEST_BYTES_MAX >> 20))
            .with_hint("run it in parts"));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {name}: {}", describe(error)))
}

fn decode(bytes: Vec<u8>, name: String) -> Result<Script, Failure> {
    let sql = text(bytes, &name, 1)?;
    Ok(Script { sql, file: Some(name), first_line: 1 })
}

/// Text that was read from a place with this name, from its `first_line` on.
///
/// # Errors
///
/// A usage failure: it is not UTF-8.
pub(crate) fn text(bytes: Vec<u8>, name: &str, first_line: usize) -> Result<String, Failure> {
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line_start = bytes[..valid].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = bytes[..valid].iter().filter(|byte| **byte == b'\n').count() + first_line;
        let column = String::from_utf8_lossy(&bytes[line_start..valid]).chars().count() + 1;
        Failure::usage(format!(
            "{name} is not UTF-8: byte 0x{:02x} at line {line}, column {column}",
            bytes[valid]
        ))
        .with_hint("convert it, for instance with `iconv -f latin1 -t utf-8`")
    })?;
    // Some editors begin a file with a byte order mark, which no database takes for SQL.
    if first_line == 1 && text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn text_that_is_not_utf_8_is_refused_with_its_place() {
        let failure = decode(b"select 1;\nselect 'gr\xfc\xdf'".to_vec(), "old.sql".into()).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.message, "old.sql is not UTF-8: byte 0xfc at line 2, column 11");
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_text() {
        let script = decode(b"\xef\xbb\xbfselect 1".to_vec(), "a.sql".into()).unwrap();
        assert_eq!(script.sql, "select 1");
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let failure = read(None, Some(Path::new("/nowhere/a.sql")), false).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.message, "cannot read /nowhere/a.sql: no such file or directory");
        let failure = read(None, Some(Path::new("/")), false).unwrap_err();
        assert_eq!(failure.message, "cannot read /: is a directory");
    }

    #[test]
    fn a_script_without_an_end_is_refused() {
        let failure = read(None, Some(Path::new("/dev/zero")), false).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.message, "the script is larger than 64 MiB");
    }

    #[test]
    fn nothing_to_run_is_told_on_a_terminal() {
        assert_eq!(read(None, None, true).unwrap_err().message, "there is nothing to run");
    }
}
