//! One column of the batch that is being filled: the buffers that Arrow has for it, as they are sent.
//!
//! They are the SDK's own and not those of arrow-array's builders, which give their memory away with each batch and would
//! grow anew in the next one.

use crate::ColumnKind;

/// The buffers of one column. Appending another type's value is a mistake of the driver and panics.
pub(crate) struct Builder {
    form: Form,
    slots: usize,
    nulls: usize,
    /// A bit a slot, the lowest of a byte first; 1 where a value is. Empty before the first null.
    validity: Vec<u8>,
    /// Where the values of a varying width end, behind a first 0. Else empty.
    offsets: Vec<u8>,
    values: Vec<u8>,
    /// What the lists of a list column hold, one behind another.
    elements: Option<Box<Builder>>,
}

/// Where a builder stood, to go back there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    slots: usize,
    nulls: usize,
}

/// How values lie in their buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Bits,
    Int16,
    Int32,
    Int64,
    UInt32,
    UInt64,
    Float32,
    Float64,
    Decimal,
    Uuid,
    Bytes,
    Text,
    List,
}

impl Form {
    fn of(kind: &ColumnKind) -> Self {
        match kind {
            ColumnKind::BoolTF | ColumnKind::Bool10 => Self::Bits,
            ColumnKind::Int16 => Self::Int16,
            ColumnKind::Int32 | ColumnKind::Date => Self::Int32,
            ColumnKind::Int64 | ColumnKind::Timestamp | ColumnKind::TimestampUtc | ColumnKind::Time => {
                Self::Int64
            }
            ColumnKind::UInt32 => Self::UInt32,
            ColumnKind::UInt64 => Self::UInt64,
            ColumnKind::Float32 => Self::Float32,
            ColumnKind::Float64 | ColumnKind::Float64Point => Self::Float64,
            ColumnKind::Decimal { .. } => Self::Decimal,
            ColumnKind::Uuid => Self::Uuid,
            ColumnKind::Bytes => Self::Bytes,
            ColumnKind::Text(_) => Self::Text,
            ColumnKind::List(_) => Self::List,
        }
    }

    /// Whether each value has an end of its own.
    fn has_offsets(self) -> bool {
        matches!(self, Self::Bytes | Self::Text | Self::List)
    }

    /// Bytes of a value that is not there.
    fn width(self) -> usize {
        match self {
            Self::Bits | Self::Bytes | Self::Text | Self::List => 0,
            Self::Int16 => 2,
            Self::Int32 | Self::UInt32 | Self::Float32 => 4,
            Self::Int64 | Self::UInt64 | Self::Float64 => 8,
            Self::Decimal | Self::Uuid => 16,
        }
    }
}

/// A buffer that was larger than this is given back: one huge cell must not be paid for ever after.
const KEPT_BYTES_MAX: usize = 512 * 1024;

impl Builder {
    pub(crate) fn new(kind: &ColumnKind) -> Self {
        let elements = match kind {
            ColumnKind::List(element) => {
                assert!(!matches!(**element, ColumnKind::List(_)), "a list has one dimension");
                Some(Box::new(Self::new(element)))
            }
            _ => None,
        };
        let mut builder = Self {
            form: Form::of(kind),
            slots: 0,
            nulls: 0,
            validity: Vec::new(),
            offsets: Vec::new(),
            values: Vec::new(),
            elements,
        };
        builder.clear();
        builder
    }

    /// Forgets the values, and keeps the memory for the next ones.
    pub(crate) fn clear(&mut self) {
        self.slots = 0;
        self.nulls = 0;
        self.validity.clear();
        self.offsets.clear();
        self.values.clear();
        self.values.shrink_to(KEPT_BYTES_MAX);
        if self.form.has_offsets() {
            self.offsets.extend_from_slice(&0_i32.to_le_bytes());
        }
        if let Some(elements) = &mut self.elements {
            elements.clear();
        }
    }

