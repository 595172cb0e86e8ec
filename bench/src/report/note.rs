//! Tables of reports inside a note that people write: between marks, so that only they are replaced.

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
    fn only_what_stands_between_the_marks_is_replaced() {
        let note = "a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\n<!-- end -->\n";
        let once = put(note, "x", "new\n").unwrap();
        assert_eq!(once, "a\n<!-- x -->\n\nnew\n\n<!-- end -->\nb\n<!-- y -->\n<!-- end -->\n");
        assert_eq!(put(&once, "x", "new").unwrap(), once);
        assert_eq!(put(note, "z", "new"), None);
    }
}
