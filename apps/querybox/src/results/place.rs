//! Which rows are meant: a result, a statement of it, perhaps a view.

use querybox_contracts::{
    core::v1::{self as core, ResultState, statement_result::End},
    plugin::v1 as plugin,
};
use uuid::Uuid;

use super::{client, list};
use crate::{
    app::App,
    cli::results::PlaceArgs,
    exit::Exit,
    failure::Failure,
    ids,
    reason::Reason,
    rejection::{self, Source},
};

/// Rows that were found.
pub(super) struct Place {
    pub(super) result_id: String,
    pub(super) statement: core::StatementResult,
    /// 0: the statement's own rows.
    pub(super) view: u32,
}

impl Place {
    /// Whether the rows are a part that looks as if it were all. Of a statement that runs nobody takes them for that.
    pub(super) fn is_part(&self) -> bool {
        let of_view = self.statement.views.iter().find(|view| view.view == self.view);
        match (&self.statement.end, of_view) {
            (_, Some(view)) => view.incomplete,
            (Some(End::Summary(summary)), None) => summary.stopped_by() != plugin::StoppedBy::Unspecified,
            (Some(End::Rejection(_) | End::Limit(_) | End::BrokenOff(_)), None) => true,
            // It ran when it was looked for.
            (None, None) => false,
        }
    }
}

/// Finds what the arguments name.
pub(super) async fn of(app: &App, args: &PlaceArgs) -> Result<Place, Failure> {
    let result_id = id(app, &args.result).await?;
    let mut first_statement = args.statement.map_or(0, |number| number - 1);
    let (statement, result) = loop {
        let request = core::AttachResultRequest {
            result_id: result_id.clone(),
            first_statement,
            ..core::AttachResultRequest::default()
        };
        let answer = client(&app.channel).attach_result(request).await?.into_inner();
        let mut result = answer.result.unwrap_or_default();
        let statements = std::mem::take(&mut result.statements);
        let last = statements.last().map(|statement| statement.statement);
        let found = statements.into_iter().find(|statement| match args.statement {
            Some(number) => statement.statement + 1 == number,
            None => statement.returns_rows,
        });
        // A long script comes in parts.
        match (found, last) {
            (None, Some(last)) if args.statement.is_none() && last + 1 < result.statement_count => {
                first_statement = last + 1;
            }
            (found, _) => break (found, result),
        }
    };
    match statement {
        Some(statement) if statement.returns_rows => {
            Ok(Place { result_id, statement, view: args.view.unwrap_or(0) })
        }
        Some(statement) => Err(without_rows(app, &result, statement)),
        None => Err(missing(app, &result, args.statement).await?),
    }
}

/// The end of an id, for people to name the result by.
pub(super) fn named_again(id: &str) -> &str {
    ids::end(id)
}

/// The id of the result that is named by it, by its end, or as the newest.
pub(super) async fn id(app: &App, named: &str) -> Result<String, Failure> {
    find(&list::all(app).await?, named)
}

/// The same, among results.
pub(super) fn find(results: &[core::Result], named: &str) -> Result<String, Failure> {
    if named == "last" {
        let newest = results.first().map(|result| result.result_id.clone());
        return newest.ok_or_else(|| {
            Failure::usage("no results are kept").with_hint("`querybox query --keep` has one kept")
        });
    }
    let ends = |result: &&core::Result| !named.is_empty() && result.result_id.ends_with(named);
    let mut found = results.iter().filter(ends);
    match (found.next(), found.next()) {
        (Some(result), None) => Ok(result.result_id.clone()),
        (Some(_), Some(_)) => Err(Failure::usage(format!("several results end with {named}"))
            .with_hint("give more of the end, or all of the id: `querybox results list --json` has it")),
        // The server knows why one is gone that it has dropped.
        (None, _) if Uuid::try_parse(named).is_ok() => Ok(named.to_owned()),
        (None, _) => Err(Failure::usage(format!("no result is kept whose id ends with {named}"))
            .with_hint("`querybox results list` shows them")),
    }
}

