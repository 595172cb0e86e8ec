//! `querybox history`: what commands ran.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use querybox_vault::MasterKey;

use crate::house::{House, Ran};

/// A house, and the file that commands take their master key from.
pub(crate) struct Keyed {
    pub(crate) house: House,
    pub(crate) key: PathBuf,
}

impl Keyed {
    /// With a key that is registered.
    pub(crate) fn new() -> Keyed {
        let house = House::new();
        let key = house.path("key");
        let keyed = Keyed { house, key };
        keyed.change_key();
        keyed.run(&["keys", "init"]).exits(0);
        keyed
    }

    /// Another key lies in the file, which nobody has registered.
    fn change_key(&self) {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&self.key).unwrap();
        file.write_all(MasterKey::make().to_text().expose()).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.house.command(args);
        command.env("QUERYBOX_MASTER_KEY_FILE", &self.key);
        self.house.ran(command.output().unwrap())
    }

    pub(crate) fn runs(&self, args: &[&str]) -> Vec<serde_json::Value> {
        let listed = self.run(&[&["history"], args, &["--json"]].concat()).exits(0);
        serde_json::from_str(&listed.stdout).unwrap()
    }

    /// Files of the home that show a text.
    pub(crate) fn showing(&self, text: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.house.home()).unwrap().map(|entry| entry.unwrap().path());
        let shows = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        };
        entries.filter(|path| path.is_file() && shows(path)).collect()
    }
}

#[test]
fn what_commands_ran_is_found_shown_and_forgotten() {
    let keyed = Keyed::new();
    keyed.run(&["history", "delete", "--all"]).exits(0);
    keyed.run(&["query", "shop", "select name as canary_77 from products"]).exits(0);
    keyed.run(&["query", "shop", "selec"]).exits(1);
    let runs = keyed.runs(&["list"]);
    assert_eq!(runs.len(), 2, "{runs:?}");
    assert_eq!((&runs[0]["outcome"], &runs[0]["text"]), (&"rejected".into(), &"selec".into()));
    assert!(runs[0]["error_code"].is_string(), "{runs:?}");
    assert_eq!((&runs[1]["rows"], &runs[1]["connection"]), (&3.into(), &"shop".into()));
    assert_eq!(keyed.showing("canary_77"), Vec::<PathBuf>::new(), "it lies sealed");

    let listed = keyed.run(&["history", "list"]).exits(0);
    assert!(listed.stdout.lines().all(|line| line.chars().count() <= 80), "{}", listed.stdout);
    assert!(listed.stdout.contains("STATEMENT") && listed.stdout.contains("rejected"), "{}", listed.stdout);
    assert!(listed.stderr.is_empty(), "{listed:?}");
    let found = keyed.runs(&["search", "CANARY_77", "select"]);
    assert_eq!(found, runs[1..]);
    assert_eq!(keyed.runs(&["list", "--outcome", "rejected"]), runs[..1]);
    assert_eq!(keyed.runs(&["list", "--connection", "shop", "--since", "1h", "--limit", "1"]), runs[..1]);
    assert_eq!(keyed.runs(&["list", "--before", "2001-01-01"]), [serde_json::Value::Null; 0]);
    let none = keyed.run(&["history", "search", "nothing like this"]).exits(0);
    assert!(none.stdout.is_empty() && none.stderr.contains("nothing was found"), "{none:?}");

    let id = runs[1]["run_id"].as_str().unwrap();
    let shown = keyed.run(&["history", "show", &id[id.len() - 8..]]).exits(0);
    assert!(shown.stdout.ends_with("\n\nselect name as canary_77 from products\n"), "{}", shown.stdout);
    assert!(shown.stdout.contains("3 rows"), "{}", shown.stdout);
    let last = keyed.run(&["history", "show", "last", "--json"]).exits(0);
    assert!(last.stdout.contains("\"selec\""), "{last:?}");

    let forgotten = keyed.run(&["history", "delete", id]).exits(0);
    assert!(forgotten.stderr.contains("forgot 1 run"), "{forgotten:?}");
    keyed.run(&["history", "show", id]).exits(2);
    keyed.run(&["history", "show", "ffffffff"]).exits(2);
    keyed.run(&["history", "delete"]).exits(2);
    keyed.run(&["history", "delete", "--older-than", "1d"]).exits(0);
    assert_eq!(keyed.runs(&["list"]).len(), 1);

    // A connection that is gone is told by its name, and can be told not to be there at all.
    keyed.run(&["connections", "edit", "shop", "--history", "off"]).exits(0);
    keyed.run(&["query", "shop", "select 1"]).exits(0);
    keyed.run(&["connections", "remove", "shop"]).exits(0);
    let runs = keyed.runs(&["list", "--connection", "shop"]);
    assert_eq!((runs.len(), &runs[0]["connection"]), (1, &"shop".into()));
    keyed.run(&["history", "delete", "--connection", "shop"]).exits(0);
    assert_eq!(keyed.runs(&["list"]).len(), 0);
}

#[test]
fn without_a_key_a_command_keeps_no_statement_and_says_so() {
    let house = House::new();
    house.run(["history", "delete", "--all"]).exits(0);
    house.run(["query", "shop", "select 'canary_78'"]).exits(0);
    let listed = house.run(["history", "list"]).exits(0);
    assert!(listed.stdout.contains("(not kept)") && !listed.stdout.contains("canary_78"), "{listed:?}");
    assert!(listed.stderr.contains("there is no master key"), "{listed:?}");
}

#[test]
fn what_a_lost_key_sealed_is_forgotten_on_request_and_another_key_takes_its_place() {
    let keyed = Keyed::new();
    keyed.run(&["history", "delete", "--all"]).exits(0);
    keyed.run(&["query", "shop", "select 'lost'"]).exits(0);
    let status = keyed.run(&["keys", "status"]).exits(0);
    assert!(status.stdout.contains("texts: 0 drafts and 1 statement of the history"), "{}", status.stdout);
    assert!(!status.stdout.contains("forget-texts"), "{}", status.stdout);

    keyed.change_key();
    let listed = keyed.run(&["history", "list"]).exits(0);
    assert!(listed.stdout.contains("(unreadable)"), "{listed:?}");
    let searched = keyed.run(&["history", "search", "lost"]).exits(0);
    assert!(searched.stderr.contains("1 statement cannot be opened"), "{searched:?}");
    let status = keyed.run(&["keys", "status"]).exits(0);
    assert!(status.stdout.contains("querybox keys forget-texts"), "{}", status.stdout);
    let refused = keyed.run(&["keys", "init", "--replace-unused"]).exits(2);
    assert!(refused.stderr.contains("querybox keys forget-texts"), "{refused:?}");
    let refused = keyed.run(&["keys", "forget-texts"]).exits(2);
    assert!(
        refused.stderr.contains("0 drafts and 1 statement") && refused.stderr.contains("--yes"),
        "{refused:?}"
    );
    let forgotten = keyed.run(&["keys", "forget-texts", "--yes"]).exits(0);
    assert!(forgotten.stderr.contains("forgot 0 drafts and 1 statement"), "{forgotten:?}");
    keyed.run(&["keys", "init", "--replace-unused"]).exits(0);
    keyed.run(&["query", "shop", "select 'found'"]).exits(0);
    let runs = keyed.runs(&["list"]);
    assert_eq!((&runs[0]["text"], &runs[1]["text_state"]), (&"select 'found'".into(), &"not kept".into()));
}
