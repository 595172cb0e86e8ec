//! Which crate may depend on which: the edges of design and ARCHITECTURE.md, in one table.

use crate::cargo::Package;
use crate::tidy::Finding;

/// Each crate of ours with those of ours that it may build on. Tests may use any.
const MAY_USE: &[(&str, &[&str])] = &[
    // The composition root: it puts the parts together and talks to them through the API's client.
    (
        "querybox",
        &[
            "querybox-api",
            "querybox-contracts",
            "querybox-core",
            "querybox-launcher",
            "querybox-results",
            "querybox-sql",
            "querybox-store",
            "querybox-vault",
        ],
    ),
    // Another one: it puts Core together to measure it, on the servers of tests.
    (
        "querybox-bench",
        &[
            "querybox-api",
            "querybox-contracts",
            "querybox-core",
            // Where it looks into hops: the driver in a program that tells its figures, and a client that renders.
            "querybox-driver-postgres",
            "querybox-fixtures",
            "querybox-launcher",
            "querybox-plugin",
            "querybox-results",
            "querybox-vault",
        ],
    ),
    // Its hot loops by themselves.
    (
        "querybox-counts",
        &[
            "querybox-contracts",
            "querybox-driver-postgres",
            "querybox-fixtures",
            "querybox-plugin",
            "querybox-results",
        ],
    ),
    // Servers that are none, and the driver that meets them.
    ("querybox-fuzz", &["querybox-driver-postgres", "querybox-fixtures", "querybox-plugin"]),
    ("querybox-api", &["querybox-contracts", "querybox-core", "querybox-results"]),
    (
        "querybox-core",
        &["querybox-launcher", "querybox-results", "querybox-sql", "querybox-store", "querybox-vault"],
    ),
    ("querybox-results", &["querybox-vault"]),
    ("querybox-launcher", &["querybox-contracts", "querybox-jail", "querybox-sql", "querybox-vault"]),
    ("querybox-plugin", &["querybox-contracts", "querybox-sql"]),
    // Below all others. Store and vault never meet.
    ("querybox-contracts", &[]),
    ("querybox-fixtures", &[]),
    ("querybox-jail", &[]),
    ("querybox-sql", &[]),
    ("querybox-store", &[]),
    ("querybox-vault", &[]),
    ("xtask", &[]),
];

/// What each `drivers/*` may build on.
const DRIVERS_MAY_USE: &[&str] = &["querybox-plugin", "querybox-sql"];

/// A library of others that only some crates may build on, so that its knowledge stays in one place.
struct Fence {
    /// The start of the library's name.
    library: &'static str,
    /// Crates of ours; `drivers/*` stands for all drivers, of which one may also be named.
    inside: &'static [&'static str],
    why: &'static str,
}

const FENCES: &[Fence] = &[
    Fence {
        library: "arrow",
        inside: &[
            "querybox-plugin",
            "querybox-results",
            "querybox",
            "drivers/*",
            // It keeps rows that no driver sent.
            "querybox-bench",
        ],
        why: "launcher, core and api never look inside a batch",
    },
    Fence {
        library: "rusqlite",
        inside: &["querybox-store", "querybox", "drivers/*"],
        why: "SQL over our own tables lives in querybox-store, a database's protocol in its driver",
    },
    Fence {
        library: "tonic",
        inside: &[
            "querybox-contracts",
            "querybox-api",
            "querybox-launcher",
            "querybox-plugin",
            "querybox",
            "xtask",
            // They are front ends to what they measure.
            "querybox-bench",
            "querybox-counts",
            // What it does wrong, the SDK would not let it do.
            "querybox-driver-misbehaving",
        ],
        why: "core's types are plain; gRPC belongs to api, launcher and SDK",
    },
    Fence {
        library: "prost",
        inside: &[
            "querybox-contracts",
            "querybox-api",
            "querybox-launcher",
            "querybox-plugin",
            "querybox",
            "xtask",
        ],
        why: "core's types are plain; messages belong to api, launcher and SDK",
    },
    Fence {
        library: "clap",
        inside: &[
            "querybox",
            "querybox-bench",
            "querybox-counts",
            "querybox-fuzz",
            "querybox-plugin",
            "xtask",
            "drivers/*",
        ],
        why: "only apps and the SDK's serve_cli read arguments",
    },
    Fence { library: "directories", inside: &["querybox"], why: "only apps know where a user keeps files" },
    Fence { library: "toml", inside: &["querybox", "xtask"], why: "only apps read configuration files" },
    Fence {
        library: "tracing-subscriber",
        inside: &["querybox", "drivers/*"],
        why: "libraries emit events; the program decides where they go",
    },
    Fence {
        library: "anyhow",
        inside: &[
            "querybox",
            "querybox-bench",
            "querybox-counts",
            "querybox-fixtures",
            "querybox-fuzz",
            "xtask",
            "drivers/*",
        ],
        why: "a library's errors are named variants",
    },
    Fence {
        library: "tokio",
        inside: &[
            "querybox-api",
            "querybox-bench",
            "querybox-core",
            "querybox-counts",
            "querybox-fixtures",
            "querybox-fuzz",
            "querybox-launcher",
            "querybox-plugin",
            "querybox-results",
            "querybox-store",
            "querybox",
            "drivers/*",
        ],
        why: "contracts, jail, sql and vault need no runtime",
    },
    Fence { library: "axum", inside: &["querybox"], why: "HTTP belongs to the app that serves" },
    Fence {
        library: "seccompiler",
        inside: &["querybox-jail"],
        why: "kernel confinement lives in querybox-jail",
    },
];

