//! A process that starts drivers, prints their ids, and waits to be killed: `short-lived-core JAIL DRIVER COUNT [SPARES]`.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{env, path::Path, time::Duration};

use querybox_launcher::{Config, DriverFile, Ids, Launcher, Limits, MemoryControl, SpareLimits, StartOrder};

#[tokio::main]
async fn main() {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    let [jail, driver, numbers @ ..] = arguments.as_slice() else { panic!("three arguments") };
    let mut numbers = numbers.iter().map(|number| number.parse::<usize>().expect("it is a number"));
    let (count, spare_count) = (numbers.next().expect("a count"), numbers.next().unwrap_or(0));
    let unprivileged = Ids { uid: 65534, gid: 65534 };
    let spares = SpareLimits {
        per_driver: spare_count,
        total: spare_count,
        age_max: Duration::from_secs(600),
        available_memory_min_bytes: 0,
        meminfo: "/proc/meminfo".into(),
    };
    let config =
        Config { jail: jail.into(), unprivileged, memory: MemoryControl::Groups, spares: Some(spares) };
    let launcher = Launcher::new(config).expect("a thread can be started");
    let driver = DriverFile::look_at(Path::new(driver)).expect("the driver is there");
    let limits = Limits { memory_bytes_max: 512 << 20, descriptors_max: 64, file_bytes_max: None };
    let order = StartOrder { driver, grant: None, limits, deadline: None };
    let mut drivers = Vec::new();
    for _ in 0..count {
        let driver = launcher.start(&order).await.expect("the driver starts");
        println!("{}", driver.pid());
        drivers.push(driver);
    }
    while launcher.spare_counts().ready < spare_count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("ready");
    std::future::pending::<()>().await;
}
