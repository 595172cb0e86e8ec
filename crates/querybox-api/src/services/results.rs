//! Results that are kept.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, stream::try_unfold};
use querybox_contracts::core::v1::{self as pb, export_order::Format};
use querybox_core::{
    CellAsk, CellPart, Core, DownloadAsk, Place, ResultError, ResultFacts, RowsAsk, SessionId,
    StatementFacts, local_user,
};
use querybox_results::ExportFormat;
use tonic::{Request, Response, Status};

use crate::{
    convert::{
        InvalidField, cell_bytes, download_message, export_message, facts_message, file_name, front_end,
        read_export_format, result_id, row_count, rows_message, run_request, state_of_cell,
        statistics_message, summary_message, view_ask, view_message,
    },
    status::Refused,
};

/// Columns of a window; some databases have tens of thousands.
const COLUMNS_MAX: usize = 65_536;
/// A piece of a cell.
const PIECE_BYTES: usize = 256 << 10;
/// Text of a cell that is read at once. That of a list is written anew each time that a part of it is read.
const PART_BYTES: u64 = 8 << 20;

pub(crate) struct Results {
    core: Arc<Core>,
}

impl Results {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Whether the session of a result goes on after it: one of its own never does.
    fn session_open(&self, id: SessionId, session: SessionId) -> bool {
        id != session && self.core.lease_end(session).is_none()
    }

    fn message(&self, facts: ResultFacts) -> pb::Result {
        let session_open = self.session_open(facts.summary.id, facts.summary.session);
        facts_message(facts, session_open)
    }

    /// How an export is to be written: what is the driver's to say, it says.
    async fn export_format(&self, id: SessionId, format: Option<Format>) -> Result<ExportFormat, Refused> {
        let format = format.ok_or_else(|| InvalidField::missing("order.format"))?;
        let driver = match format {
            Format::SqlInsert(_) => self.core.driver_of_result(&local_user(), id).await?,
            _ => None,
        };
        let dialect = driver.and_then(|driver| driver.wire.dialect.clone()).unwrap_or_default();
        Ok(read_export_format(format, &dialect)?)
    }

    /// The first rows of a statement, when some can be read. When they cannot, who asks for them is told why; what this answer is of
    /// was done, and must not look as if it were not.
    async fn page(&self, id: SessionId, place: Place, (count, cell_bytes): (u32, usize)) -> Option<pb::Rows> {
        let ask = RowsAsk { place, first: 0, count, columns: Vec::new(), cell_bytes };
        self.core.read_rows(&local_user(), id, ask).await.ok().map(|read| rows_message(&read))
    }
}

#[tonic::async_trait]
impl pb::result_service_server::ResultService for Results {
    async fn run(&self, request: Request<pb::RunRequest>) -> Result<Response<pb::RunResponse>, Status> {
        let request = request.into_inner();
        let page = page_options(request.page)?;
        let request = run_request(request)?;
        let id = request.id;
        let facts = self.core.run(request).await.map_err(Refused::from)?;
        let with_rows = |statement: &&StatementFacts| statement.rows.is_some();
        let page_statement = facts.statements.iter().find(with_rows).map(|statement| statement.number);
        let rows = match (page, page_statement) {
            (Some(page), Some(statement)) => self.page(id, Place { statement, view: 0 }, page).await,
            _ => None,
        };
        Ok(Response::new(pb::RunResponse {
            result: Some(self.message(facts)),
            page: rows,
            page_statement: page_statement.unwrap_or(0),
        }))
    }

    async fn list_results(
        &self,
        _request: Request<pb::ListResultsRequest>,
    ) -> Result<Response<pb::ListResultsResponse>, Status> {
        let results = self.core.results(&local_user()).into_iter().map(|summary| {
            let session_open = self.session_open(summary.id, summary.session);
            summary_message(summary, session_open)
        });
        Ok(Response::new(pb::ListResultsResponse { results: results.collect() }))
    }

    async fn attach_result(
        &self,
        request: Request<pb::AttachResultRequest>,
    ) -> Result<Response<pb::AttachResultResponse>, Status> {
        let pb::AttachResultRequest { result_id: id, front_end_id, first_statement } = request.into_inner();
        let (id, front_end) = (result_id(&id)?, front_end(&front_end_id)?);
        let facts =
            self.core.attach_result(&local_user(), id, front_end, first_statement).map_err(Refused::from)?;
        Ok(Response::new(pb::AttachResultResponse { result: Some(self.message(facts)) }))
    }

