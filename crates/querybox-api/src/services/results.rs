//! Results that are kept.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _, stream::try_unfold};
use querybox_contracts::core::v1::{self as pb, export_order::Format};
use querybox_core::{
    CellAsk, Core, DownloadAsk, Place, ResultError, ResultFacts, RowsAsk, SessionId, StatementFacts,
    local_user,
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
const PIECE_BYTES: u64 = 256 << 10;

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
        let core = Arc::clone(&self.core);
        let place = Place { statement, view };
        let first = read_piece(core, id, CellAsk { place, row, column, range: start_byte..end }).await?;
        let pieces = try_unfold(Some(first), move |next| async move {
            let Some((piece, rest)) = next else { return Ok::<_, Status>(None) };
            let next = match rest {
                Some((core, ask)) => Some(read_piece(core, id, ask).await?),
                None => None,
            };
            Ok(Some((piece, next)))
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

/// A piece of a cell, and what is asked next. `None`: it was the last.
type Piece = (pb::ReadCellResponse, Option<(Arc<Core>, CellAsk)>);

async fn read_piece(core: Arc<Core>, id: SessionId, ask: CellAsk) -> Result<Piece, Refused> {
    let end = ask.range.end;
    let range = ask.range.start..end.min(ask.range.start.saturating_add(PIECE_BYTES));
    let part = core.read_cell(&local_user(), id, CellAsk { range, ..ask }).await?;
    let next = part.start + part.text.len() as u64;
    let rest = (next < end.min(part.text_bytes) && !part.text.is_empty())
        .then_some((core, CellAsk { range: next..end, ..ask }));
    let (state, full_size_bytes) = state_of_cell(part.state);
    let piece = pb::ReadCellResponse {
        start_byte: part.start,
        text: part.text,
        text_bytes: part.text_bytes,
        state: state.into(),
        full_size_bytes,
    };
    Ok((piece, rest))
}
