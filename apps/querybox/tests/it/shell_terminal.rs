//! The shell at a terminal: keys in, prompts and tables out.

pub(crate) mod person;

use std::{fs, os::unix::fs::MetadataExt, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use crate::house::{ENDLESS_SILENT, House, lives, within};
use person::Person;

const ENTER: &str = "\r";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

#[test]
fn the_prompt_shows_the_transaction_and_that_a_statement_goes_on() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("SQLite 3.");
    person.sees("shop=> ");
    person.types("begin;\r").sees("(BEGIN, ");
    person.sees("shop=*> ");
    person.types("select 40\r").sees("shop-*> ");
    person.types(" + 2 as answer\r;\r").sees(" answer\n");
    person.sees("     42\n");
    person.types("rollback;\r").sees("(ROLLBACK, ");
    person.sees("shop=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn a_literal_or_comment_that_is_open_goes_on() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person.types("select 'a;\r").sees("shop-> ");
    person.types("b' as x /* ;\r").sees("shop-> ");
    person.types("*/;\r").sees("a;\\nb\n");
    person.sees("shop=> ");
    person.types("\\q\r");
    assert_eq!(person.leaves(), 0);
}

#[test]
fn ctrl_c_stops_the_statement_and_not_the_shell() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person.types("create temp table kept as select 42 as answer;\r").sees("shop=> ");
    person.types(&format!("{ENDLESS_SILENT};\r"));
    std::thread::sleep(Duration::from_millis(500));
    person.types(CTRL_C).sees("cancelled: confirmed by the database after ");
    person.sees("shop=> ");
    person.types("select answer from kept;\r").sees("     42\n");
    person.sees("shop=> ");
    // At the prompt it drops what is typed.
    person.types("select nonsense").types(CTRL_C);
    person.sees("shop=> ");
    person.types("select 'still' || ' here' as x;\r").sees("still here\n");
    person.sees("shop=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn an_open_transaction_is_told_of_when_leaving() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person.types("begin; delete from products;\r").sees("shop=*> ");
    person.types(CTRL_D).sees("warning: the open transaction was rolled back");
    assert_eq!(person.leaves(), 0);
    let ran = house.run(["query", "shop", "select count(*) as n from products"]).exits(0);
    assert_eq!(ran.stdout, "n\n3\n");
}

#[test]
fn a_rejection_leaves_the_shell() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person.types("select * form products;\r").sees("near \"form\": syntax error");
    person.sees("shop=> ");
    person.types("\\foo\r").sees("there is no command \\foo");
    person.sees("shop=> ");
    person.types("\\q\r");
    assert_eq!(person.leaves(), 0);
}

#[test]
fn commands_show_the_catalog_and_change_the_display() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person.types("\\dt\r").sees("main    products  table");
    person.types("\\d products\r").sees("── price  decimal(10,2)");
    person.types("\\x\r").sees("rows are shown one column a line");
    person.types("select id, name from products limit 1;\r").sees("-[ RECORD 1 ]");
    person.sees(" name │ Lamp\n");
    person.types("\\timing\r").sees("times are not shown");
    person.types("select 1;\r").sees("(1 row)\n");
    person.types("\\?\r").sees("\\refresh");
    person.types("\\q\r");
    assert_eq!(person.leaves(), 0);
}

#[test]
fn tab_completes_tables_columns_and_keywords() {
    let house = House::new();
    house.run(["query", "shop", "create table prices (amount int)"]).exits(0);
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    // The names come in the background.
    std::thread::sleep(Duration::from_secs(1));
    person.types("sel\t").sees("select");
    // The first is chosen, which shows.
    person.types(" count(*) as n from pr\t").sees("PRICES");
    person.sees("products  table");
    person.types(CTRL_C).sees("shop=> ");
    person.types("select count(*) as n from prod\t;\r").sees("from products;");
    person.sees("(1 row, ");
    // What a statement makes can be completed after it.
    person.types("create table made_just_now (x);\r").sees("(CREATE TABLE, ");
    person.sees("shop=> ");
    std::thread::sleep(Duration::from_secs(1));
    person.types("select 'none' from made\t;\r").sees("from made_just_now;");
    person.sees("(0 rows, ");
    person.sees("shop=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn a_lost_session_is_told_and_nothing_is_sent_again() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop", "-v"]);
    let driver = |person: &mut Person| {
        person.sees("driver process ");
        let pid = person.line();
        person.sees("shop=> ");
        Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    };
    let first = driver(&mut person);
    person.types("begin; delete from products where id = 1;\r").sees("shop=*> ");
    person.types("commit;");
    person.sees("commit;");
    kill_process(first, Signal::KILL).unwrap();
    within(Duration::from_secs(2), "the driver's end", || !lives(first));
    // It is told at once, and what was typed for the lost session stands there again, and runs only when it is sent.
    person.sees("warning: the session has ended, transaction lost; the next statement opens a new session");
    person.sees("shop=> ");
    person.sees("commit;");
    person.types(CTRL_C).sees("shop=> ");
    person.types("select count(*) as n from products;\r");
    let second = driver(&mut person);
    assert_ne!(first, second);
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
    let ran = house.run(["query", "shop", "select count(*) as n from products"]).exits(0);
    assert_eq!(ran.stdout, "n\n3\n");
    within(Duration::from_secs(2), "the driver's end", || !lives(second));
}