    async fn drop_result(
        &self,
        request: Request<pb::DropResultRequest>,
    ) -> Result<Response<pb::DropResultResponse>, Status> {
        let id = result_id(&request.into_inner().result_id)?;
        self.core.drop_result(&local_user(), id).await.map_err(Refused::from)?;
        Ok(Response::new(pb::DropResultResponse {}))
    }

    async fn read_rows(
        &self,
        request: Request<pb::ReadRowsRequest>,
    ) -> Result<Response<pb::ReadRowsResponse>, Status> {
        let request = request.into_inner();
        let id = result_id(&request.result_id)?;
        let ask = RowsAsk {
            place: Place { statement: request.statement, view: request.view },
            first: request.first_row,
            count: row_count(request.row_count)?,
            columns: columns(request.columns)?,
            cell_bytes: cell_bytes(request.cell_bytes_max)?,
        };
        let read = self.core.read_rows(&local_user(), id, ask).await.map_err(Refused::from)?;
        Ok(Response::new(pb::ReadRowsResponse { rows: Some(rows_message(&read)) }))
    }

    type ReadCellStream = Pin<Box<dyn Stream<Item = Result<pb::ReadCellResponse, Status>> + Send>>;

    async fn read_cell(
        &self,
        request: Request<pb::ReadCellRequest>,
    ) -> Result<Response<Self::ReadCellStream>, Status> {
        let pb::ReadCellRequest { result_id: id, statement, view, row, column, start_byte, bytes_max } =
            request.into_inner();
        let id = result_id(&id)?;
        let end = if bytes_max == 0 { u64::MAX } else { start_byte.saturating_add(bytes_max) };
        let place = Place { statement, view };
        let ask = CellAsk { place, row, column, range: start_byte..end };
        let first = CellText::read(Arc::clone(&self.core), id, ask).await?;
        let pieces = try_unfold(Some(first), |text| async {
            let Some(mut text) = text else { return Ok::<_, Status>(None) };
            let piece = text.next_piece();
            Ok(Some((piece, text.rest().await?)))
        });
        Ok(Response::new(Box::pin(pieces)))
    }

    async fn make_view(
        &self,
        request: Request<pb::MakeViewRequest>,
    ) -> Result<Response<pb::MakeViewResponse>, Status> {
        let pb::MakeViewRequest { result_id: id, statement, of_view, kind, page } = request.into_inner();
        let id = result_id(&id)?;
        let page = page_options(page)?;
        let ask = view_ask(statement, of_view, kind)?;
        let view = self.core.make_view(&local_user(), id, ask).await.map_err(Refused::from)?;
        let rows = match page {
            Some(page) => self.page(id, Place { statement, view: view.number }, page).await,
            None => None,
        };
        Ok(Response::new(pb::MakeViewResponse { view: Some(view_message(view)), page: rows }))
    }

    async fn get_view(
        &self,
        request: Request<pb::GetViewRequest>,
    ) -> Result<Response<pb::GetViewResponse>, Status> {
        let pb::GetViewRequest { result_id: id, view } = request.into_inner();
        let view = self.core.view(&local_user(), result_id(&id)?, view).map_err(Refused::from)?;
        Ok(Response::new(pb::GetViewResponse { view: Some(view_message(view)) }))
    }

    async fn drop_view(
        &self,
        request: Request<pb::DropViewRequest>,
    ) -> Result<Response<pb::DropViewResponse>, Status> {
        let pb::DropViewRequest { result_id: id, view } = request.into_inner();
        self.core.drop_view(&local_user(), result_id(&id)?, view).map_err(Refused::from)?;
        Ok(Response::new(pb::DropViewResponse {}))
    }

    type GetStatisticsStream = Pin<Box<dyn Stream<Item = Result<pb::GetStatisticsResponse, Status>> + Send>>;

