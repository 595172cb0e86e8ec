//! `tour`: builds everything and shows what the commands do, on the sample database.

use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::show::HOME;
use crate::workspace::Workspace;
use crate::{cargo, stage};

/// A stop of the tour: what it shows, and the query.
const STOPS: [(&str, &str); 4] = [
    (
        "The sample is an online shop. Its best customers, in their own scripts:",
        "select name, country, orders, spent, last_order_at from top_customers limit 8",
    ),
    (
        "Sales by year and quarter, the busy end of the year included:",
        "select strftime('%Y', placed_at) as year,
       (strftime('%m', placed_at) + 2) / 3 as quarter,
       count(*) as orders,
       round(sum(total), 2) as sales
from orders
where status not in ('cancelled', 'returned')
group by year, quarter",
    ),
    (
        "NULL, bytes and JSON, each shown as what it is:",
        "select sku, name, price, weight, tags, substr(image, 1, 4) as image_start
from products
where id between 409 and 415",
    ),
    (
        "A tree by a recursive query:",
        "with recursive tree (id, path) as (
  select id, name from categories where parent_id is null
  union all
  select c.id, path || ' › ' || c.name from categories c join tree on c.parent_id = tree.id
)
select path, count(*) as products
from tree join products on category_id = tree.id
group by path order by products desc, path limit 6",
    ),
];

/// What to type after the tour.
const NEXT: [(&str, &str); 5] = [
    ("a query of your own", "bin/querybox query sample \"select * from customers limit 5\""),
    ("a whole table as CSV", "bin/querybox query sample \"select * from events\" --format csv -o events.csv"),
    ("your own SQLite file", "bin/querybox connections add mine sqlite:path/to/file.db"),
    ("what is connected", "bin/querybox connections list"),
    ("everything else", "bin/querybox help"),
];

/// Builds, stages, and goes through the tour.
///
/// # Errors
///
/// When the build or a query of the tour fails.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    // The same build as the gate's, so that `tour` after `test`, and `test` after `tour`, find most of it ready.
    let status = cargo::command(workspace.root()).args(["build", "--workspace"]).status()?;
    anyhow::ensure!(status.success(), "the build failed");
    let bin = stage::stage(workspace)?;
    let home = workspace.path(HOME);

    for (number, (title, sql)) in (1..).zip(STOPS) {
        println!("\n{}", heading(&format!("{number}. {title}")));
        println!("{}", command_line(&format!("querybox query sample \"{sql}\"")));
        query(&bin.join("querybox"), &home, sql)?;
    }

    println!("\n{}", heading("Next, from this folder:"));
    println!("  export QUERYBOX_HOME=\"$PWD/{HOME}\"");
    for (what, command) in NEXT {
        println!("{}\n  {command}", dim(&format!("  # {what}")));
    }
    Ok(())
}

fn query(program: &Path, home: &Path, sql: &str) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(["query", "sample", sql, "--format", "table"])
        .env("QUERYBOX_HOME", home)
        .status()
        .with_context(|| format!("{} could not be started", program.display()))?;
    anyhow::ensure!(status.success(), "querybox ended with {status}");
    Ok(())
}

fn heading(text: &str) -> String {
    styled("1", text)
}

fn dim(text: &str) -> String {
    styled("2", text)
}

/// A command as one would type it: each line of it marked.
fn command_line(text: &str) -> String {
    styled("36", &format!("$ {text}").replace('\n', "\n  "))
}

/// Wraps `text` in an SGR sequence where it is welcome.
fn styled(code: &str, text: &str) -> String {
    use std::io::IsTerminal;
    let is_plain = !std::io::stdout().is_terminal()
        || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if is_plain { text.to_owned() } else { format!("\x1b[{code}m{text}\x1b[0m") }
}