    pub(crate) fn slot_count(&self) -> usize {
        self.slots
    }

    pub(crate) fn null_count(&self) -> usize {
        self.nulls
    }

    /// This and, behind it, what its lists hold, in Arrow's order.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = &Self> {
        [Some(self), self.elements.as_deref()].into_iter().flatten()
    }

    /// The buffers, in Arrow's order, without those of elements.
    pub(crate) fn buffers(&self) -> impl Iterator<Item = &[u8]> {
        let offsets = self.form.has_offsets().then_some(self.offsets.as_slice());
        let values = (self.form != Form::List).then_some(self.values.as_slice());
        [Some(self.validity.as_slice()), offsets, values].into_iter().flatten()
    }

    /// What the lists of a list column hold. It is a mistake to ask another column.
    #[inline]
    pub(crate) fn elements(&mut self) -> &mut Self {
        self.elements.as_mut().expect("a list belongs into a list column")
    }

    /// Ends a list: it holds the elements that came since the last slot.
    #[inline]
    pub(crate) fn end_list(&mut self) {
        self.push_offset();
        self.valid();
    }

    /// Bytes of so many values without those of a varying width.
    pub(crate) fn fixed_bytes(&self, count: usize) -> usize {
        count.saturating_mul(if self.form.has_offsets() {
            size_of::<i32>()
        } else {
            self.form.width().max(1)
        })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { slots: self.slots, nulls: self.nulls }
    }

    /// Forgets the values since the mark.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        let Mark { slots, nulls } = mark;
        if nulls == 0 {
            self.validity.clear();
        } else {
            truncate_bits(&mut self.validity, slots);
        }
        match self.form {
            Form::Bits => truncate_bits(&mut self.values, slots),
            Form::Bytes | Form::Text | Form::List => {
                self.offsets.truncate((slots + 1) * size_of::<i32>());
                let end = self.offsets.last_chunk().map_or(0, |end| i32::from_le_bytes(*end));
                self.values.truncate(usize::try_from(end).expect("ends are not negative"));
            }
            form => self.values.truncate(slots * form.width()),
        }
        (self.slots, self.nulls) = (slots, nulls);
    }

    pub(crate) fn null(&mut self) {
        if self.nulls == 0 {
            self.validity.resize(self.slots / 8, 0xff);
            if !self.slots.is_multiple_of(8) {
                self.validity.push(0xff >> (8 - self.slots % 8));
            }
        }
        push_bit(&mut self.validity, self.slots, false);
        self.nulls += 1;
        match self.form {
            Form::Bits => push_bit(&mut self.values, self.slots, false),
            Form::Bytes | Form::Text | Form::List => self.push_offset(),
            form => self.values.resize(self.values.len() + form.width(), 0),
        }
        self.slots += 1;
    }

    #[inline]
    pub(crate) fn bool(&mut self, value: bool) {
        assert_eq!(self.form, Form::Bits, "a bool belongs into a bool column");
        push_bit(&mut self.values, self.slots, value);
        self.valid();
    }

    #[inline]
    pub(crate) fn int(&mut self, value: i64) {
        let fits = "the value fits the column's type";
        match self.form {
            Form::Int64 => self.fixed(value.to_le_bytes()),
            Form::Int32 => self.fixed(i32::try_from(value).expect(fits).to_le_bytes()),
            Form::Int16 => self.fixed(i16::try_from(value).expect(fits).to_le_bytes()),
            Form::UInt32 => self.fixed(u32::try_from(value).expect(fits).to_le_bytes()),
            Form::UInt64 => self.fixed(u64::try_from(value).expect(fits).to_le_bytes()),
            _ => panic!("an integer belongs into an integer, date or time column"),
        }
    }

    pub(crate) fn uint(&mut self, value: u64) {
        assert_eq!(self.form, Form::UInt64, "an unsigned integer of 64 bits belongs into such a column");
        self.fixed(value.to_le_bytes());
    }

    #[inline]
    pub(crate) fn float(&mut self, value: f64) {
        assert_eq!(self.form, Form::Float64, "a double belongs into a double column");
        self.fixed(value.to_le_bytes());
    }

    #[inline]
    pub(crate) fn float32(&mut self, value: f32) {
        assert_eq!(self.form, Form::Float32, "a float belongs into a float column");
        self.fixed(value.to_le_bytes());
    }

    #[inline]
    pub(crate) fn decimal(&mut self, unscaled: i128) {
        assert_eq!(self.form, Form::Decimal, "a decimal belongs into a decimal column");
        self.fixed(unscaled.to_le_bytes());
    }

    #[inline]
    pub(crate) fn uuid(&mut self, value: [u8; 16]) {
        assert_eq!(self.form, Form::Uuid, "a UUID belongs into a UUID column");
        self.fixed(value);
    }

    #[inline]
    pub(crate) fn text(&mut self, value: &str) {
        assert_eq!(self.form, Form::Text, "text belongs into a text column");
        self.varying(value.as_bytes());
    }

    #[inline]
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        assert_eq!(self.form, Form::Bytes, "bytes belong into a bytes column");
        self.varying(value);
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, value: [u8; N]) {
        self.values.extend_from_slice(&value);
        self.valid();
    }

    #[inline]
    fn varying(&mut self, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.push_offset();
        self.valid();
    }

    #[inline]
    fn push_offset(&mut self) {
        let end = self.elements.as_ref().map_or(self.values.len(), |elements| elements.slots);
        let end = i32::try_from(end).expect("a batch is cut long before 2 GiB");
        self.offsets.extend_from_slice(&end.to_le_bytes());
    }

    /// Ends a slot that has a value.
    #[inline]
    fn valid(&mut self) {
        if self.nulls > 0 {
            push_bit(&mut self.validity, self.slots, true);
        }
        self.slots += 1;
    }
}