/// Why there is nothing to look at of a statement that returns no rows.
fn without_rows(app: &App, result: &core::Result, statement: core::StatementResult) -> Failure {
    let number = statement.statement + 1;
    match statement.end {
        Some(End::Rejection(rejection)) => refused(app, result, &rejection),
        Some(End::Summary(_) | End::Limit(_) | End::BrokenOff(_)) | None => {
            Failure::usage(format!("statement {number} returns no rows"))
        }
    }
}

/// Why there is no such statement.
async fn missing(app: &App, result: &core::Result, number: Option<u32>) -> Result<Failure, Failure> {
    if let Some(number) = number {
        let so_far = if result.state() == ResultState::Running { " yet" } else { "" };
        return Ok(Failure::usage(format!("the result has no statement {number}{so_far}")));
    }
    Ok(match result.state() {
        ResultState::Running => Failure::usage("no statement of the result has returned rows yet"),
        ResultState::Rejected => match rejection(app, result).await? {
            Some(rejection) => refused(app, result, &rejection),
            None => Failure::usage("the database refused what was run, and there are no rows"),
        },
        ResultState::Failed => {
            let failure = result.failure.clone().unwrap_or_default();
            let exit = Reason::parse(&failure.reason).map_or(Exit::Machinery, Exit::of);
            Failure::new(exit, failure.message)
        }
        ResultState::Cancelled => Failure::usage("it was cancelled before there were rows"),
        ResultState::Limited => Failure::usage("a limit was reached before there were rows"),
        ResultState::Done | ResultState::Unspecified => {
            Failure::usage("no statement of the result returns rows")
        }
    })
}

/// What the database refused of a script without rows: its last statement, or to open.
async fn rejection(app: &App, result: &core::Result) -> Result<Option<plugin::Rejection>, Failure> {
    if result.rejection.is_some() {
        return Ok(result.rejection.clone());
    }
    let request = core::AttachResultRequest {
        result_id: result.result_id.clone(),
        first_statement: result.statement_count.saturating_sub(1),
        ..core::AttachResultRequest::default()
    };
    let answer = client(&app.channel).attach_result(request).await?.into_inner();
    let last = answer.result.and_then(|result| result.statements.into_iter().next_back());
    Ok(match last.and_then(|statement| statement.end) {
        Some(End::Rejection(rejection)) => Some(rejection),
        Some(End::Summary(_) | End::Limit(_) | End::BrokenOff(_)) | None => None,
    })
}

/// Says what the database refused, with the place in the script.
fn refused(app: &App, result: &core::Result, rejection: &plugin::Rejection) -> Failure {
    // The start of a long script is kept, which may lack the place.
    let source = Source { sql: &result.sql, file: None, first_line: 1, statement: None };
    let screen = app.messages.screen();
    app.messages.say(&rejection::describe(rejection, &source, screen.stderr_width, screen.stderr_paint));
    Failure::silent(Exit::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_known_by_the_end_of_its_id() {
        let result = |id: &str| core::Result { result_id: id.to_owned(), ..core::Result::default() };
        let results = [result("0193-aa1"), result("0193-ba1"), result("0193-bb2")];
        let found = |named: &str| find(&results, named).ok();
        assert_eq!(found("last").as_deref(), Some("0193-aa1"));
        assert_eq!(found("2").as_deref(), Some("0193-bb2"));
        assert_eq!(found("0193-ba1").as_deref(), Some("0193-ba1"));
        for unknown in ["a1", "", "x", "0193"] {
            assert_eq!(found(unknown), None, "{unknown}");
        }
        assert!(find(&[], "last").is_err());
        // Why it is gone, the server knows.
        let gone = "0193e5a0-7c00-7abc-8def-0123456789ab";
        assert_eq!(found(gone).as_deref(), Some(gone));
    }
}
