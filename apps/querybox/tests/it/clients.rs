//! Clients of others, made of the contracts alone.

use std::{env, path::Path, process::Command};

use rustix::process::Signal;

use crate::{house::House, serve::server::Server};

/// Names a Python that has the packages of `tests/readers/requirements.txt` of querybox-results.
const PYTHON: &str = "QUERYBOX_TEST_PYTHON";

#[test]
#[ignore = "wants a Python with the packages of crates/querybox-results/tests/readers/requirements.txt"]
fn python_runs_queries_by_the_contracts_alone() {
    let python = env::var_os(PYTHON).unwrap_or_else(|| panic!("{PYTHON} names no Python"));
    let house = House::new();
    let server = Server::start(&house);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let talked = Command::new(python)
        .arg(here.join("tests/clients/client.py"))
        .arg(here.join("../../contracts"))
        .arg(&server.address)
        .arg(house.home().join("token"))
        .arg("shop")
        .env_remove("http_proxy")
        .env_remove("https_proxy")
        .env_remove("grpc_proxy")
        .output()
        .unwrap();
    let (told, complained) =
        (String::from_utf8_lossy(&talked.stdout), String::from_utf8_lossy(&talked.stderr));
    assert!(talked.status.success(), "{told}{complained}");
    assert_eq!(told.lines().count(), 6, "{told}");
    server.signal(Signal::TERM);
    server.end(&house).exits(0);
}
