//! A server that is killed at any moment leaves nothing of results, of their views, and of exports.

use std::{
    env, fs,
    io::Read as _,
    process::{Child, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use querybox_fixtures::root_only;
use rustix::process::Signal;

use super::{
    results::{canaries, files, has_canary, keep, listed, unnamed_files},
    server::{PATIENCE, Server},
};
use crate::house::{House, names, within};

/// Brings the moments of an earlier run back.
const SEED: &str = "QUERYBOX_TEST_SEED";
const KILLS: u64 = 4;
/// All that is begun has begun long before.
const MOMENT_MAX_MS: u64 = 1500;

/// Numbers that nobody expects (Vigna's splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % most
    }
}

/// Runs a verb on the server, and does not wait for it.
fn begun(house: &House, server: &Server, args: &[&str]) -> Child {
    house.command([args, &["--server", &server.url()]].concat()).spawn().unwrap()
}

#[test]
fn a_server_that_is_killed_at_a_random_moment_leaves_nothing_of_what_it_kept() {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
    let seed = env::var(SEED).ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(now);
    let mut random = Random(seed);
    let can_look = root_only("a_server_that_is_killed_at_a_random_moment_… (what its files hold)");
    let house = House::new();
    let before = {
        let server = Server::start(&house);
        server.verb(&house, &["query", "shop", "select 1"]).exits(0);
        files(&house.home())
    };
    let here = names(&house.path(""));
    for kill in 0..KILLS {
        let server = Server::start(&house);
        let id = keep(&house, &server, &canaries(1_000_000_000));
        // More than stays in memory, so that runs of a sort are on the disk soon.
        let wanted = random.below(64 << 20);
        within(PATIENCE, "rows arrive", || {
            listed(&house, &server).iter().any(|result| result["kept_bytes"].as_u64() > Some(wanted))
        });
        let others = [
            begun(&house, &server, &["results", "export", &id, "-o", "out.csv"]),
            begun(&house, &server, &["results", "sort", &id, "--by", "text:desc"]),
            begun(&house, &server, &["results", "export", &id, "--format", "xlsx", "-o", "out.xlsx"]),
        ];
        let moment = Duration::from_millis(random.below(MOMENT_MAX_MS));
        std::thread::sleep(moment);
        let told = format!("kill {kill} at {moment:?} behind {wanted} bytes, {SEED}={seed}");
        if can_look {
            for content in unnamed_files(&server) {
                assert!(
                    !has_canary(&content),
                    "{told}: a file of {} bytes holds what was returned",
                    content.len()
                );
            }
        }
        server.signal(Signal::KILL);
        assert_ne!(server.end(&house).code, 0);
        for other in others {
            // One that sorted what was there may have come to its end before; an export of what goes on did not.
            house.ran(other.wait_with_output().unwrap());
        }
        let log = ["serve.log".to_owned()];
        let mut left = names(&house.path(""));
        left.retain(|name| !here.contains(name) && !log.contains(name));
        assert!(left.is_empty(), "{told}: {left:?}");
        let mut left = files(&house.home());
        // The store's own, which its next user takes up.
        left.retain(|path| !before.contains(path));
        let left: Vec<_> = left.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert!(left.iter().all(|name| name.starts_with("store.db") || *name == "token"), "{told}: {left:?}");
        for path in files(&house.home()) {
            assert!(!has_canary(&fs::read(&path).unwrap()), "{told}: {}", path.display());
        }
    }
}

#[test]
fn a_command_whose_server_is_killed_says_so_in_plain_words() {
    let house = House::new();
    let server = Server::start(&house);
    let endless = "with recursive n (i) as (select 1 union all select i + 1 from n) select i from n";
    let mut command =
        house.command(["query", "shop", endless, "--deadline", "none", "--server", &server.url()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Its first rows are there; nobody reads the rest before the server is gone.
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 64]).unwrap();
    server.signal(Signal::KILL);
    let ran = house.ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 3, "{ran:?}");
    let told = &ran.stderr;
    assert!(
        told.contains("the connection to the server ended before the answer did: the server was killed"),
        "{told}"
    );
    assert!(told.contains("what was asked may have been done or not"), "{told}");
    assert!(!told.contains("h2") && !told.contains("body"), "{told}");
}
