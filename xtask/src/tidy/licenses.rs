//! Which licenses the things we ship may have.

use crate::cargo::Package;
use crate::tidy::Finding;

/// Permissive licenses, and MPL-2.0, which reaches no further than its own files.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
];

/// A package whose license is not in the list, and why it is fine all the same.
const EXCEPTIONS: &[(&str, &str)] = &[
    // Public domain. Below arrow's hash tables, and only where a target has no random source of its own.
    ("tiny-keccak", "CC0-1.0"),
];

/// Finds packages that nobody allowed us to ship.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .filter(|package| !package.is_ours())
        .filter_map(|package| {
            let place = format!("{} {}", package.name, package.version);
            let Some(license) = &package.license else {
                return Some(Finding::new(place, "names no license"));
            };
            let excepted = EXCEPTIONS.contains(&(package.name.as_str(), license.as_str()));
            (!excepted && !is_allowed(license)).then(|| {
                let why = format!(
                    "has the license {license}, which is not in the list (xtask/src/tidy/licenses.rs)"
                );
                Finding::new(place, why)
            })
        })
        .collect()
}

/// Whether an SPDX expression leaves us a choice that the list allows. What it cannot read it does not allow.
fn is_allowed(expression: &str) -> bool {
    // Before SPDX, cargo's way to write OR was a slash.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens = spaced.split_whitespace().peekable();
    either(&mut tokens).is_some_and(|allowed| allowed && tokens.next().is_none())
}

type Tokens<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `a OR b`; none when it does not parse.
fn either(tokens: &mut Tokens<'_>) -> Option<bool> {
    let mut allowed = both(tokens)?;
    while tokens.next_if_eq(&"OR").is_some() {
        allowed |= both(tokens)?;
    }
    Some(allowed)
}

/// `a AND b`
fn both(tokens: &mut Tokens<'_>) -> Option<bool> {
    let mut allowed = one(tokens)?;
    while tokens.next_if_eq(&"AND").is_some() {
        allowed &= one(tokens)?;
    }
    Some(allowed)
}

/// A license, with or without an exception, or an expression in parentheses.
fn one(tokens: &mut Tokens<'_>) -> Option<bool> {
    if tokens.next_if_eq(&"(").is_some() {
        let allowed = either(tokens)?;
        return tokens.next_if_eq(&")").map(|_| allowed);
    }
    let license = tokens.next().filter(|token| !["OR", "AND", "WITH", ")"].contains(token))?;
    if tokens.next_if_eq(&"WITH").is_some() {
        // An exception gives further permissions; it takes none away.
        tokens.next()?;
    }
    Some(ALLOWED.contains(&license))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_that_the_list_allows_is_enough() {
        for license in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "Unlicense OR MIT",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "(MIT OR GPL-3.0-only) AND Unicode-3.0",
            "MIT AND BSD-3-Clause",
        ] {
            assert!(is_allowed(license), "{license}");
        }
    }

    #[test]
    fn copyleft_and_riddles_are_refused() {
        for license in [
            "GPL-3.0-only",
            "LGPL-2.1-or-later",
            "AGPL-3.0",
            "MIT AND GPL-2.0",
            "(MIT OR Apache-2.0) AND LGPL-3.0",
            "GPL-2.0 WITH Classpath-exception-2.0",
            "SSPL-1.0",
            "MIT OR",
            "(MIT",
            "MIT MIT",
            "",
        ] {
            assert!(!is_allowed(license), "{license}");
        }
    }

    #[test]
    fn a_package_is_found_with_its_name_and_an_exception_holds_for_one_package() {
        let package = |name: &str, license: &str| -> Package {
            let text = format!(
                r#"{{"name":"{name}","version":"1.2.3","license":{license},"source":"registry","targets":[],
                    "manifest_path":"/registry/{name}/Cargo.toml","dependencies":[]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let packages = [
            package("copyleft", r#""GPL-3.0-only""#),
            package("silent", "null"),
            package("tiny-keccak", r#""CC0-1.0""#),
            package("other", r#""CC0-1.0""#),
            package("fine", r#""MIT""#),
        ];
        let places: Vec<String> = check(&packages).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["copyleft 1.2.3", "silent 1.2.3", "other 1.2.3"]);
    }
}
