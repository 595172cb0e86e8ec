//! Where cargo puts what it builds.

use std::{env, path::PathBuf};

/// The built binary of any package of the workspace.
///
/// # Panics
///
/// When it was not built: cargo builds only the package under test, so a sibling's binary may be missing.
pub fn program(name: &str) -> PathBuf {
    built(&profile_folder().join(name))
}

/// The built example of the package under test.
///
/// # Panics
///
/// When it was not built.
pub fn example(name: &str) -> PathBuf {
    built(&profile_folder().join("examples").join(name))
}

fn built(path: &std::path::Path) -> PathBuf {
    assert!(path.is_file(), "{} is not built: run `cargo xtask test`, which builds it first", path.display());
    path.to_owned()
}

/// `target/<profile>`: a test runs as `target/<profile>/deps/<test>-<hash>`.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a running program has a path");
    test.ancestors().nth(2).expect("a test lies two folders below the target folder").to_owned()
}
