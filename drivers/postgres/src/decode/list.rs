//! Arrays: those of one dimension that begin at 1 are lists, any other is told as the text that the server would print.

use querybox_plugin::{Error, Rows, pb::Display};

use super::Native;
use crate::message::Reader;

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Native(Native),
    /// UTF-8.
    Text,
    /// UTF-8 behind the number of the format's version.
    Jsonb,
}

/// The server's limit: src/include/utils/array.h, `MAXDIM`.
const DIMENSIONS_MAX: usize = 6;
const JSONB_VERSION: u8 = 1;

/// One dimension.
#[derive(Debug, Clone, Copy)]
struct Dimension {
    count: i32,
    /// The index of the first element.
    first: i32,
}

/// An array whose elements are still to be read.
struct Array<'a> {
    dimensions: [Dimension; DIMENSIONS_MAX],
    depth: usize,
    count: usize,
    elements: Reader<'a>,
}

/// Tells an array.
pub(super) fn tell(bytes: &[u8], element: Element, rows: &mut Rows<'_>) -> Result<(), Error> {
    let array = Array::parse(bytes)?;
    if array.is_list() && tell_list(array, element, rows)? {
        return Ok(());
    }
    let text = Array::parse(bytes)?.text(element, bytes.len())?;
    match std::str::from_utf8(&text) {
        Ok(text) => rows.exact_text(text, Display::Unspecified),
        Err(_) => rows.undecodable(&text),
    }
    Ok(())
}

/// Tells a list. False: it is too large, or an element is beyond its type; what was told is then forgotten with the text that
/// follows.
fn tell_list(mut array: Array<'_>, element: Element, rows: &mut Rows<'_>) -> Result<bool, Error> {
    let own_bytes = match element {
        Element::Native(native) if !native.has_own_bytes() => 0,
        // Each has its length before it, which is no part of it.
        Element::Native(_) | Element::Text | Element::Jsonb => array.elements.len() - 4 * array.count,
    };
    if !rows.begin_list(array.count, own_bytes) {
        return Ok(false);
    }
    for _ in 0..array.count {
        let Some(bytes) = array.elements.value()? else {
            rows.null();
            continue;
        };
        let is_told = match element {
            Element::Native(native) => native.tell(bytes, rows)?,
            Element::Text => tell_text(bytes, rows),
            Element::Jsonb => tell_text(unversioned(bytes)?, rows),
        };
        if !is_told {
            return Ok(false);
        }
    }
    array.elements.end()?;
    rows.end_list();
    Ok(true)
}

fn tell_text(bytes: &[u8], rows: &mut Rows<'_>) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    rows.text(text);
    true
}

fn unversioned(bytes: &[u8]) -> Result<&[u8], Error> {
    match bytes {
        [JSONB_VERSION, text @ ..] => Ok(text),
        _ => Err(Error::protocol("a jsonb value of the server has an unknown format")),
    }
}

impl<'a> Array<'a> {
    /// Reads the head of the binary format: src/backend/utils/adt/arrayfuncs.c, `array_send`.
    fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let malformed = || Error::protocol("an array of the server is malformed");
        let mut elements = Reader::new(bytes);
        let depth = usize::try_from(elements.i32()?).ok().filter(|depth| *depth <= DIMENSIONS_MAX);
        let depth = depth.ok_or_else(malformed)?;
        let _has_nulls = elements.i32()?;
        // The description has the type already; one that is converted without a change may keep another's number here.
        let _element_oid = elements.u32()?;
        let mut dimensions = [Dimension { count: 0, first: 1 }; DIMENSIONS_MAX];
        let mut count = usize::from(depth > 0);
        for dimension in &mut dimensions[..depth] {
            *dimension = Dimension { count: elements.i32()?, first: elements.i32()? };
            // An array without elements has no dimensions.
            let elements = usize::try_from(dimension.count).ok().filter(|elements| *elements > 0);
            count = elements.and_then(|elements| count.checked_mul(elements)).ok_or_else(malformed)?;
        }
        if count > elements.len() / 4 {
            return Err(malformed());
        }
        Ok(Self { dimensions, depth, count, elements })
    }

    fn is_list(&self) -> bool {
        self.depth == 0 || (self.depth == 1 && self.dimensions[0].first == 1)
    }

    /// As the server prints it. The bytes may be no text, if those of an element are none.
    fn text(mut self, element: Element, bytes: usize) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(bytes);
        let dimensions = self.dimensions;
        let dimensions = &dimensions[..self.depth];
        if dimensions.iter().any(|dimension| dimension.first != 1) {
            for Dimension { count, first } in dimensions {
                let last = i64::from(*first) + i64::from(*count) - 1;
                out.extend_from_slice(format!("[{first}:{last}]").as_bytes());
            }
            out.push(b'=');
        }
        match dimensions {
            [] => out.extend_from_slice(b"{}"),
            [outer, inner @ ..] => {
                self.push_dimension(*outer, inner, element, &mut String::new(), &mut out)?;
            }
        }
        self.elements.end()?;
        Ok(out)
    }

    fn push_dimension(
        &mut self,
        outer: Dimension,
        inner: &[Dimension],
        element: Element,
        scratch: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for index in 0..outer.count {
            out.push(if index == 0 { b'{' } else { b',' });
            match inner {
                [outer, inner @ ..] => self.push_dimension(*outer, inner, element, scratch, out)?,
                [] => self.push_element(element, scratch, out)?,
            }
        }
        out.push(b'}');
        Ok(())
    }

    fn push_element(
        &mut self,
        element: Element,
        scratch: &mut String,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Some(bytes) = self.elements.value()? else {
            out.extend_from_slice(b"NULL");
            return Ok(());
        };
        match element {
            Element::Text => push_quoted(bytes, out),
            Element::Jsonb => push_quoted(unversioned(bytes)?, out),
            Element::Native(native) => {
                scratch.clear();
                native.push(bytes, scratch)?;
                push_quoted(scratch.as_bytes(), out);
            }
        }
        Ok(())
    }
}

