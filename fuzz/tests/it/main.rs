//! Hostile servers for a minute, by the code of the soak.

use std::time::Duration;

use querybox_fuzz::{
    case::Case,
    corpus::Feature,
    meeting::Place,
    soak::{Length, meet, seed_folder},
};

/// What a gate has time for; `cargo xtask soak fuzz` takes half an hour.
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn bent_sessions_break_nothing() {
    let mut last = None;
    let (corpus, fault) =
        meet(1, Length::Time(MINUTE), |_| Ok(()), |figures| last = Some(*figures)).await.unwrap();
    println!("{:?}", last.unwrap());
    if let Some(fault) = fault {
        panic!("{}: the case is\n{}", fault.what, fault.case);
    }
    // As many ways as a recorded session has were found, and more.
    assert!(corpus.features() > 300, "{}", corpus.features());
    assert!(corpus.failures().count() > 20);
}

#[tokio::test]
async fn each_seed_is_a_session_that_the_driver_takes_part_in() {
    let place = Place::make(Duration::from_secs(30)).unwrap();
    for entry in std::fs::read_dir(seed_folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let case: Case = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let outcome = place.meet(&case).await.unwrap();
        assert_eq!(outcome.fault, None, "{name}");
        let shows = match name.as_str() {
            // The proof holds, and the driver goes on to set the session up.
            "log-in-scram" => Feature::Asked(b'p', b'P'),
            "log-in-refused" => Feature::Rejected(0b10_0000),
            "log-in-md5" => Feature::Asked(0, b'p'),
            "log-in-clear" => Feature::Failed(
                "the server asks for the password in clear text, which is not sent without verifi".into(),
            ),
            _ => Feature::Opened(case.user.read_only),
        };
        assert!(outcome.features.contains(&shows), "{name}: {:?}", outcome.features);
    }
}
