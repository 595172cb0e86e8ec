//! Tables of reports inside a note that people write: between marks, so that only they are replaced.

use std::collections::BTreeSet;

use anyhow::ensure;

use crate::machine::Machine;

/// Whether figures can stand beside each other: of one committed state of the sources, built as it is shipped.
///
/// # Errors
///
/// They cannot, and why.
pub fn ensure_of_one_commit(machines: &[Machine]) -> anyhow::Result<()> {
    let commits: BTreeSet<&str> = machines.iter().map(|machine| machine.commit.as_str()).collect();
    let told = commits.iter().copied().collect::<Vec<_>>().join(", ");
    ensure!(commits.len() <= 1, "the figures are of several commits: {told}");
    ensure!(!told.ends_with('+'), "the figures are of sources that were not committed: {told}");
    ensure!(machines.iter().all(|machine| machine.profile == "release"), "the figures are of a dev build");
    Ok(())
}

/// Replaces what stands between the marks `<!-- NAME -->` and `<!-- end -->` behind it. `None`: there are no such marks.
#[must_use]
pub fn put(note: &str, name: &str, section: &str) -> Option<String> {
    let begin = format!("<!-- {name} -->\n");
    let from = note.find(&begin)? + begin.len();
    let to = from + note[from..].find("<!-- end -->")?;
    Some(format!("{}\n{}\n\n{}", &note[..from], section.trim_end(), &note[to..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_several_commits_or_of_none_are_refused() {
        let machine = |commit: &str| Machine {
            commit: commit.to_owned(),
            profile: "release".to_owned(),
            ..Machine::look()
        };
        let refused = |commits: &[&str]| {
            let machines: Vec<Machine> = commits.iter().map(|commit| machine(commit)).collect();
            ensure_of_one_commit(&machines).map_err(|error| error.to_string())
        };
        assert_eq!(refused(&["a", "a"]), Ok(()));
        assert_eq!(refused(&["a", "b"]).unwrap_err(), "the figures are of several commits: a, b");
        assert!(refused(&["a+", "a+"]).unwrap_err().ends_with("not committed: a+"));
        let dev = Machine { profile: "dev".to_owned(), ..machine("a") };
        assert!(ensure_of_one_commit(&[dev]).is_err());
    }

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let note = "a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\n<!-- end -->\n";
        let once = put(note, "x", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- x -->\n\nnew\n\n<!-- end -->\nb\n<!-- y -->\n<!-- end -->\n");
        assert_eq!(put(&once, "x", "new").unwrap(), once);
        assert_eq!(put(note, "z", "new"), None);
    }
}
