//! Arguments of `querybox results`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::{
    JsonArg,
    documents::{DocumentArg, DocumentArgs},
};

/// What is to be done with results that a server keeps.
#[derive(Debug, Subcommand)]
#[command(after_long_help = HELP)]
pub(crate) enum Verb {
    /// List the results, newest first.
    List {
        #[command(flatten)]
        json: JsonArg,
    },
    /// Show rows of a result, from any place.
    Show(ShowArgs),
    /// Make a sorted view of a result, and print its number.
    Sort(SortArgs),
    /// Make a view of those rows of a result that meet all conditions, and print its number.
    Filter(FilterArgs),
    /// Tell what there is to say of a column.
    Stats(StatsArgs),
    /// Write all rows of a result or a view.
    Export(ExportArgs),
    /// Forget results, and stop what still runs of them.
    Drop {
        /// Results, each by its id or the end of it.
        #[arg(required_unless_present = "all")]
        results: Vec<String>,
        /// All that the server keeps.
        #[arg(long, conflicts_with = "results")]
        all: bool,
    },
}

/// Which rows.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArgs {
    /// The result, by its id or the end of it; `last` is the newest.
    pub result: String,
    /// The statement, counted from 1 [default: the first that returns rows].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub statement: Option<u32>,
    /// A view of it, by the number that was printed when it was made [default: the statement's own rows].
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub view: Option<u32>,
}

/// Show rows.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The first row, counted from 1.
    #[arg(long, value_name = "ROW", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub first: u64,
    /// Rows at most.
    #[arg(long, value_name = "ROWS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rows: u32,
}

/// Sort.
#[derive(Debug, Args)]
pub(crate) struct SortArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A column by its name, or its number from 1; with `:desc` from the greatest to the least. Can be repeated.
    #[arg(long, required = true, value_name = "COLUMN[:desc]")]
    pub by: Vec<String>,
    /// NULL before all values; else it is behind them.
    #[arg(long)]
    pub nulls_first: bool,
    /// Upper and lower case are alike.
    #[arg(long)]
    pub ignore_case: bool,
}

/// Filter.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// A column, one of `=` `!=` `<` `<=` `>` `>=` `contains` `matches`, and a value. Can be repeated.
    #[arg(long = "where", num_args = 3, value_names = ["COLUMN", "OPERATOR", "VALUE"], allow_negative_numbers = true)]
    pub conditions: Vec<String>,
    /// A column that is NULL. Can be repeated.
    #[arg(long, value_name = "COLUMN")]
    pub null: Vec<String>,
    /// A column that is not NULL. Can be repeated.
    #[arg(long, value_name = "COLUMN")]
    pub not_null: Vec<String>,
    /// A text that is found in any column, in upper or lower case.
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Upper and lower case are alike.
    #[arg(long)]
    pub ignore_case: bool,
}

/// Statistics.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The column, by its name or its number from 1.
    pub column: String,
    #[command(flatten)]
    pub json: JsonArg,
}

/// Export.
#[derive(Debug, Args)]
#[command(after_long_help = EXPORT_HELP)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// The format [default: by the ending of -o's file, else csv].
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<DocumentArg>,
    /// Write to a file; `-` is standard output. It appears, or is replaced, only when all was done.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub document: DocumentArgs,
}

impl ExportArgs {
    /// The format, chosen or by where the data goes.
    pub(crate) fn format(&self) -> DocumentArg {
        let by_ending = || self.output.as_deref().map_or(DocumentArg::Csv, DocumentArg::by_ending);
        self.format.unwrap_or_else(by_ending)
    }
}

const EXPORT_HELP: &str = "\
Examples:
  querybox results export last > orders.csv
  querybox results export last --view 2 -o orders.parquet
  querybox results export last -o orders.csv --delimiter ';' --neutralize-formulas
  querybox results export last -o products.sql --table shop.products

Rows of a statement that still runs are waited for. A file appears whole or
not at all, with mode 0600 or that of the file it replaces; Ctrl-C leaves
nothing of it. Parquet and Arrow have a column as text when one of its values
does not fit its type. Exit code 4 tells that a value was not whole (cut by
the driver, undecodable, or too long for the format), or that the rows are not
all that the database would have returned.";

const HELP: &str = "\
Results are kept by a server, sealed and outside of memory, until they are
dropped, nobody asks for them for an hour, or the server ends. So one must
run: `querybox serve` starts it, and these verbs find that of the home by
themselves; `--server` names another one. A command without a server has
nothing to keep results in when it has ended.

A result is named by its id, by the end of it that `results list` shows, or as
`last`, the newest.

Examples:
  querybox query shop 'select * from orders' --keep
  querybox results list
  querybox results show last --first 100001
  querybox results sort last --by amount:desc --by id
  querybox results filter last --where amount '>=' 100 --not-null customer
  querybox results stats last amount
  querybox results export last --view 2 -o orders.parquet
  querybox results drop --all

Exit codes: 0 done, 1 the database refused what was run, 2 usage, or no such
result, statement, view, row or column, 3 machinery, 4 a limit, a value that
was not whole, or rows that are not all that the database would have returned
(what was asked for is printed or written all the same), 130 cancelled, 141
the reader has gone.";
