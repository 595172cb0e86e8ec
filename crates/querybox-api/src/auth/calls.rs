//! How many calls run, and that no more do than may.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use http_body::{Frame, SizeHint};
use tonic::body::Body;

use super::AccessError;

/// Calls that run. A full house answers at once: who waits in line holds memory, and learns nothing.
#[derive(Debug)]
pub(super) struct Calls {
    max: usize,
    running: Arc<AtomicUsize>,
}

/// A call's place among those that run. Dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Calls {
    pub(super) fn new(max: usize) -> Self {
        Self { max, running: Arc::default() }
    }

    pub(super) fn enter(&self) -> Result<Place, AccessError> {
        let one_more = |running| (running < self.max).then_some(running + 1);
        match self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Place(Arc::clone(&self.running))),
            Err(_) => Err(AccessError::CallsFull { max: self.max }),
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer that holds its call's place until it has been sent, or is dropped.
pub(super) struct Held {
    pub(super) body: Body,
    pub(super) _place: Option<Place>,
}

impl http_body::Body for Held {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        http_body::Body::poll_frame(Pin::new(&mut self.body), cx)
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_answers_at_once_and_has_room_again() {
        let calls = Calls::new(1);
        let first = calls.enter().unwrap();
        assert_eq!(calls.enter().err(), Some(AccessError::CallsFull { max: 1 }));
        let answer = Body::new(Held { body: Body::new("rows".to_owned()), _place: Some(first) });
        assert_eq!(calls.running(), 1);
        drop(answer);
        assert_eq!(calls.running(), 0);
        assert!(calls.enter().is_ok());
    }
}
