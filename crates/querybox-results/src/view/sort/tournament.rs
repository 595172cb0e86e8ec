//! Who of many is the least, found anew with few comparisons when one of them changes.

/// A tree of matches: in each node waits who lost there, and the winner of all is the least.
pub(super) struct Tournament {
    /// Of each match, the root's at 1. The match of player `p` is at half of `p + players`, as in a heap with the players as
    /// its leaves.
    losers: Vec<usize>,
    winner: usize,
}

/// Nobody was there yet.
const NOBODY: usize = usize::MAX;

impl Tournament {
    /// Has so many players, at least one, play. `is_less` is never asked about a player and itself.
    pub(super) fn new(players: usize, is_less: impl Fn(usize, usize) -> bool) -> Tournament {
        let mut tournament = Tournament { losers: vec![NOBODY; players], winner: NOBODY };
        (0..players).for_each(|player| tournament.play(player, &is_less));
        tournament
    }

    pub(super) fn winner(&self) -> usize {
        self.winner
    }

    /// Has the winner play again, who is another than he was.
    pub(super) fn play_again(&mut self, is_less: impl Fn(usize, usize) -> bool) {
        self.play(self.winner, &is_less);
    }

    fn play(&mut self, mut player: usize, is_less: &impl Fn(usize, usize) -> bool) {
        let mut at = (player + self.losers.len()) / 2;
        while at > 0 {
            let other = self.losers[at];
            if other == NOBODY {
                self.losers[at] = player;
                return;
            }
            if is_less(other, player) {
                self.losers[at] = player;
                player = other;
            }
            at /= 2;
        }
        self.winner = player;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_wins_whoever_plays() {
        for players in 1..40_usize {
            let mut values: Vec<u64> = (0..players as u64).map(|at| at * 7919 % 31).collect();
            let is_less = |values: &[u64], one: usize, two: usize| (values[one], one) < (values[two], two);
            let mut tournament = Tournament::new(players, |one, two| is_less(&values, one, two));
            for step in 0..200 {
                let winner = tournament.winner();
                assert!((0..players).all(|player| player == winner || is_less(&values, winner, player)));
                values[winner] += step * 31 % 17;
                tournament.play_again(|one, two| is_less(&values, one, two));
            }
        }
    }
}
