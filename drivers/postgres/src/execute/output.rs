//! Where a statement's results go: nowhere yet, into the columns that were described, or into the one of a COPY.

use querybox_plugin::{Done, Error, ExecuteError, Rows, Statement, pb};

use crate::{
    connection::out_of_order,
    copy::{self, Pieces},
    decode::{self, Decoder, Encoding},
};

pub(super) enum Output<'a> {
    /// Without rows, so far.
    Waiting(Statement<'a>),
    /// A COPY that wants data, which it does not get.
    Refusing(Statement<'a>),
    Rows {
        rows: Rows<'a>,
        decoders: Vec<Decoder>,
    },
    Copy {
        rows: Rows<'a>,
        pieces: Pieces,
    },
}

/// What became of a row, or of a piece of a COPY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Held,
    /// Held, and the batch is to be flushed.
    Due,
    /// A limit was reached before, and it was dropped.
    Unwanted,
}

impl<'a> Output<'a> {
    /// Tells a row of the result.
    #[inline]
    pub(super) fn row(&mut self, body: &[u8], encoding: Encoding) -> Result<Taken, Error> {
        let Self::Rows { rows, decoders } = self else { return Err(out_of_order()) };
        if !rows.begin_row() {
            return Ok(Taken::Unwanted);
        }
        decode::row(body, decoders, encoding, rows)?;
        Ok(if rows.end_row() { Taken::Due } else { Taken::Held })
    }

    /// Begins the rows of a COPY that sends data.
    pub(super) async fn copy(self, pieces: Pieces) -> Result<Self, ExecuteError> {
        let Self::Waiting(statement) = self else { return Err(out_of_order().into()) };
        Ok(Self::Copy { rows: statement.rows(&[pieces.column()]).await?, pieces })
    }

    /// Tells a piece of what a COPY sends.
    pub(super) fn piece(&mut self, piece: &[u8], encoding: Encoding) -> Result<Taken, Error> {
        let Self::Copy { rows, pieces } = self else { return Err(out_of_order()) };
        if !rows.begin_row() {
            return Ok(Taken::Unwanted);
        }
        pieces.tell(piece, encoding, rows);
        Ok(if rows.end_row() { Taken::Due } else { Taken::Held })
    }

    /// Remembers that data was asked for, so that the server's refusal is told as what it is.
    pub(super) fn refuse_input(self) -> Result<Self, Error> {
        match self {
            Self::Waiting(statement) => Ok(Self::Refusing(statement)),
            Self::Refusing(_) | Self::Rows { .. } | Self::Copy { .. } => Err(out_of_order()),
        }
    }

    pub(super) fn returns_rows(&self) -> bool {
        match self {
            Self::Rows { .. } | Self::Copy { .. } => true,
            Self::Waiting(_) | Self::Refusing(_) => false,
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), ExecuteError> {
        match self {
            Self::Rows { rows, .. } | Self::Copy { rows, .. } => rows.flush().await,
            Self::Waiting(_) | Self::Refusing(_) => Ok(()),
        }
    }

    pub(super) async fn notice(&mut self, notice: pb::Notice) -> Result<(), ExecuteError> {
        match self {
            Self::Rows { rows, .. } | Self::Copy { rows, .. } => rows.notice(notice).await,
            Self::Waiting(statement) | Self::Refusing(statement) => statement.notice(notice).await,
        }
    }

    pub(super) async fn done(self, done: Done) -> Result<(), ExecuteError> {
        match self {
            Self::Rows { rows, .. } | Self::Copy { rows, .. } => rows.finish(done).await,
            Self::Waiting(statement) | Self::Refusing(statement) => statement.done(done).await,
        }
    }

    pub(super) async fn rejected(self, rejection: pb::Rejection) -> Result<(), ExecuteError> {
        match self {
            Self::Rows { rows, .. } | Self::Copy { rows, .. } => rows.rejected(rejection).await,
            Self::Waiting(statement) => statement.rejected(rejection).await,
            Self::Refusing(statement) => statement.rejected(copy::input_refused(rejection)).await,
        }
    }
}
