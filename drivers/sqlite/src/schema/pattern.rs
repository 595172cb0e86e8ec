//! Patterns of names: `*` is any text, `?` one character, `\\` takes that meaning from what is behind it.

/// Whether a name is like a pattern, upper and lower case being alike.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let pattern = parse(&pattern.to_lowercase());
    let name: Vec<_> = name.to_lowercase().chars().collect();
    // The usual walk: on a mismatch the last `*` takes one more character.
    let (mut at, mut place, mut star) = (0, 0, None);
    while place < name.len() {
        match pattern.get(at) {
            Some(Part::Any) => {
                star = Some((at, place));
                at += 1;
            }
            Some(Part::One) => (at, place) = (at + 1, place + 1),
            Some(Part::Just(c)) if *c == name[place] => (at, place) = (at + 1, place + 1),
            _ => match &mut star {
                Some((star_at, taken)) => {
                    *taken += 1;
                    (at, place) = (*star_at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|part| matches!(part, Part::Any))
}

enum Part {
    Any,
    One,
    Just(char),
}

fn parse(pattern: &str) -> Vec<Part> {
    let mut chars = pattern.chars();
    let mut parts = Vec::new();
    while let Some(c) = chars.next() {
        parts.push(match c {
            '*' => Part::Any,
            '?' => Part::One,
            '\\' => Part::Just(chars.next().unwrap_or('\\')),
            c => Part::Just(c),
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*order*", "All Orders", true),
            ("order", "orders", false),
            ("order?", "orders", true),
            ("*a*b*", "xxaxxbab", true),
            ("*a*b", "xxaxxba", false),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
            ("*", "", true),
            ("", "", true),
            ("ÄRGER", "ärger", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
