//! Floating point: PostgreSQL's text, and digits that read back.

use arrow_array::{Float32Array, Float64Array};
use proptest::prelude::*;
use querybox_results::Display;

use crate::ipc::texts;

/// Bits in hexadecimal (8 digits: single precision) and the text of PostgreSQL 15, one value a line: powers of two and
/// ten and their neighbors, decimals on the midpoint between two values, ties, the least and the largest.
const POSTGRES: &str = include_str!("floats/postgres.txt");

#[test]
fn every_text_is_that_of_postgres() {
    let lines = POSTGRES.lines().map(|line| line.split_once(' ').unwrap());
    let (single, double): (Vec<_>, Vec<_>) = lines.partition(|(bits, _)| bits.len() == 8);
    let values = single.iter().map(|(bits, _)| f32::from_bits(u32::from_str_radix(bits, 16).unwrap()));
    let ours = texts(Display::FloatPg, values.collect::<Float32Array>());
    let theirs = single.iter().zip(ours);
    assert_eq!(theirs.filter(|((_, text), ours)| text != ours).take(20).collect::<Vec<_>>(), []);
    let values = double.iter().map(|(bits, _)| f64::from_bits(u64::from_str_radix(bits, 16).unwrap()));
    let ours = texts(Display::FloatPg, values.collect::<Float64Array>());
    let theirs = double.iter().zip(ours);
    assert_eq!(theirs.filter(|((_, text), ours)| text != ours).take(20).collect::<Vec<_>>(), []);
    assert!(single.len() > 100 && double.len() > 100);
}

#[test]
fn a_point_or_an_exponent_marks_a_float() {
    let values = [1.0, -0.0, 0.1, 100.0, 1e15, 1e-5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    assert_eq!(
        texts(Display::FloatPoint, Float64Array::from(values.to_vec())),
        ["1.0", "-0.0", "0.1", "100.0", "1e+15", "1e-05", "Infinity", "-Infinity", "NaN"]
    );
}

proptest! {
    #[test]
    fn double_precision_reads_back_to_the_same_bits(bits: u64) {
        let value = f64::from_bits(bits);
        let text = texts(Display::FloatPg, Float64Array::from(vec![value])).remove(0);
        let read: f64 = text.parse().unwrap();
        prop_assert!(read.to_bits() == bits || (read.is_nan() && value.is_nan()), "{text}");
    }

    #[test]
    fn single_precision_reads_back_to_the_same_bits(bits: u32) {
        let value = f32::from_bits(bits);
        let text = texts(Display::FloatPoint, Float32Array::from(vec![value])).remove(0);
        let read: f32 = text.parse().unwrap();
        prop_assert!(read.to_bits() == bits || (read.is_nan() && value.is_nan()), "{text}");
        prop_assert!(!value.is_finite() || text.contains(['.', 'e']), "{text}");
    }
}
