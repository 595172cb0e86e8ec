//! Sorted runs made one.

use std::{cmp::Reverse, collections::BinaryHeap};

use arrow_array::cast::AsArray;

use crate::{
    Rows,
    spool::SpoolWriter,
    view::{
        Scan, Scanned, ViewError, Work,
        gather::Gatherer,
        sort::{NUMBER_BYTES, Repeated},
    },
};

/// What the runs become.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Another run: each row with its key.
    Run,
    /// The view, which is the last thing of the work.
    View,
}

/// Where in a run the merge is.
struct Cursor<'r> {
    scan: Scan<'r>,
    current: Option<Scanned>,
    row: usize,
    /// What the gatherer calls the current batch, and since when.
    source: Option<(u64, usize)>,
}

/// Merges runs of rows with this shape.
pub(super) fn merge(
    rows: &Rows,
    runs: &[Rows],
    repeated: Repeated,
    output: Output,
    work: &mut Work<'_>,
) -> Result<Rows, ViewError> {
    let key_column = rows.columns().len();
    let budget = rows.spool().budget();
    let mut gatherer = match output {
        Output::Run => Gatherer::new(rows.shape().with_key(), SpoolWriter::for_work(budget)),
        Output::View => Gatherer::new(rows.shape().clone(), SpoolWriter::new(budget)),
    };
    let of_runs: u64 = runs.iter().map(Rows::row_count).sum();
    let mut merged = 0;
    let mut last_key = Vec::new();

    let mut cursors: Vec<Cursor<'_>> = runs.iter().map(Cursor::new).collect();
    let mut heap = BinaryHeap::new();
    for (run, cursor) in cursors.iter_mut().enumerate() {
        if cursor.load()? {
            heap.push(Reverse((cursor.key(key_column).to_vec(), run)));
        }
    }
    while let Some(Reverse((mut key, run))) = heap.pop() {
        let cursor = &mut cursors[run];
        if repeated == Repeated::Stay || !is_repeated(&last_key, &key) {
            let source = cursor.source(&mut gatherer);
            match output {
                Output::Run => gatherer.push_with_key(source, cursor.row, &key)?,
                Output::View => gatherer.push(source, cursor.row)?,
            }
            last_key.clone_from(&key);
        }
        cursor.row += 1;
        merged += 1;
        if cursor.is_through() {
            work.check_canceled()?;
            if gatherer.is_full() {
                gatherer.flush()?;
            }
            if output == Output::View {
                work.tell(of_runs + merged, 2 * of_runs);
            }
            if !cursor.load()? {
                continue;
            }
        }
        key.clear();
        key.extend_from_slice(cursor.key(key_column));
        heap.push(Reverse((key, run)));
    }
    gatherer.end()
}

/// Whether only the rows' numbers tell two keys apart.
fn is_repeated(last: &[u8], key: &[u8]) -> bool {
    last.len() == key.len() && last[..last.len() - NUMBER_BYTES] == key[..key.len() - NUMBER_BYTES]
}

impl<'r> Cursor<'r> {
    fn new(run: &'r Rows) -> Cursor<'r> {
        Cursor { scan: Scan::new(run), current: None, row: 0, source: None }
    }

    /// Goes to the next batch. False: there is none.
    fn load(&mut self) -> Result<bool, ViewError> {
        self.current = self.scan.next()?;
        self.row = 0;
        self.source = None;
        Ok(self.current.is_some())
    }

    fn is_through(&self) -> bool {
        self.row == self.current().batch.row_count()
    }

    fn key(&self, key_column: usize) -> &[u8] {
        self.current().batch.arrays().column(key_column).as_binary::<i32>().value(self.row)
    }

    fn source(&mut self, gatherer: &mut Gatherer) -> usize {
        let generation = gatherer.generation();
        if let Some((since, source)) = self.source
            && since == generation
        {
            return source;
        }
        let current = self.current();
        let source = gatherer.add_source(&current.batch, current.bytes);
        self.source = Some((generation, source));
        source
    }

    fn current(&self) -> &Scanned {
        self.current.as_ref().expect("a run in the heap has a row")
    }
}
