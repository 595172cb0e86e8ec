//! The file with the token, for commands on this machine.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use querybox_core::Token;

use crate::failure::Failure;

/// A file that its owner alone can read, and that goes with the server.
#[derive(Debug)]
pub(super) struct TokenFile(PathBuf);

impl TokenFile {
    /// Puts the token in the place of one that a server left which was killed.
    pub(super) fn write(path: &Path, token: &Token) -> Result<TokenFile, Failure> {
        let kept = |error: io::Error| Failure::keeping(path, &error);
        let folder = path.parent().unwrap_or(Path::new("/"));
        // Made with mode 0600, under a name that nobody can guess.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(kept)?;
        // The file is what the owner's commands show it from.
        file.write_all(token.expose().as_bytes()).map_err(kept)?;
        file.persist(path).map_err(|error| kept(error.error))?;
        Ok(TokenFile(path.to_owned()))
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        // What is left is good for nothing: the next server makes its own.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn the_token_is_the_owners_alone_and_goes_with_the_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "of a server that was killed").unwrap();
        let token = Token::make();
        let file = TokenFile::write(&path, &token).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), token.expose());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
