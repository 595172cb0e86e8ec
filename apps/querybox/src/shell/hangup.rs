//! Whether the terminal is still there. SIGHUP mostly tells; a program that was started with it ignored, or in a session
//! without a leader, hears nothing.

use std::time::Duration;

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    stdio::stdin,
};
use tokio::time::interval;

/// The terminal is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until the terminal that is standard input has hung up.
pub(crate) async fn hung_up() {
    let mut looks = interval(LOOK_EVERY);
    loop {
        looks.tick().await;
        if has_hung_up() {
            return;
        }
    }
}

fn has_hung_up() -> bool {
    let stdin = stdin();
    let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    // Whatever cannot be asked is not known to be gone.
    poll(&mut asked, Some(&at_once)).is_ok_and(|count| count > 0)
        && asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}