/// Appends an element, in quotes where it could be taken for something else.
fn push_quoted(text: &[u8], out: &mut Vec<u8>) {
    // What the server counts as space; it does not ask for the locale here.
    let is_special = |byte: &u8| {
        matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
    };
    if !text.is_empty() && !text.eq_ignore_ascii_case(b"null") && !text.iter().any(is_special) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array of smallint.
    fn array(dimensions: &[(i32, i32)], elements: &[Option<i16>]) -> Vec<u8> {
        let depth = i32::try_from(dimensions.len()).unwrap();
        let mut bytes: Vec<u8> = [depth, 1, 21].iter().flat_map(|number| number.to_be_bytes()).collect();
        bytes.extend(
            dimensions.iter().flat_map(|(count, first)| [count.to_be_bytes(), first.to_be_bytes()].concat()),
        );
        for element in elements {
            match element {
                Some(element) => {
                    bytes.extend([&2_i32.to_be_bytes()[..], &element.to_be_bytes()[..]].concat())
                }
                None => bytes.extend((-1_i32).to_be_bytes()),
            }
        }
        bytes
    }

    fn text(bytes: &[u8]) -> Result<String, Error> {
        let text = Array::parse(bytes)?.text(Element::Native(Native::Int2), bytes.len())?;
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn an_array_is_printed_with_its_dimensions() {
        let elements = [Some(1), None, Some(-3), Some(4)];
        for (dimensions, printed, is_list) in [
            (&[(4, 1)][..], "{1,NULL,-3,4}", true),
            (&[(4, 0)], "[0:3]={1,NULL,-3,4}", false),
            (&[(2, 1), (2, 1)], "{{1,NULL},{-3,4}}", false),
            (&[(2, 1), (2, -1)], "[1:2][-1:0]={{1,NULL},{-3,4}}", false),
            (&[(1, 1), (4, 1), (1, 1)], "{{{1},{NULL},{-3},{4}}}", false),
        ] {
            let bytes = array(dimensions, &elements);
            assert_eq!(text(&bytes).unwrap(), printed);
            assert_eq!(Array::parse(&bytes).unwrap().is_list(), is_list);
        }
        assert_eq!(text(&array(&[], &[])).unwrap(), "{}");
    }

    #[test]
    fn malformed_arrays_are_refused() {
        let whole = array(&[(2, 1), (1, 1)], &[Some(1), None]);
        for length in 0..whole.len() {
            assert!(text(&whole[..length]).is_err(), "{length} bytes");
        }
        for wrong in [
            [whole.clone(), vec![0]].concat(),
            array(&[(1, 1); 7], &[Some(1)]),
            array(&[(0, 1)], &[]),
            array(&[(-1, 1)], &[]),
            array(&[(1, 1), (0, 1)], &[]),
            array(&[(i32::MAX, 1); 6], &[Some(1)]),
            array(&[(3, 1)], &[Some(1), Some(2)]),
        ] {
            assert!(text(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn elements_are_quoted_as_the_server_does() {
        for (element, printed) in [
            ("a", "a"),
            ("", "\"\""),
            ("null", "\"null\""),
            ("nullx", "nullx"),
            ("a b", "\"a b\""),
            ("\u{b}", "\"\u{b}\""),
            ("a\"\\b", "\"a\\\"\\\\b\""),
            ("größe", "größe"),
        ] {
            let mut out = Vec::new();
            push_quoted(element.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), printed);
        }
    }
}
