//! What lies in the plugin folders.

use std::{fs, path::Path, sync::Arc, time::Instant};

use querybox_core::{Listing, PluginState, SessionError};
use querybox_fixtures::{copy_program, example};

use crate::house::{House, owner, request, session_id};

fn states(listing: &Arc<Listing>, root: &Path) -> Vec<String> {
    listing
        .plugins
        .iter()
        .map(|plugin| {
            let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
            let state = match &plugin.state {
                PluginState::Usable(described) => format!("usable {}", described.info.driver_type),
                PluginState::Shadowed { by, .. } => format!("shadowed by {}", name(by)),
                PluginState::Broken(error) => format!("broken: {error}"),
            };
            format!("{} {state}", name(&plugin.path))
        })
        .collect()
}

#[tokio::test]
async fn the_first_driver_of_a_type_wins_and_broken_files_say_why() {
    let house = House::without_plugins().await;
    let root = house.folder.path();
    let driver = example("test-driver");
    copy_program(&driver, &root.join("first")).unwrap();
    let custom = copy_program(&driver, &root.join("second")).unwrap();
    fs::rename(custom, root.join("second/querybox-driver-test")).unwrap();
    let misnamed = copy_program(&driver, &root.join("first")).unwrap();
    fs::rename(misnamed, root.join("first/querybox-driver-other")).unwrap();
    copy_program(&driver, &root.join("first")).unwrap();
    house.folder.add_file("first/garbage", owner(), 0o755, "#!/bin/sh\necho '<html>'\n").unwrap();
    house.folder.add_file("first/notes.txt", owner(), 0o644, "not a driver").unwrap();

    let listing = house.core.plugins().await;
    let states_found = states(&listing, root);
    assert_eq!(
        states_found[0],
        "first/querybox-driver-other broken: it is a driver for test, but its name says other"
    );
    assert!(
        states_found[1].starts_with("first/garbage broken: its answer to `info` is no plugin info"),
        "{states_found:?}"
    );
    assert_eq!(
        states_found[2..],
        ["first/test-driver usable test", "second/querybox-driver-test shadowed by first/test-driver"]
    );
    assert_eq!(listing.folders, [root.join("first"), root.join("second")]);

    // The listing stays until somebody asks for a new look; a query finds what is there now.
    fs::remove_file(root.join("first/test-driver")).unwrap();
    assert_eq!(states(&house.core.plugins().await, root), states_found);
    let rescanned = states(&house.core.rescan_plugins().await, root);
    assert_eq!(rescanned[2..], ["second/querybox-driver-test usable test"]);
}

#[tokio::test]
async fn a_query_asks_no_file_that_cannot_be_its_driver() {
    let house = House::new().await;
    // It would keep a full look busy for two seconds.
    let hangs = "#!/bin/sh\nwhile :; do :; done\n";
    house.folder.add_file("first/querybox-driver-hangs", owner(), 0o755, hangs).unwrap();
    house.folder.add_file("second/querybox-driver-another", owner(), 0o755, hangs).unwrap();
    let begun = Instant::now();
    drop(house.execute("rows 1").await);
    assert!(begun.elapsed().as_secs_f32() < 1.0, "{:?}", begun.elapsed());

    let mut missing = request(session_id(), "rows 1", querybox_core::Deadline::None);
    missing.target = querybox_core::Target::Unsaved(Box::new(crate::house::unsaved("oracle")));
    let error = house.core.execute(missing).await.err().unwrap();
    assert!(matches!(error, SessionError::Connection(_)));
    assert_eq!(error.to_string(), "there is no usable driver for oracle");
}
