//! Sockets that carry something else than gRPC. The words are those of the libraries that read it.

use crate::misbehaving::{
    trial::{Call, Outcome},
    trials,
};

/// A connection that fails before the call is under way is told in one of several ways, as it comes.
const UNREADABLE: &str = "a failure without a reason";

trials! {
    Open {
        serve_silent => Outcome::Deadline,
        serve_garbage => Outcome::Broken(UNREADABLE),
        serve_http_one => Outcome::Broken(UNREADABLE),
        serve_drips => Outcome::Deadline,
        serve_exits => Outcome::Broken("it exited in the middle of a call"),
        serve_closes => Outcome::Broken(UNREADABLE),
        headers_endless => Outcome::Broken("too_many_continuations"),
        interim_endless => Outcome::Deadline,
        http_error => Outcome::Broken("HTTP status code 500"),
        open_huge => Outcome::Broken("message length too large"),
        open_undecodable => Outcome::Broken("failed to decode Protobuf message"),
        open_compressed => Outcome::Broken("compressed-flag"),
    }
    Execute {
        part_huge => Outcome::Broken("message length too large"),
        part_drips => Outcome::Deadline,
        part_truncated => Outcome::Broken("the parts end inside statement 0"),
        status_missing => Outcome::Broken("missing grpc-status trailer"),
        frame_huge => Outcome::Broken("frame with invalid size"),
        frame_foreign => Outcome::Broken("unspecific protocol error"),
        frames_garbage => Outcome::Broken("frame with invalid size"),
        frames_empty => Outcome::Broken("too_many_data_frames"),
        flood_pings => Outcome::Deadline,
        flood_settings => Outcome::Deadline,
        stream_reset => Outcome::Broken("stream error received: unexpected internal error"),
        go_away => Outcome::Broken("connection error received: unexpected internal error"),
        close_socket => Outcome::Broken("broken pipe"),
    }
}

/// Frames that no window counts, and a reader that stands still.
pub(super) mod unread {
    use super::*;

    trials! {
        ExecuteAndWait {
            frames_empty => Outcome::Deadline,
            flood_pings => Outcome::Deadline,
            flood_settings => Outcome::Deadline,
        }
    }
}