#[test]
fn a_session_that_is_not_used_is_announced_to_end_and_then_ends() {
    let house = House::new();
    fs::write(house.home().join("config.toml"), "session_idle = '4s'\n").unwrap();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person.types("begin;\r").sees("shop=*> ");
    person.types("select 1 as kept");
    person.sees("warning: the session ends in 800 ms unless it is used");
    // What was typed stands there again, and is sent in time.
    person.sees("shop=*> ");
    person.types(";\r").sees("(1 row, ");
    person.sees("warning: the session ends in 800 ms unless it is used");
    person.sees("warning: the session was not used for too long, and ended, transaction lost; ");
    person.sees("shop=> ");
    person.types("select 2;\r").sees("(1 row, ");
    person.sees("shop=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn sigterm_and_a_closed_terminal_end_the_shell_also_after_statements() {
    let house = House::new();
    for signal in [Signal::TERM, Signal::HUP] {
        let mut person = Person::at(&house, &["shop"]);
        person.sees("shop=> ");
        assert!(!person.terminal_echoes());
        person.types("select 1;\r").sees("(1 row, ");
        person.sees("shop=> ");
        person.types("select half a stat");
        person.sees("stat");
        person.signals(signal);
        assert_eq!(person.leaves(), 130, "{signal:?}");
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_shell_and_its_transaction_whether_a_signal_tells_or_not() {
    let house = House::new();
    for starts in [Person::at, Person::unheard] {
        for typed in ["", "select half a stat"] {
            let mut person = starts(&house, &["shop", "-v"]);
            person.sees("driver process ");
            let driver = Pid::from_raw(person.line().trim().parse().unwrap()).unwrap();
            person.sees("shop=> ");
            person.types("begin; delete from products;\r").sees("shop=*> ");
            person.types(typed).sees(typed.rsplit(' ').next().unwrap());
            assert_eq!(person.hangs_up(), 130);
            within(Duration::from_secs(30), "the driver's end", || !lives(driver));
        }
    }
    let ran = house.run(["query", "shop", "select count(*) as n from products"]).exits(0);
    assert_eq!(ran.stdout, "n\n3\n");
}

#[test]
fn what_is_typed_is_kept_only_when_asked_for() {
    let house = House::new();
    let path = house.home().join("shell_history");
    let converse = |flags: &[&str]| {
        let mut person = Person::at(&house, flags);
        person.sees("shop=> ");
        person.types("select 'canary' as x;\r").sees("(1 row, ");
        person.sees("shop=> ");
        person.types(" select 'secret' as x;\r").sees("(1 row, ");
        person.sees("shop=> ");
        // It is remembered while the shell runs.
        person.types("\x1b[A").sees("select");
        person.types(CTRL_C).sees("shop=> ");
        person.types(CTRL_D);
        assert_eq!(person.leaves(), 0);
    };
    converse(&["shop"]);
    assert!(!path.exists());
    converse(&["shop", "--plain-history"]);
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept.contains("canary") && !kept.contains("secret"), "{kept}");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    fs::remove_file(&path).unwrap();
    fs::write(house.home().join("config.toml"), "shell_history = 'plain'\n").unwrap();
    converse(&["shop"]);
    assert!(path.exists());
}

#[test]
fn a_statement_can_be_edited_elsewhere() {
    let house = House::new();
    let editor = house.path("editor");
    fs::write(
        &editor,
        format!(
            "#!/bin/sh\nstat -c %a \"$2\" > {0}/mode\necho \"$2\" > {0}/name\ncat \"$2\" > {0}/before\necho \"select 'edi' || '$1' as x;\" > \"$2\"\n",
            house.path("").display()
        ),
    )
    .unwrap();
    fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut person = Person::with(&house, &["shop"], &[("EDITOR", &format!("{} ted", editor.display()))]);
    person.sees("shop=> ");
    person.types("select 1 as before;\r").sees("(1 row, ");
    person.sees("shop=> ");
    person.types("\\e\r").sees(" edited\n");
    person.sees("shop=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
    let noted = |name: &str| fs::read_to_string(house.path(name)).unwrap();
    assert_eq!(noted("mode"), "600\n");
    assert_eq!(noted("before"), "select 1 as before;\n");
    assert!(!fs::exists(noted("name").trim()).unwrap());
}

#[test]
fn several_lines_can_be_pasted() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop"]);
    person.sees("shop=> ");
    person
        .types("\x1b[200~select 'o' || 'ne' as x;\nselect nope;\nselect 'thr' || 'ee' as x;\x1b[201~")
        .types(ENTER);
    person.sees(" one\n");
    person.sees("no such column: nope");
    person.sees("the rest of what was entered was not run");
    person.sees("shop=> ");
    person.types(CTRL_D);
    assert_eq!(person.leaves(), 0);
}

#[test]
fn a_password_on_standard_input_needs_a_script() {
    let house = House::new();
    let mut person = Person::at(&house, &["shop", "--password-stdin"]);
    person.sees("standard input is the terminal");
    assert_eq!(person.leaves(), 2);
}