    async fn get_statistics(
        &self,
        request: Request<pb::GetStatisticsRequest>,
    ) -> Result<Response<Self::GetStatisticsStream>, Status> {
        let pb::GetStatisticsRequest { result_id: id, statement, view, column } = request.into_inner();
        let place = Place { statement, view };
        let id = result_id(&id)?;
        let parts = self.core.statistics(&local_user(), id, place, column).map_err(Refused::from)?;
        let parts = parts.map(|part| part.map(statistics_message).map_err(refused));
        Ok(Response::new(Box::pin(parts)))
    }

    type ExportStream = Pin<Box<dyn Stream<Item = Result<pb::ExportResponse, Status>> + Send>>;

    async fn export(
        &self,
        request: Request<pb::ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let order = request.into_inner().order.ok_or_else(|| InvalidField::missing("order"))?;
        let pb::ExportOrder { result_id: id, statement, view, format } = order;
        let id = result_id(&id)?;
        let format = self.export_format(id, format).await?;
        let place = Place { statement, view };
        let parts = self.core.export(&local_user(), id, place, format).map_err(Refused::from)?;
        let parts = parts.map(|part| part.map(export_message).map_err(refused));
        Ok(Response::new(Box::pin(parts)))
    }

    async fn make_download(
        &self,
        request: Request<pb::MakeDownloadRequest>,
    ) -> Result<Response<pb::MakeDownloadResponse>, Status> {
        let pb::MakeDownloadRequest { order, file_name: wanted } = request.into_inner();
        let order = order.ok_or_else(|| InvalidField::missing("order"))?;
        let pb::ExportOrder { result_id: id, statement, view, format } = order;
        let id = result_id(&id)?;
        let format = self.export_format(id, format).await?;
        let file_name = file_name(wanted, &format)?;
        let place = Place { statement, view };
        let ask = DownloadAsk { id, place, format, file_name: file_name.clone() };
        let (ticket, is_whole) = self.core.make_download(&local_user(), ask).map_err(Refused::from)?;
        Ok(Response::new(download_message(&ticket, file_name, is_whole)))
    }
}

/// How many rows a first page has, and how much of each cell. `None`: it is not asked for.
fn page_options(page: Option<pb::PageOptions>) -> Result<Option<(u32, usize)>, InvalidField> {
    let page = page.filter(|page| page.row_count > 0);
    page.map(|page| Ok((row_count(page.row_count)?, cell_bytes(page.cell_bytes_max)?))).transpose()
}

fn columns(columns: Vec<u32>) -> Result<Vec<u32>, InvalidField> {
    match columns.len() {
        0..=COLUMNS_MAX => Ok(columns),
        _ => Err(InvalidField::new("columns", format!("has more than {COLUMNS_MAX}"))),
    }
}

fn refused(error: ResultError) -> Status {
    Refused::from(error).into()
}

/// A part of a cell's text, which goes out in pieces.
struct CellText {
    core: Arc<Core>,
    id: SessionId,
    ask: CellAsk,
    part: CellPart,
    /// Bytes of it that have gone.
    gone: usize,
}

impl CellText {
    async fn read(core: Arc<Core>, id: SessionId, ask: CellAsk) -> Result<Self, Refused> {
        let start = ask.range.start;
        let range = start..ask.range.end.min(start.saturating_add(PART_BYTES));
        let part = core.read_cell(&local_user(), id, CellAsk { range, ..ask.clone() }).await?;
        Ok(Self { core, id, ask, part, gone: 0 })
    }

    fn next_piece(&mut self) -> pb::ReadCellResponse {
        let rest = &self.part.text[self.gone..];
        let text = rest[..rest.floor_char_boundary(PIECE_BYTES)].to_owned();
        let start_byte = self.part.start + self.gone as u64;
        self.gone += text.len();
        let (state, full_size_bytes) = state_of_cell(self.part.state);
        let text_bytes = self.part.text_bytes;
        pb::ReadCellResponse { start_byte, text, text_bytes, state: state.into(), full_size_bytes }
    }

    /// What is still to go, read when it must be.
    async fn rest(self) -> Result<Option<Self>, Refused> {
        if self.gone < self.part.text.len() {
            return Ok(Some(self));
        }
        let (next, end) = (self.part.start + self.part.text.len() as u64, self.ask.range.end);
        if self.part.text.is_empty() || next >= end.min(self.part.text_bytes) {
            return Ok(None);
        }
        let ask = CellAsk { range: next..end, ..self.ask };
        Self::read(self.core, self.id, ask).await.map(Some)
    }
}
