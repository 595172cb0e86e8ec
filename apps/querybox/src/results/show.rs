//! Some rows of a kept result, as a table.

use std::io;

use querybox_contracts::core::v1 as core;
use querybox_results::{Column, State};

use super::{client, export::INCOMPLETE, place, place::Place};
use crate::{
    app::App,
    cli::results::ShowArgs,
    exit::Exit,
    failure::Failure,
    output::Output,
    table::{Arrangement, Table},
    words,
};

/// Bytes of a cell's text: what a person looks at, and no more.
const CELL_BYTES: u32 = 4096;

pub(super) async fn run(app: &App, args: ShowArgs) -> Result<Exit, Failure> {
    let place = place::of(app, &args.place).await?;
    let columns = place.statement.columns.iter().map(querybox_api::read_column);
    let columns: Vec<Column> =
        columns.collect::<Result<_, _>>().map_err(|error| Failure::machinery(error.to_string()))?;
    let first = args.first - 1;
    let mut rows = window(app, &place, first, args.rows).await?;
    let screen = app.messages.screen();
    let failed = |error: io::Error| Failure::writing("standard output", &error);
    let (width, paint) = (screen.stdout_width, screen.stdout_paint);
    let mut table = Table::begin(&columns, Output::stdout()?, width, paint, Arrangement::Fitting);
    let mut shown = 0;
    // A window ends early when its rows are long.
    while rows.row_count > 0 {
        let states = states(&rows);
        let cells: Vec<_> = rows.texts.iter().map(String::as_str).zip(states).collect();
        for row in 0..rows.row_count as usize {
            let cells = &cells[row * columns.len()..(row + 1) * columns.len()];
            table.row(cells.iter().copied()).map_err(failed)?;
        }
        shown += rows.row_count;
        if shown >= args.rows {
            break;
        }
        rows = window(app, &place, first + u64::from(shown), args.rows - shown).await?;
    }
    table.end().map_err(failed)?;
    let all = words::grouped(rows.rows_so_far);
    let more = if rows.growing { " so far" } else { "" };
    let is_part = !rows.growing && place.is_part();
    if is_part {
        app.messages.warn(INCOMPLETE);
    }
    app.messages.note(&match shown {
        0 if args.first == 1 => format!("({}{more})", words::count(rows.rows_so_far, "row")),
        0 => format!("(no row from {} on, of {all}{more})", words::grouped(args.first)),
        _ => {
            let last = words::grouped(first + u64::from(shown));
            format!("(rows {} to {last} of {all}{more})", words::grouped(args.first))
        }
    });
    Ok(if is_part { Exit::Limit } else { Exit::Done })
}

async fn window(app: &App, place: &Place, first_row: u64, row_count: u32) -> Result<core::Rows, Failure> {
    let request = core::ReadRowsRequest {
        result_id: place.result_id.clone(),
        statement: place.statement.statement,
        view: place.view,
        first_row,
        row_count,
        columns: Vec::new(),
        cell_bytes_max: CELL_BYTES,
    };
    let rows = client(&app.channel).read_rows(request).await?.into_inner().rows.unwrap_or_default();
    let cells = rows.row_count as usize * place.statement.columns.len();
    match rows.texts.len() == cells {
        true => Ok(rows),
        false => Err(Failure::machinery("the server answered with other cells than its rows have")),
    }
}

/// The state of each cell.
fn states(rows: &core::Rows) -> Vec<State> {
    let mut states = vec![State::Value; rows.texts.len()];
    for mark in &rows.marks {
        let Some(state) = states.get_mut(mark.index as usize) else { continue };
        *state = match mark.state() {
            core::CellState::Null => State::Null,
            core::CellState::Undecodable => State::Undecodable,
            core::CellState::Cut => State::Cut { full_size: mark.full_size_bytes },
            core::CellState::Unspecified | core::CellState::Value => State::Value,
        };
    }
    states
}
