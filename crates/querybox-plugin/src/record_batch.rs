//! A record batch as Arrow's IPC has it: a message that describes the buffers, and a body of them.

use arrow_ipc::{Buffer, FieldNode, MessageBuilder, MessageHeader, MetadataVersion, RecordBatchBuilder};
use bytes::Bytes;
use flatbuffers::FlatBufferBuilder;

use crate::builder::Builder;

/// Buffers begin at multiples of this in the body: decimals need it, and 64 would swell small batches.
const ALIGNMENT_BYTES: usize = 16;

/// What is encoded with, kept from batch to batch.
#[derive(Default)]
pub(crate) struct Encoder {
    message: FlatBufferBuilder<'static>,
    nodes: Vec<FieldNode>,
    buffers: Vec<Buffer>,
}

impl Encoder {
    /// The message, bare, and the body of a batch of so many rows.
    pub(crate) fn encode(&mut self, columns: &[Builder], rows: u32) -> (Bytes, Bytes) {
        let rows = i64::from(rows);
        let arrays = || columns.iter().flat_map(Builder::arrays);
        let lengths = arrays().flat_map(|array| array.buffers().map(<[u8]>::len));
        let body_bytes = lengths.map(|length| length.next_multiple_of(ALIGNMENT_BYTES)).sum();
        let mut body = Vec::with_capacity(body_bytes);
        self.nodes.clear();
        self.buffers.clear();
        for array in arrays() {
            self.nodes.push(FieldNode::new(number(array.slot_count()), number(array.null_count())));
            for buffer in array.buffers() {
                self.buffers.push(Buffer::new(number(body.len()), number(buffer.len())));
                body.extend_from_slice(buffer);
                body.resize(body.len().next_multiple_of(ALIGNMENT_BYTES), 0);
            }
        }

        let message = &mut self.message;
        message.reset();
        let buffers = message.create_vector(&self.buffers);
        let nodes = message.create_vector(&self.nodes);
        let mut batch = RecordBatchBuilder::new(message);
        batch.add_length(rows);
        batch.add_nodes(nodes);
        batch.add_buffers(buffers);
        let batch = batch.finish().as_union_value();
        let mut root = MessageBuilder::new(message);
        root.add_version(MetadataVersion::V5);
        root.add_header_type(MessageHeader::RecordBatch);
        root.add_bodyLength(number(body.len()));
        root.add_header(batch);
        let root = root.finish();
        message.finish(root, None);
        (Bytes::copy_from_slice(message.finished_data()), body.into())
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).expect("what is in memory is far below 8 EiB")
}
