//! A process that starts drivers, prints their ids, and waits to be killed: `short-lived-core JAIL DRIVER COUNT`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{env, path::Path};

use querybox_launcher::{Config, DriverFile, Ids, Launcher, Limits, MemoryControl, StartOrder};

#[tokio::main]
async fn main() {
    let [jail, driver, count] = env::args().skip(1).collect::<Vec<_>>().try_into().expect("three arguments");
    let unprivileged = Ids { uid: 65534, gid: 65534 };
    let config = Config { jail: jail.into(), unprivileged, memory: MemoryControl::Groups, spares: None };
    let launcher = Launcher::new(config).expect("a thread can be started");
    let driver = DriverFile::look_at(Path::new(&driver)).expect("the driver is there");
    let limits = Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: None };
    let order = StartOrder { driver, grant: None, limits, deadline: None };
    let mut drivers = Vec::new();
    for _ in 0..count.parse::<usize>().expect("the count is a number") {
        let driver = launcher.start(&order).await.expect("the driver starts");
        println!("{}", driver.pid());
        drivers.push(driver);
    }
    println!("ready");
    std::future::pending::<()>().await;
}
