//! Codes: what a link carries in place of the token.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use querybox_core::Token;

/// Codes that were made and not traded, oldest first.
#[derive(Debug, Default)]
pub(super) struct Codes(VecDeque<(Token, Instant)>);

impl Codes {
    /// Time for which a code is good: to copy a link from a terminal into a browser. A link lies in its history for ever.
    pub(super) const LIFE: Duration = Duration::from_secs(300);
    /// More codes than this nobody has in hand.
    const MAX: usize = 16;

    pub(super) fn make(&mut self, now: Instant) -> String {
        self.forget(now);
        if self.0.len() >= Self::MAX {
            self.0.pop_front();
        }
        let code = Token::make();
        // Who asks for a code is to have it.
        let text = code.expose().to_owned();
        self.0.push_back((code, now));
        text
    }

    /// Whether the code is good; from now on it is not.
    pub(super) fn take(&mut self, code: &str, now: Instant) -> bool {
        self.forget(now);
        let found = self.0.iter().position(|(made, _)| made.is(code.as_bytes()));
        found.and_then(|at| self.0.remove(at)).is_some()
    }

    fn forget(&mut self, now: Instant) {
        self.0.retain(|(_, made)| now.saturating_duration_since(*made) < Self::LIFE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_good_once() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        let (first, second) = (codes.make(now), codes.make(now));
        assert!(!codes.take("", now) && !codes.take(&first[1..], now));
        assert!(codes.take(&first, now));
        assert!(!codes.take(&first, now));
        assert!(codes.take(&second, now));
    }

    #[test]
    fn a_code_is_good_for_its_time() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        let (early, late) = (codes.make(now), codes.make(now));
        assert!(codes.take(&early, now + Codes::LIFE - Duration::from_millis(1)));
        assert!(!codes.take(&late, now + Codes::LIFE));
    }

    #[test]
    fn the_last_ones_are_kept() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        let first = codes.make(now);
        let later: Vec<_> = (0..Codes::MAX).map(|_| codes.make(now)).collect();
        assert!(!codes.take(&first, now));
        assert!(later.iter().all(|code| codes.take(code, now)));
    }
}
