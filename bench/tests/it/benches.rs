//! Each bench of large results works, with tables of a thousandth of their size: what is measured is not looked at.

use std::{path::Path, sync::Arc};

use querybox_bench::{
    Hops, Programs, cancel, catalog, export, first_row,
    frame::{self, Bench, Plan},
    machine::Machine,
    memory, profile,
    report::{Report, markdown, plot},
    results, stream,
};
use querybox_fixtures::program;

/// Rows of the largest table.
const ROWS: u64 = 20_000;

fn check(name: &str, bench: impl AsyncFnOnce(&Arc<Hops>, &Path) -> anyhow::Result<Bench>) {
    let jail = program("querybox-jail");
    let programs = Programs::in_folder(jail.parent().unwrap().to_owned());
    let own = Path::new(env!("CARGO_BIN_EXE_querybox-bench"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let hops = Hops::start(&programs, own).unwrap();
        let mut bench = bench(&hops, own).await.unwrap();
        assert_eq!(bench.name, name);
        let plan = Plan { rounds: 1, quick: true, seed: 1 };
        let outcomes = frame::run(&mut bench, plan).await.unwrap();
        assert_eq!(outcomes.len(), bench.contenders.len());
        for goal in &bench.goals {
            let verdict = goal.judge(&outcomes).unwrap_or_else(|| panic!("{goal:?} is nobody's"));
            println!("{verdict:?}");
        }
        let report = Report::new(&bench, String::new(), plan, Machine::look(), outcomes);
        // What is drawn are ratios to floors.
        let has_floors = bench.contenders.iter().any(|contender| contender.floor.is_some());
        let drawing = plot::render(&report);
        assert_eq!(drawing.is_some_and(|drawing| drawing.ends_with("</svg>\n")), has_floors);
        assert!(markdown::render(&report).contains(&bench.title));
    });
}

#[test]
fn whole_tables_arrive_by_every_road() {
    check("stream", async |hops, own| stream::bench(hops, own, ROWS));
}

#[test]
fn a_table_is_written_to_files_by_every_road() {
    check("export", async |hops, own| export::bench(hops, own, ROWS));
}

#[test]
fn memory_is_told_of_each_process() {
    check("memory", async |hops, own| memory::bench(hops, own, ROWS));
}

#[test]
fn rows_are_kept_looked_at_and_viewed() {
    check("results", async |_, own| results::bench(own, ROWS, None));
}

#[test]
fn each_hop_tells_where_its_time_went() {
    let jail = program("querybox-jail");
    let programs = Programs::in_folder(jail.parent().unwrap().to_owned());
    let own = Path::new(env!("CARGO_BIN_EXE_querybox-bench"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let profiles = runtime.block_on(profile::run(&programs, own, ROWS)).unwrap();
    for profile in &profiles.tables {
        for (told, name) in [
            (&profile.driver, "driver encodes"),
            (&profile.driver, "driver sends"),
            (&profile.driver, "driver waits for server"),
            (&profile.core, "Core receives"),
            (&profile.core, "Core waits for reader"),
            (&profile.client, "client receives"),
            (&profile.client, "client renders"),
        ] {
            let figure = told.figures.iter().find(|figure| figure.name == name);
            assert!(figure.is_some_and(|figure| figure.count > 0), "{name}: {told:?}");
        }
    }
    println!("{}", profiles.render());
}

#[test]
fn first_rows_arrive_by_every_road() {
    check("first-row", async |hops, own| first_row::bench(hops, own, ROWS, true).await);
}

#[test]
fn what_is_cancelled_can_be_used_again_by_every_road() {
    check("cancel", async |hops, _| cancel::bench(hops, true).await);
}

#[test]
fn a_catalog_arrives_whole() {
    check("catalog", async |hops, own| catalog::bench(hops, own, 50, true).await);
}
