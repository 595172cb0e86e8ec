//! A script, line by line, off a file or standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use crate::{
    failure::{Failure, describe},
    query::script,
};

/// A text that is read as it comes.
pub(crate) struct Lines {
    /// `None` while a line is read, and after an error.
    reader: Option<Reader>,
    /// What people know it by.
    pub name: String,
    number: usize,
}

enum Reader {
    File(BufReader<File>),
    /// Its buffer is the process's own, so that a password's line can be taken off before.
    Stdin,
}

impl Lines {
    pub(crate) fn of_file(path: &Path) -> Result<Lines, Failure> {
        let name = path.display().to_string();
        let unreadable =
            |error: io::Error| Failure::usage(format!("cannot read {name}: {}", describe(&error)));
        let file = File::open(path).map_err(unreadable)?;
        Ok(Lines { reader: Some(Reader::File(BufReader::new(file))), name, number: 0 })
    }

    pub(crate) fn of_stdin() -> Lines {
        Lines { reader: Some(Reader::Stdin), name: "standard input".to_owned(), number: 0 }
    }

    /// The next line without its end. `None`: there is none.
    ///
    /// # Errors
    ///
    /// A usage failure: it cannot be read, or is not UTF-8.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Failure> {
        let Some(mut reader) = self.reader.take() else { return Ok(None) };
        let reading = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            let read = match &mut reader {
                Reader::File(file) => file.read_until(b'\n', &mut bytes),
                Reader::Stdin => io::stdin().lock().read_until(b'\n', &mut bytes),
            };
            (reader, read.map(|_| bytes))
        });
        let Ok((reader, read)) = reading.await else {
            return Err(Failure::machinery(format!("reading {} ended by a mistake of ours", self.name)));
        };
        let mut bytes =
            read.map_err(|error| Failure::usage(format!("cannot read {}: {}", self.name, describe(&error))))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.reader = Some(reader);
        self.number += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        script::text(bytes, &self.name, self.number).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_without_their_ends_and_are_utf_8() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sql");
        std::fs::write(&path, b"\xef\xbb\xbfselect 1;\n\nselect '\xfc'").unwrap();
        let mut lines = Lines::of_file(&path).unwrap();
        assert_eq!(lines.next().await.unwrap().as_deref(), Some("select 1;"));
        assert_eq!(lines.next().await.unwrap().as_deref(), Some(""));
        let failure = lines.next().await.unwrap_err();
        assert!(failure.message.ends_with("is not UTF-8: byte 0xfc at line 3, column 9"), "{failure}");
    }

    #[tokio::test]
    async fn an_unreadable_file_is_named() {
        let failure = Lines::of_file(Path::new("/nowhere.sql")).map(|_| ()).unwrap_err();
        assert_eq!(failure.message, "cannot read /nowhere.sql: no such file or directory");
        let mut folder = Lines::of_file(Path::new("/")).unwrap();
        assert_eq!(folder.next().await.unwrap_err().message, "cannot read /: is a directory");
    }
}
