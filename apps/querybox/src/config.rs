//! The settings of the program: flags over environment over `config.toml` over defaults.

use std::{
    env,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use querybox_core::{HistoryLevel, HistorySettings, TextStorage};
use serde::Deserialize;

use crate::{
    cli::values::{AgeArg, DeadlineArg},
    failure::{Failure, describe},
    serve,
};

/// Time that a request may take when neither it nor its connection says so.
const DEADLINE_DEFAULT: Duration = Duration::from_secs(30);
/// Time for which a session may be unused: it holds a driver, a connection, and whatever its transaction has locked.
const SESSION_IDLE_DEFAULT: Duration = Duration::from_secs(10 * 60);

/// Runs that the history may have: more take too long to be searched.
const RUNS_MAX: u32 = 1_000_000;

/// The settings, from all their sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Where connections and the sample are kept. Absolute.
    pub home: PathBuf,
    /// Where drivers are looked for, in order.
    pub plugin_folders: Vec<PathBuf>,
    /// Time that a request may take when neither it nor its connection says so.
    pub deadline: Duration,
    /// The longest time that a request may take, whatever it or its connection says. `None`: there is none.
    pub deadline_max: Option<Duration>,
    /// Time for which the session of a shell may be unused before it ends.
    pub session_idle: Duration,
    /// Whether what is typed in the shell is kept in a file, in the clear.
    pub keeps_history: bool,
    /// How what people write is kept: drafts, and statements in the history.
    pub texts: TextStorage,
    /// What is kept of what ran.
    pub history: HistorySettings,
    /// What the file says of serving.
    pub serve: serve::File,
}

/// `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    deadline: Option<String>,
    deadline_max: Option<String>,
    session_idle: Option<String>,
    plugins: Option<Vec<PathBuf>>,
    shell_history: Option<ShellHistory>,
    texts: Option<Texts>,
    history: Option<History>,
    serve: Option<serve::File>,
}

/// Where what is typed in the shell is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ShellHistory {
    /// In memory, as long as the shell runs.
    Memory,
    /// In a file, in the clear.
    Plain,
}

/// How what people write is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Texts {
    /// Sealed under the master key; in memory where there is none.
    Sealed,
    /// In the store, in the clear.
    Plain,
}

/// What is kept of what ran.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    keep: Option<Keep>,
    runs: Option<u32>,
    age: Option<String>,
}

/// How much of each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Keep {
    Texts,
    Facts,
    Off,
}

impl Config {
    /// Reads the settings. `home` is what the flag or the environment says; `programs` the folder of this program.
    pub(crate) fn read(home: Option<&Path>, programs: &Path) -> Result<Config, Failure> {
        let home = match home {
            Some(home) => std::path::absolute(home).map_err(|error| {
                Failure::usage(format!("cannot use the home folder: {}", describe(&error)))
            })?,
            None => default_home()?,
        };
        let path = home.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(Failure::usage(format!(
                    "cannot use {} as the home: it is no folder",
                    home.display()
                )));
            }
            Err(error) => {
                return Err(Failure::usage(format!("cannot read {}: {}", path.display(), describe(&error))));
            }
        };
        Config::layer(home, programs, &text, env::var_os("QUERYBOX_PLUGINS").as_deref()).map_err(|why| {
            Failure::usage(format!("{}: {why}", path.display()))
                .with_hint("`querybox --help` lists what can be set there")
        })
    }

    fn layer(home: PathBuf, programs: &Path, file: &str, plugins: Option<&OsStr>) -> Result<Config, String> {
        let file: File = toml::from_str(file).map_err(|error| error.to_string().trim_end().to_owned())?;
        // Nothing may run for ever because of a line in a file; a connection or a request may say so.
        let deadline = time("deadline", file.deadline)?.unwrap_or(DEADLINE_DEFAULT);
        let deadline_max = time("deadline_max", file.deadline_max)?;
        if deadline_max.is_some_and(|max| deadline > max) {
            return Err("deadline: it is longer than deadline_max".to_owned());
        }
        let session_idle = time("session_idle", file.session_idle)?.unwrap_or(SESSION_IDLE_DEFAULT);
        let more = match plugins {
            Some(list) => env::split_paths(list).filter(|folder| !folder.as_os_str().is_empty()).collect(),
            None => file.plugins.unwrap_or_default(),
        };
        let mut plugin_folders = vec![programs.join("plugins")];
        plugin_folders.extend(more.into_iter().map(|folder| home.join(folder)));
        plugin_folders.push(home.join("plugins"));
        let keeps_history = file.shell_history == Some(ShellHistory::Plain);
        let texts = match file.texts {
            Some(Texts::Plain) => TextStorage::Plain,
            Some(Texts::Sealed) | None => TextStorage::Sealed,
        };
        let history = history(file.history.unwrap_or_default())?;
        let serve = file.serve.unwrap_or_default();
        Ok(Config {
            home,
            plugin_folders,
            deadline,
            deadline_max,
            session_idle,
            keeps_history,
            texts,
            history,
            serve,
        })
    }
}

