//! Ids as people give them: whole, or by the end.

use uuid::Uuid;

use crate::failure::Failure;

/// Characters of an id's end that people are shown: those of a UUIDv7 are random.
const CHARS: usize = 8;
/// Characters of a whole id.
const WHOLE: usize = 36;

/// The ends of ids by which all are told apart.
pub(crate) fn ends<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut length = CHARS;
    loop {
        let ends: Vec<_> = ids.iter().map(|id| tail(id, length)).collect();
        let differ = ends.iter().enumerate().all(|(at, end)| !ends[..at].contains(end));
        if differ || length >= WHOLE {
            return ends;
        }
        length += 1;
    }
}

/// The end of an id that people are shown where there are no others.
pub(crate) fn end(id: &str) -> &str {
    tail(id, CHARS)
}

fn tail(id: &str, length: usize) -> &str {
    // A server that is none of ours may send what is no id.
    &id[id.floor_char_boundary(id.len().saturating_sub(length))..]
}

/// The id that is named by itself or by its end. `noun`: what it is of, `verb`: what lists them.
pub(crate) fn find(ids: &[&str], named: &str, noun: &str, verb: &str) -> Result<String, Failure> {
    let mut found = ids.iter().filter(|id| !named.is_empty() && id.ends_with(named));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok((*id).to_owned()),
        (Some(_), Some(_)) => Err(Failure::usage(format!("the ids of several {noun}s end with {named}"))
            .with_hint(format!("give more of the end, or all of the id: `{verb} --json` has it"))),
        // The server knows what became of it.
        (None, _) if Uuid::try_parse(named).is_ok() => Ok(named.to_owned()),
        (None, _) => Err(Failure::usage(format!("there is no {noun} whose id ends with {named}"))
            .with_hint(format!("`{verb}` shows them"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = [
        "0197a3c2-7c00-7abc-8def-0123456789ab",
        "0197a3c2-7c00-7abc-8def-1123456789ab",
        "0197a3c2-7c00-7abc-8def-012345678900",
    ];

    #[test]
    fn ends_are_as_long_as_they_must_be() {
        assert_eq!(ends(&[]), [""; 0]);
        assert_eq!(ends(&IDS[..1]), ["456789ab"]);
        assert_eq!(ends(&IDS[1..]), ["456789ab", "45678900"]);
        assert_eq!(ends(&IDS[..2]), ["0123456789ab", "1123456789ab"]);
        assert_eq!(ends(&["x", "ßßßßx"]), ["x", "ßßßßx"]);
        // They never differ, and are told all the same.
        assert_eq!(ends(&[IDS[0], IDS[0]]), [IDS[0], IDS[0]]);
    }

    #[test]
    fn an_id_is_found_by_its_end() {
        let check = |named: &str| find(&IDS, named, "session", "querybox sessions list");
        assert_eq!(check("8900").unwrap(), IDS[2]);
        assert_eq!(check(IDS[0]).unwrap(), IDS[0]);
        assert!(check("89ab").unwrap_err().message.contains("several sessions"));
        assert!(check("ffff").unwrap_err().message.contains("there is no session"));
        assert!(check("").is_err());
        let gone = "0197a3c2-7c00-7abc-8def-fffffffffffe";
        assert_eq!(check(gone).unwrap(), gone);
    }
}