/// Finds each dependency that the design forbids.
pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let ours: Vec<&Package> = packages.iter().filter(|package| package.is_ours()).collect();
    let mut findings = Vec::new();
    for package in &ours {
        let is_driver = package.lies_in("drivers");
        let row = MAY_USE.iter().find(|(name, _)| *name == package.name).map(|(_, allowed)| *allowed);
        let Some(allowed) = row.or(is_driver.then_some(DRIVERS_MAY_USE)) else {
            findings.push(Finding::new(
                &package.name,
                "has no row in the table of edges (xtask/src/tidy/edges.rs); decide what it may use",
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.is_built_in()) {
            let name = dependency.name.as_str();
            if ours.iter().any(|other| other.name == name) && !allowed.contains(&name) {
                let allowed =
                    if allowed.is_empty() { "no crate of ours".to_owned() } else { allowed.join(", ") };
                findings.push(Finding::new(
                    &package.name,
                    format!("depends on {name}, which the design forbids; it may use {allowed}"),
                ));
            }
            for fence in FENCES.iter().filter(|fence| fence.holds(name)) {
                let place = if is_driver { "drivers/*" } else { package.name.as_str() };
                if !fence.inside.contains(&place) && !fence.inside.contains(&package.name.as_str()) {
                    findings
                        .push(Finding::new(&package.name, format!("depends on {name}, but {}", fence.why)));
                }
            }
        }
    }
    findings
}

impl Fence {
    /// `tonic` also stands for `tonic-prost`, and not for `tonics`.
    fn holds(&self, name: &str) -> bool {
        name.strip_prefix(self.library).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings about one package of ours with one dependency, beside all the crates that the design names.
    fn check_one(name: &str, folder: &str, dependency: &str, kind: &str) -> Vec<String> {
        let package = |name: &str, folder: &str, dependencies: &str| -> Package {
            let text = format!(
                r#"{{"name":"{name}","version":"1.0.0","license":"MIT","source":null,"targets":[],
                    "manifest_path":"/repository/{folder}/{name}/Cargo.toml","dependencies":[{dependencies}]}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let mut packages: Vec<Package> = MAY_USE
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(other, _)| package(other, "crates", ""))
            .chain([package("querybox-driver-other", "drivers", "")])
            .collect();
        packages.push(package(name, folder, &format!(r#"{{"name":"{dependency}","kind":{kind}}}"#)));
        check(&packages).into_iter().map(|finding| format!("{}: {}", finding.place, finding.why)).collect()
    }

    #[test]
    fn what_the_design_forbids_is_found() {
        for (name, folder, dependency) in [
            ("querybox-store", "crates", "querybox-vault"),
            ("querybox-vault", "crates", "querybox-store"),
            ("querybox-core", "crates", "querybox-api"),
            ("querybox-core", "crates", "querybox-contracts"),
            ("querybox-results", "crates", "querybox-core"),
            ("querybox-results", "crates", "querybox-contracts"),
            ("querybox-launcher", "crates", "querybox-store"),
            ("querybox-api", "crates", "querybox-launcher"),
            ("querybox-api", "crates", "querybox"),
            ("querybox-plugin", "crates", "querybox-launcher"),
            ("querybox-driver-sqlite", "drivers", "querybox-core"),
            ("querybox-driver-sqlite", "drivers", "querybox-contracts"),
            ("querybox-driver-sqlite", "drivers", "querybox-driver-other"),
            ("querybox", "apps", "querybox-jail"),
            ("xtask", "", "querybox-contracts"),
        ] {
            let findings = check_one(name, folder, dependency, "null");
            assert_eq!(findings.len(), 1, "{name} → {dependency}: {findings:?}");
            assert!(
                findings[0]
                    .starts_with(&format!("{name}: depends on {dependency}, which the design forbids"))
            );
        }
    }

    #[test]
    fn what_the_design_draws_is_allowed() {
        for (name, allowed) in MAY_USE {
            for dependency in *allowed {
                assert_eq!(check_one(name, "crates", dependency, "null"), [""; 0], "{name} → {dependency}");
            }
        }
        assert_eq!(check_one("querybox-driver-sqlite", "drivers", "querybox-plugin", "null"), [""; 0]);
    }

    #[test]
    fn tests_may_use_what_programs_may_not_but_build_scripts_may_not() {
        assert_eq!(check_one("querybox-store", "crates", "querybox-fixtures", r#""dev""#), [""; 0]);
        assert_eq!(check_one("querybox-store", "crates", "querybox-fixtures", r#""build""#).len(), 1);
        assert_eq!(check_one("querybox-store", "crates", "querybox-fixtures", "null").len(), 1);
    }

    #[test]
    fn a_library_outside_its_fence_is_found() {
        for (name, folder, dependency) in [
            ("querybox-core", "crates", "arrow-array"),
            ("querybox-api", "crates", "arrow-ipc"),
            ("querybox-core", "crates", "tonic"),
            ("querybox-core", "crates", "prost-types"),
            ("querybox-core", "crates", "rusqlite"),
            ("querybox-store", "crates", "directories"),
            ("querybox-core", "crates", "toml"),
            ("querybox-core", "crates", "anyhow"),
            ("querybox-vault", "crates", "tokio"),
            ("querybox-launcher", "crates", "seccompiler"),
            ("querybox-driver-sqlite", "drivers", "tonic"),
        ] {
            let findings = check_one(name, folder, dependency, "null");
            assert_eq!(findings.len(), 1, "{name} → {dependency}: {findings:?}");
        }
        assert_eq!(check_one("querybox-driver-sqlite", "drivers", "rusqlite", "null"), [""; 0]);
        assert_eq!(check_one("querybox-core", "crates", "tonics", "null"), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let findings = check_one("querybox-utils", "crates", "serde", "null");
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("has no row"), "{findings:?}");
    }
}
