//! A session bus with GNOME Keyring on it, apart from the user's own.

use std::{
    ffi::OsString,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getegid, geteuid, kill_process};

use crate::{folder::Folder, users::User};

const START_LIMIT: Duration = Duration::from_secs(30);
const PASSWORD: &str = "login";

/// A session bus of its own, on which GNOME Keyring may answer; dropping it ends both and removes what they kept.
///
/// It runs as the user that the tests run as: a bus talks to its own user alone. It starts no service by itself, so that
/// nothing of the user's comes up and what was ended stays ended.
pub struct Keyring {
    // Ended before their folder goes.
    daemon: Option<Child>,
    bus: Child,
    folder: Folder,
}

/// What is on the bus at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringState {
    /// A keyring, unlocked.
    Unlocked,
    /// A keyring, unlocked, with which the bus lets nobody talk.
    Denied,
    /// Nobody.
    NoService,
}

impl Keyring {
    /// Starts a bus with an unlocked keyring.
    ///
    /// # Panics
    ///
    /// When D-Bus, GNOME Keyring or secret-tool is not installed, or does not start: a test can do nothing without them.
    pub fn start() -> Self {
        Self::start_with(KeyringState::Unlocked)
    }

    /// Starts a bus in some other state.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(state: KeyringState) -> Self {
        let user = User { uid: geteuid().as_raw(), gid: getegid().as_raw() };
        let folder = Folder::make(user, 0o700).expect("the folder for temporary files is writable");
        for name in ["home", "data", "config", "cache", "run"] {
            folder.add_folder(name, user, 0o700).expect("a fresh folder takes folders");
        }
        let denied = state == KeyringState::Denied;
        let rules = bus_rules(&folder.path().join("bus"), denied);
        let rules = folder.add_file("bus.conf", user, 0o600, &rules).expect("a fresh folder takes files");
        let mut config = OsString::from("--config-file=");
        config.push(rules);
        let bus = Command::new("dbus-daemon")
            .arg(config)
            .args(["--nofork", "--nopidfile", "--nosyslog"])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed: apt-get install dbus");
        let mut keyring = Self { daemon: None, bus, folder };
        keyring.wait_until("the bus listens", |keyring| keyring.folder.path().join("bus").exists());
        if state != KeyringState::NoService {
            keyring.start_daemon();
        }
        keyring
    }

    /// What a program needs in its environment to talk to this keyring, and to touch nothing of the user's.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let path = |name: &str| self.folder.path().join(name).into_os_string();
        let mut address = OsString::from("unix:path=");
        address.push(path("bus"));
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", address),
            ("HOME", path("home")),
            ("XDG_DATA_HOME", path("data")),
            ("XDG_CONFIG_HOME", path("config")),
            ("XDG_CACHE_HOME", path("cache")),
            ("XDG_RUNTIME_DIR", path("run")),
        ]
    }

    /// What secret-tool prints: the secret of the one entry with these attributes. `None`: there is none.
    ///
    /// # Panics
    ///
    /// When secret-tool is not installed.
    pub fn lookup(&self, attributes: &[&str]) -> Option<Vec<u8>> {
        let output = self.command("secret-tool").arg("lookup").args(attributes).output();
        let output = output.expect("secret-tool is installed: apt-get install libsecret-tools");
        output.status.success().then_some(output.stdout)
    }

    /// What secret-tool says of all entries with these attributes, their labels among it.
    ///
    /// # Panics
    ///
    /// When secret-tool is not installed.
    pub fn search(&self, attributes: &[&str]) -> String {
        let output = self.command("secret-tool").args(["search", "--all"]).args(attributes).output();
        let output = output.expect("secret-tool is installed: apt-get install libsecret-tools");
        // The attributes are on standard error.
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// Locks it, as a screen lock may.
    ///
    /// # Panics
    ///
    /// When it cannot be locked.
    pub fn lock(&self) {
        let locked = self.ask(
            "org.freedesktop.secrets",
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            "array:objpath:/org/freedesktop/secrets/collection/login",
        );
        assert!(locked.contains("collection/login"), "the keyring cannot be locked: {locked}");
    }

    /// Stops it without ending it: it does not answer any more.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it run again.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it without a word, as a crash would. The bus stays.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }

    /// Starts it again, unlocked, after [`kill`](Self::kill). What was kept is there.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_daemon(&mut self) {
        let mut command = self.command("gnome-keyring-daemon");
        command
            .args(["--foreground", "--unlock", "--components=secrets"])
            .arg(self.control_folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut daemon =
            command.spawn().expect("gnome-keyring-daemon is installed: apt-get install gnome-keyring");
        give_password(&mut daemon);
        let pid = daemon.id();
        self.daemon = Some(daemon);
        self.wait_until("the keyring answers", |keyring| keyring.is_ready(pid));
    }

    /// Whether the daemon of this process id has the name on the bus, and has read its keyring.
    fn is_ready(&self, pid: u32) -> bool {
        // Asked of the bus, which answers also where it lets nobody talk to the keyring.
        let owner = self.ask(
            "org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            "org.freedesktop.DBus.GetConnectionUnixProcessID",
            "string:org.freedesktop.secrets",
        );
        owner.contains(&format!("uint32 {pid}"))
            && self.folder.path().join("data/keyrings/login.keyring").exists()
    }

    /// Calls a method with one argument, and answers with the reply as text; empty when it is an error.
    fn ask(&self, destination: &str, path: &str, method: &str, argument: &str) -> String {
        let output = self
            .command("dbus-send")
            .args(["--session", "--print-reply"])
            .arg(format!("--dest={destination}"))
            .args([path, method, argument])
            .output()
            .expect("dbus-send comes with D-Bus");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn control_folder(&self) -> OsString {
        let mut argument = OsString::from("--control-directory=");
        argument.push(self.folder.path().join("run/keyring"));
        argument
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .envs(self.environment())
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn signal(&self, signal: Signal) {
        if let Some(daemon) = &self.daemon {
            kill_process(Pid::from_child(daemon), signal).ok();
        }
    }

    fn wait_until(&mut self, what: &str, is_so: impl Fn(&Keyring) -> bool) {
        let deadline = Instant::now() + START_LIMIT;
        while !is_so(self) {
            let ended = self.bus.try_wait().is_ok_and(|ended| ended.is_some());
            assert!(!ended && Instant::now() < deadline, "not in time: {what}");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.kill();
        self.bus.kill().ok();
        self.bus.wait().ok();
    }
}

fn give_password(child: &mut Child) {
    let mut stdin = child.stdin.take().expect("its standard input is a pipe");
    // A program that ended has said why already.
    stdin.write_all(PASSWORD.as_bytes()).ok();
}

fn bus_rules(socket: &Path, denied: bool) -> String {
    let deny = if denied { r#"<deny send_destination="org.freedesktop.secrets"/>"# } else { "" };
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
    {deny}
  </policy>
</busconfig>
"#,
        socket.display()
    )
}
