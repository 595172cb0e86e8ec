//! Files of the plugin folders that may be drivers.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// What a driver's file is named by custom, before its type.
const PREFIX: &str = "querybox-driver-";

/// An executable file of a plugin folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// The driver type that its name promises. `None`: the name promises nothing.
    pub(super) named: Option<String>,
}

impl Candidate {
    pub(super) fn may_be(&self, driver_type: &str) -> bool {
        self.named.as_deref().is_none_or(|named| named == driver_type)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) files: Vec<Candidate>,
    /// The folders that exist.
    pub(super) folders: Vec<PathBuf>,
}

/// Executable regular files of the folders, in the order in which they count. Hidden files are left out.
pub(super) async fn candidates(folders: Vec<PathBuf>) -> Found {
    tokio::task::spawn_blocking(move || look(folders)).await.unwrap_or_else(|_| {
        // Only a runtime that shuts down drops blocking work.
        Found { files: Vec::new(), folders: Vec::new() }
    })
}

fn look(folders: Vec<PathBuf>) -> Found {
    let mut found = Found { files: Vec::new(), folders: Vec::new() };
    for folder in folders {
        match files_of(&folder) {
            Ok(mut files) => {
                files.sort_by(|one, other| {
                    let order = |candidate: &Candidate| (candidate.named.is_none(), candidate.path.clone());
                    order(one).cmp(&order(other))
                });
                found.files.append(&mut files);
                // The same folder named twice would shadow itself.
                if !found.folders.contains(&folder) {
                    found.folders.push(folder);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(folder = %folder.display(), %error, "a plugin folder cannot be read");
            }
        }
    }
    found
}

fn files_of(folder: &Path) -> io::Result<Vec<Candidate>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) =
            path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.'))
        else {
            continue;
        };
        // Follows links: a package may link its driver in. A file that went away meanwhile is not there.
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
            let named = name.strip_prefix(PREFIX).map(str::to_owned);
            files.push(Candidate { path, named });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, mode: u32) {
        let path = folder.join(name);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn files_count_by_folder_then_by_custom_then_by_name() {
        let root = tempfile::tempdir().unwrap();
        let (first, second) = (root.path().join("first"), root.path().join("second"));
        fs::create_dir_all(first.join("querybox-driver-folder")).unwrap();
        fs::create_dir(&second).unwrap();
        for name in ["another", "querybox-driver-sqlite", "querybox-driver-postgres"] {
            file(&first, name, 0o755);
        }
        file(&first, ".hidden", 0o755);
        file(&first, "README", 0o644);
        file(&second, "querybox-driver-sqlite", 0o700);

        let found = look(vec![first.clone(), root.path().join("missing"), second.clone()]);
        let names: Vec<_> = found
            .files
            .iter()
            .map(|candidate| candidate.path.strip_prefix(root.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "first/querybox-driver-postgres",
                "first/querybox-driver-sqlite",
                "first/another",
                "second/querybox-driver-sqlite"
            ]
        );
        assert_eq!(found.folders, [first, second]);
        let may_be: Vec<_> = found.files.iter().map(|candidate| candidate.may_be("sqlite")).collect();
        assert_eq!(may_be, [false, true, true, true]);
    }
}
