//! Where data goes: standard output, or a file.
//!
//! A file appears whole or not at all: rows go to a hidden file beside it, which takes its name at the very end. A target
//! that is a symbolic link stays one; the file it leads to is replaced. Devices and FIFOs are written as they are.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, fchown},
    },
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{
    exit::Exit,
    failure::{Failure, describe},
    signals::Interrupts,
};

/// An open place for data. Dropping it without [`Output::finish`] leaves a regular target as it was.
pub(crate) struct Output {
    sink: Sink,
    /// What people call it.
    name: String,
}

enum Sink {
    /// Standard output, a device, a FIFO.
    Stream(File),
    /// A hidden file that takes the target's name.
    Replacement { hidden: NamedTempFile, target: PathBuf },
}

impl Output {
    /// Standard output. Nothing is buffered here: renderers write whole pages.
    pub(crate) fn stdout() -> Result<Output, Failure> {
        let name = "standard output".to_owned();
        let descriptor = io::stdout().as_fd().try_clone_to_owned();
        let descriptor = descriptor.map_err(|error| Failure::writing(&name, &error))?;
        Ok(Output { sink: Sink::Stream(File::from(descriptor)), name })
    }

    /// Opens a file, or standard output where none is named.
    pub(crate) async fn open(path: Option<PathBuf>, interrupts: &mut Interrupts) -> Result<Output, Failure> {
        let Some(path) = path else { return Output::stdout() };
        // Opening a FIFO waits for its reader.
        tokio::select! {
            opened = tokio::task::spawn_blocking(move || Output::file(&path)) => {
                opened.unwrap_or_else(|_| Err(Failure::machinery("opening the output failed by a mistake of ours")))
            }
            () = interrupts.next() => Err(Failure::silent(Exit::Cancelled)),
        }
    }

    /// Opens a file for writing. Blocks on a FIFO until somebody reads it.
    ///
    /// # Errors
    ///
    /// A usage failure: the path cannot be written to. (A full disk is one of the machinery.)
    pub(crate) fn file(path: &Path) -> Result<Output, Failure> {
        let name = path.display().to_string();
        let sink = match fs::metadata(path) {
            Ok(found) if found.is_file() => {
                let target = fs::canonicalize(path).map_err(|error| refuse(&name, &error))?;
                let hidden = hidden_beside(&target).map_err(|error| refuse(&name, &error))?;
                adopt(&hidden, &found).map_err(|error| refuse(&name, &error))?;
                Sink::Replacement { hidden, target }
            }
            Ok(found) if found.is_dir() => {
                return Err(Failure::usage(format!("cannot write {name}: it is a folder")));
            }
            Ok(found) if found.file_type().is_block_device() => {
                return Err(Failure::usage(format!("cannot write {name}: it is a disk")));
            }
            Ok(_) => {
                let stream = OpenOptions::new().write(true).open(path);
                Sink::Stream(stream.map_err(|error| refuse(&name, &error))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if fs::symlink_metadata(path).is_ok() {
                    let message = format!("cannot write {name}: it is a symbolic link that leads nowhere");
                    return Err(Failure::usage(message));
                }
                let hidden = hidden_beside(path).map_err(|error| refuse(&name, &error))?;
                Sink::Replacement { hidden, target: path.to_owned() }
            }
            Err(error) => return Err(refuse(&name, &error)),
        };
        Ok(Output { sink, name })
    }

    /// What people call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the target stays as it was until [`Output::finish`].
    pub(crate) fn is_replacement(&self) -> bool {
        matches!(self.sink, Sink::Replacement { .. })
    }

    /// Another handle on the same place, for who writes without being given it.
    pub(crate) fn handle(&self) -> io::Result<File> {
        match &self.sink {
            Sink::Stream(stream) => stream.try_clone(),
            Sink::Replacement { hidden, .. } => hidden.as_file().try_clone(),
        }
    }

    /// Puts a file in its place. From here on it is there, whole.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Sink::Replacement { hidden, target } = self.sink else { return Ok(()) };
        // Some file systems say only now that there was no room.
        hidden.as_file().sync_all().map_err(|error| Failure::writing(&self.name, &error))?;
        hidden.persist(&target).map_err(|error| Failure::writing(&self.name, &error.error))?;
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Stream(stream) => stream.write(bytes),
            Sink::Replacement { hidden, .. } => hidden.as_file_mut().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A hidden file in the target's folder, readable by its owner alone.
fn hidden_beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => return Err(io::ErrorKind::IsADirectory.into()),
    };
    let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    // A name near the limit of 255 bytes would leave no room for what is added.
    if prefix.len() > 200 {
        prefix = OsString::from(".querybox.");
    }
    tempfile::Builder::new().prefix(&prefix).suffix(".part").tempfile_in(folder)
}

/// Gives the hidden file the mode, and as far as may be the owner, of the file that it will replace.
fn adopt(hidden: &NamedTempFile, found: &fs::Metadata) -> io::Result<()> {
    let own = hidden.as_file().metadata()?;
    if (own.uid(), own.gid()) != (found.uid(), found.gid()) {
        // Only root may give a file away. For others the new file is theirs, as with any editor.
        let _ = fchown(hidden.as_file(), Some(found.uid()), Some(found.gid()));
    }
    hidden.as_file().set_permissions(Permissions::from_mode(found.mode() & 0o777))
}

fn refuse(name: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Failure::writing(name, error),
        io::ErrorKind::NotFound => Failure::usage(format!("cannot write {name}: its folder does not exist")),
        _ => Failure::new(Exit::Usage, format!("cannot write {name}: {}", describe(error))),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(path: &Path, text: &str) -> Result<Output, Failure> {
        let mut output = Output::file(path)?;
        output.write_all(text.as_bytes()).unwrap();
        Ok(output)
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let unfinished = write(&path, "half").unwrap();
        assert!(!path.exists());
        drop(unfinished);
        assert_eq!(names(folder.path()), [""; 0]);
        write(&path, "whole").unwrap().finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(names(folder.path()), ["out.csv"]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_replaced_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let unfinished = write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        unfinished.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_symbolic_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("out.csv"), folder.path().join("link.csv"));
        fs::write(&path, "old").unwrap();
        symlink("out.csv", &link).unwrap();
        write(&link, "new").unwrap().finish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn what_cannot_be_written_is_refused_with_the_cause() {
        let folder = tempfile::tempdir().unwrap();
        let check = |path: &Path, cause: &str| {
            let failure = write(path, "").map(|_| ()).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert_eq!(failure.message, format!("cannot write {}: {cause}", path.display()));
        };
        check(folder.path(), "it is a folder");
        check(&folder.path().join("missing/out.csv"), "its folder does not exist");
        let link = folder.path().join("link.csv");
        symlink("nowhere", &link).unwrap();
        check(&link, "it is a symbolic link that leads nowhere");
    }

    #[test]
    fn a_device_is_written_as_it_is() {
        let output = write(Path::new("/dev/null"), "gone").unwrap();
        assert!(!output.is_replacement());
        output.finish().unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[test]
    fn a_full_device_is_a_full_disk() {
        let mut output = Output::file(Path::new("/dev/full")).unwrap();
        let error = output.write_all(b"x").unwrap_err();
        let failure = Failure::writing(output.name(), &error);
        assert_eq!(failure.exit, Exit::Machinery);
        assert_eq!(failure.message, "disk is full: cannot write /dev/full");
    }
}