fn history(file: History) -> Result<HistorySettings, String> {
    let usual = HistorySettings::USUAL;
    let level = match file.keep {
        Some(Keep::Texts) | None => HistoryLevel::Texts,
        Some(Keep::Facts) => HistoryLevel::Facts,
        Some(Keep::Off) => HistoryLevel::Off,
    };
    let runs_max = match file.runs {
        Some(0) => return Err("history.runs: give a number from 1; `keep = \"off\"` keeps none".to_owned()),
        Some(runs) if runs > RUNS_MAX => return Err(format!("history.runs: give {RUNS_MAX} at most")),
        runs => runs.unwrap_or(usual.runs_max),
    };
    let age_max = match file.age.map(|age| age.parse::<AgeArg>()).transpose() {
        Ok(age) => age.map_or(usual.age_max, |AgeArg(age)| age),
        Err(why) => return Err(format!("history.age: {why}")),
    };
    Ok(HistorySettings { level, runs_max, age_max, ..usual })
}

/// Reads a time. `None`: the file does not say.
fn time(key: &str, text: Option<String>) -> Result<Option<Duration>, String> {
    match text.map(|text| text.parse()) {
        None => Ok(None),
        Some(Ok(DeadlineArg::After(time))) => Ok(Some(time)),
        Some(Ok(DeadlineArg::None) | Err(_)) => Err(format!("{key}: give a time such as `30s` or `5m`")),
    }
}

fn default_home() -> Result<PathBuf, Failure> {
    directories::ProjectDirs::from("", "", "querybox").map(|dirs| dirs.data_dir().to_owned()).ok_or_else(
        || {
            Failure::usage("there is no home folder to keep connections in")
                .with_hint("name one with `--home FOLDER` or QUERYBOX_HOME")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(file: &str, plugins: Option<&str>) -> Result<Config, String> {
        Config::layer("/home/ada/qb".into(), Path::new("/opt/qb"), file, plugins.map(OsStr::new))
    }

    fn folders(config: &Config) -> Vec<&str> {
        config.plugin_folders.iter().map(|folder| folder.to_str().unwrap()).collect()
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "plugins = ['/from/file', 'mine']";
        let config = layer(file, None).unwrap();
        assert_eq!(
            folders(&config),
            ["/opt/qb/plugins", "/from/file", "/home/ada/qb/mine", "/home/ada/qb/plugins"]
        );
        let config = layer(file, Some("/a:/b")).unwrap();
        assert_eq!(folders(&config), ["/opt/qb/plugins", "/a", "/b", "/home/ada/qb/plugins"]);
    }

    #[test]
    fn defaults_stand_where_nothing_is_said() {
        let config = layer("", Some("")).unwrap();
        assert_eq!(config.deadline, Duration::from_secs(30));
        assert_eq!(folders(&config), ["/opt/qb/plugins", "/home/ada/qb/plugins"]);
        assert_eq!((config.deadline_max, config.session_idle), (None, Duration::from_secs(600)));
        assert_eq!(layer("session_idle = '1h'", None).unwrap().session_idle, Duration::from_secs(3600));
        assert_eq!(layer("deadline = '5m'", None).unwrap().deadline, Duration::from_secs(300));
        let bounded = layer("deadline_max = '1h'", None).unwrap();
        assert_eq!(bounded.deadline_max, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn history_is_kept_only_when_it_is_asked_for_by_name() {
        let keeps = |file: &str| layer(file, None).map(|config| config.keeps_history);
        assert_eq!(keeps(""), Ok(false));
        assert_eq!(keeps("shell_history = 'memory'"), Ok(false));
        assert_eq!(keeps("shell_history = 'plain'"), Ok(true));
        assert!(keeps("shell_history = 'yes'").is_err());
    }

    #[test]
    fn texts_lie_in_the_clear_only_when_that_is_asked_for_by_name() {
        let texts = |file: &str| layer(file, None).map(|config| config.texts);
        assert_eq!(texts(""), Ok(TextStorage::Sealed));
        assert_eq!(texts("texts = 'sealed'"), Ok(TextStorage::Sealed));
        assert_eq!(texts("texts = 'plain'"), Ok(TextStorage::Plain));
        assert!(texts("texts = 'clear'").is_err());
    }

    #[test]
    fn the_history_is_as_long_and_tells_as_much_as_the_file_says() {
        let history = |file: &str| layer(file, None).map(|config| config.history);
        assert_eq!(history(""), Ok(HistorySettings::USUAL));
        let set = history("[history]\nkeep = 'facts'\nruns = 5\nage = '2d'").unwrap();
        assert_eq!((set.level, set.runs_max, set.age_max.as_secs()), (HistoryLevel::Facts, 5, 172_800));
        assert_eq!(history("[history]\nkeep = 'off'").unwrap().level, HistoryLevel::Off);
        for wrong in
            ["keep = 'all'", "runs = 0", "runs = 2000000", "age = 'long'", "age = '0d'", "length = 5"]
        {
            assert!(history(&format!("[history]\n{wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_refused() {
        assert!(layer("dedline = '5s'", None).is_err_and(|why| why.contains("dedline")));
        assert!(layer("[serve]\nport = 1", None).is_err_and(|why| why.contains("port")));
        assert!(layer("deadline = 'soon'", None).is_err_and(|why| why.starts_with("deadline: ")));
        assert!(layer("deadline = 'none'", None).is_err());
        assert!(layer("deadline = 5", None).is_err());
        assert!(layer("deadline_max = 'none'", None).is_err_and(|why| why.starts_with("deadline_max: ")));
        assert!(layer("deadline_max = '10s'", None).is_err_and(|why| why.contains("deadline_max")));
    }
}
