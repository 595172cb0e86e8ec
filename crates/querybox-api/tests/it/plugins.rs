//! Plugins.

use querybox_contracts::core::v1::{self as pb, plugin::State};

use crate::house::House;

#[tokio::test]
async fn plugins_are_listed_with_what_they_say_of_themselves() {
    let house = House::new().await;
    let listing = house.plugins().list_plugins(pb::ListPluginsRequest {}).await.unwrap().into_inner();
    let types: Vec<_> = listing
        .plugins
        .iter()
        .map(|plugin| match plugin.state.as_ref().unwrap() {
            State::Usable(info) => info.driver_type.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(types, ["sqlite", "test"]);
    assert_eq!(listing.folders.len(), 1);

    let broken = std::path::Path::new(&listing.folders[0]).join("broken");
    std::fs::copy(house_jail(), &broken).unwrap();
    let rescan = house.plugins().rescan_plugins(pb::RescanPluginsRequest {}).await.unwrap().into_inner();
    let found = rescan.plugins.iter().find(|plugin| plugin.path.ends_with("/broken")).unwrap();
    let Some(State::Broken(broken)) = &found.state else { panic!("{found:?}") };
    assert!(!broken.error.is_empty());
}

/// A program that is no driver.
fn house_jail() -> std::path::PathBuf {
    querybox_fixtures::program("querybox-jail")
}