#[inline]
fn push_bit(bits: &mut Vec<u8>, slot: usize, bit: bool) {
    if slot.is_multiple_of(8) {
        bits.push(u8::from(bit));
    } else if let Some(last) = bits.last_mut() {
        *last |= u8::from(bit) << (slot % 8);
    }
}

/// Leaves the first bits, and none behind them.
fn truncate_bits(bits: &mut Vec<u8>, slots: usize) {
    bits.truncate(slots.div_ceil(8));
    if let Some(last) = bits.last_mut()
        && !slots.is_multiple_of(8)
    {
        *last &= 0xff >> (8 - slots % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TextKind;

    fn buffers(builder: &Builder) -> Vec<Vec<u8>> {
        builder.buffers().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn there_is_no_validity_before_the_first_null_and_a_bit_for_each_slot_afterwards() {
        for slots_before in [0, 1, 7, 8, 9, 16] {
            let mut builder = Builder::new(&ColumnKind::Int16);
            (0..slots_before).for_each(|_| builder.int(7));
            assert_eq!(buffers(&builder)[0], [0; 0]);
            builder.null();
            builder.int(7);
            let bits = &buffers(&builder)[0];
            let bit = |slot: usize| bits[slot / 8] >> (slot % 8) & 1;
            let expected: Vec<u8> =
                (0..slots_before + 2).map(|slot| u8::from(slot != slots_before)).collect();
            assert_eq!((0..slots_before + 2).map(bit).collect::<Vec<_>>(), expected, "{slots_before}");
            assert_eq!(bits.len(), (slots_before + 2).div_ceil(8));
            assert_eq!((builder.null_count(), builder.slots), (1, slots_before + 2));
        }
    }

    #[test]
    fn bools_lie_in_bits_with_nulls_between() {
        let mut builder = Builder::new(&ColumnKind::BoolTF);
        for value in [Some(true), None, Some(true), Some(false), None, None, None, Some(true), Some(true)] {
            match value {
                Some(value) => builder.bool(value),
                None => builder.null(),
            }
        }
        assert_eq!(buffers(&builder), [vec![0b1000_1101, 1], vec![0b1000_0101, 1]]);
    }

    #[test]
    fn texts_lie_behind_one_another_and_a_null_has_no_bytes() {
        let mut builder = Builder::new(&ColumnKind::Text(TextKind::Text));
        builder.text("ab");
        builder.null();
        builder.text("c");
        let offsets: Vec<u8> = [0_i32, 2, 2, 3].iter().flat_map(|end| end.to_le_bytes()).collect();
        assert_eq!(buffers(&builder), [vec![0b101], offsets, b"abc".to_vec()]);
    }

    #[test]
    fn a_cleared_column_begins_anew_and_gives_a_huge_buffer_back() {
        let mut builder = Builder::new(&ColumnKind::Bytes);
        builder.null();
        builder.bytes(&vec![7; 4 * KEPT_BYTES_MAX]);
        builder.clear();
        assert!(builder.values.capacity() <= KEPT_BYTES_MAX);
        builder.bytes(b"x");
        assert_eq!(buffers(&builder), [vec![], vec![0, 0, 0, 0, 1, 0, 0, 0], b"x".to_vec()]);
    }

    #[test]
    fn lists_hold_what_came_before_their_ends() {
        let mut builder = Builder::new(&ColumnKind::List(Box::new(ColumnKind::Int16)));
        builder.elements().int(1);
        builder.elements().null();
        builder.end_list();
        builder.null();
        builder.end_list();
        builder.elements().int(2);
        builder.end_list();
        let ends: Vec<u8> = [0_i32, 2, 2, 2, 3].iter().flat_map(|end| end.to_le_bytes()).collect();
        assert_eq!(buffers(&builder), [vec![0b1101], ends]);
        let [_, elements] = builder.arrays().collect::<Vec<_>>()[..] else { panic!("a list has elements") };
        assert_eq!(buffers(elements), [vec![0b101], vec![1, 0, 0, 0, 2, 0]]);
        assert_eq!((elements.slot_count(), elements.null_count()), (3, 1));
    }

    #[test]
    fn values_since_a_mark_are_forgotten() {
        type Put = fn(&mut Builder, usize);
        let kinds: [(ColumnKind, Put); 4] = [
            (ColumnKind::BoolTF, |builder, value| builder.bool(value.is_multiple_of(3))),
            (ColumnKind::Int32, |builder, value| builder.int(i64::try_from(value).unwrap())),
            (ColumnKind::Text(TextKind::Text), |builder, value| builder.text(&value.to_string())),
            (ColumnKind::Uuid, |builder, value| builder.uuid([u8::try_from(value).unwrap(); 16])),
        ];
        for (kind, put) in kinds {
            for kept in 0..20 {
                for nulls_from in [0, 5, kept, kept + 3, 100] {
                    let fill = |builder: &mut Builder, values: std::ops::Range<usize>| {
                        values.for_each(|value| match value >= nulls_from && value % 2 == 0 {
                            true => builder.null(),
                            false => put(builder, value),
                        });
                    };
                    let [mut straight, mut back] = [Builder::new(&kind), Builder::new(&kind)];
                    fill(&mut straight, 0..kept);
                    fill(&mut straight, 50..60);
                    fill(&mut back, 0..kept);
                    let mark = back.mark();
                    fill(&mut back, kept..kept + 13);
                    back.back_to(mark);
                    fill(&mut back, 50..60);
                    assert_eq!(buffers(&back), buffers(&straight), "{kind:?} {kept} {nulls_from}");
                    assert_eq!((back.nulls, back.slots), (straight.nulls, straight.slots));
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "an integer belongs into an integer, date or time column")]
    fn a_value_of_another_type_is_a_mistake() {
        Builder::new(&ColumnKind::Float64).int(1);
    }
}
