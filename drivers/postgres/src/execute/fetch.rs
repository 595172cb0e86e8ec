//! How many rows are asked for at once.

/// A portal that is asked for a few rows at a time can be closed early without harm to the transaction; but the server
/// runs no parallel plan for it, so that everything is asked for at once where no limit is set.
#[derive(Debug)]
pub(super) struct Fetch {
    plan: Plan,
    /// Bytes of the rows that came since the last request.
    bytes: usize,
}

#[derive(Debug)]
enum Plan {
    Everything,
    /// So many rows end at the limit.
    Exactly(u64),
    /// The limit counts bytes, and how many rows those are shows as they come.
    Probing {
        rows: u32,
        /// Rows that may be asked for yet, by a limit that counts them.
        rows_left: u64,
    },
}

const PROBE_ROWS_FIRST: u32 = 256;
const PROBE_ROWS_MAX: u32 = 64 * 1024;
const PROBE_BYTES_MIN: usize = 512 * 1024;
const PROBE_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Fetch {
    pub(super) fn everything() -> Self {
        Self { plan: Plan::Everything, bytes: 0 }
    }

    /// For a statement that ends at one of these limits.
    pub(super) fn new(rows_max: Option<u64>, bytes_max: Option<u64>) -> Self {
        // One row more than may be told shows whether there was one.
        let rows_max = rows_max.map(|max| max.saturating_add(1));
        let plan = match (rows_max, bytes_max) {
            (None, None) => Plan::Everything,
            (Some(rows), None) => Plan::Exactly(rows),
            (rows_max, Some(_)) => {
                Plan::Probing { rows: PROBE_ROWS_FIRST, rows_left: rows_max.unwrap_or(u64::MAX) }
            }
        };
        Self { plan, bytes: 0 }
    }

    pub(super) fn is_everything(&self) -> bool {
        matches!(self.plan, Plan::Everything)
    }

    /// The number for the protocol's Execute; 0 is all.
    pub(super) fn rows_at_once(&self) -> i32 {
        let rows = match self.plan {
            Plan::Everything => 0,
            Plan::Exactly(rows) => rows,
            Plan::Probing { rows, rows_left } => rows_left.min(rows.into()),
        };
        i32::try_from(rows).unwrap_or(i32::MAX)
    }

    /// Counts a row that came.
    pub(super) fn count(&mut self, row_bytes: usize) {
        self.bytes += row_bytes;
    }

    /// Makes ready for the next request, larger or smaller as the rows of the last one were, which all came.
    pub(super) fn next(&mut self) {
        if let Plan::Probing { rows, rows_left } = &mut self.plan {
            // At least one: only a further row shows that a limit was passed, and not just reached.
            *rows_left = rows_left.saturating_sub((*rows).into()).max(1);
            if self.bytes < PROBE_BYTES_MIN {
                *rows = (*rows * 2).min(PROBE_ROWS_MAX);
            } else if self.bytes > PROBE_BYTES_MAX {
                *rows = (*rows / 4).max(1);
            }
        }
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_more_than_the_limit_is_asked_for() {
        assert_eq!(Fetch::new(Some(10), None).rows_at_once(), 11);
        assert_eq!(Fetch::new(Some(u64::MAX), None).rows_at_once(), i32::MAX);
        assert_eq!(Fetch::new(Some(10), Some(1)).rows_at_once(), 11);
        assert_eq!(Fetch::new(None, None).rows_at_once(), 0);
    }

    #[test]
    fn a_request_that_ends_at_the_limit_is_followed_by_one_for_a_single_row() {
        let mut fetch = Fetch::new(Some(256 + 512), Some(1));
        let asked = [256, 512, 1, 1].map(|rows| {
            assert_eq!(fetch.rows_at_once(), rows);
            fetch.next();
        });
        assert_eq!(asked.len(), 4);
    }

    #[test]
    fn requests_follow_the_size_of_rows() {
        let mut fetch = Fetch::new(None, Some(1));
        fetch.next();
        assert_eq!(fetch.rows_at_once(), 512);
        fetch.count(5 * 1024 * 1024);
        fetch.next();
        assert_eq!(fetch.rows_at_once(), 128);
        for _ in 0..10 {
            fetch.count(usize::MAX / 2);
            fetch.next();
        }
        assert_eq!(fetch.rows_at_once(), 1);
    }
}
