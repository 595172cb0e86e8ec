//! How wide the columns of a grid are.

/// A column that wants at most this much gets it; a terminal on which not even this fits shows records instead.
const FLOOR: usize = 8;
/// Where nothing has to fit, cells beyond this width stick out instead of widening their whole column.
const PADDED_MAX: usize = 200;
/// What stands between two columns.
const SEPARATOR_WIDTH: usize = 3;

/// The widths of a grid's columns. They only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Widths {
    widths: Vec<usize>,
    /// Columns of the terminal that no width has taken yet. `None`: there is no end of them.
    free: Option<usize>,
}

impl Widths {
    /// Shares the room among columns that want `natural` widths. `None`: they cannot be shown side by side.
    pub(crate) fn fit(natural: &[usize], room: Option<usize>) -> Option<Widths> {
        let floor: Vec<_> = natural.iter().map(|wanted| (*wanted).min(FLOOR)).collect();
        let free = match room {
            None => None,
            Some(room) => {
                // One space stands before the first column.
                let taken = 1 + floor.iter().sum::<usize>() + SEPARATOR_WIDTH * floor.len().saturating_sub(1);
                Some(room.checked_sub(taken)?)
            }
        };
        let mut widths = Widths { widths: floor, free };
        widths.grow(natural);
        Some(widths)
    }

    /// Widens columns towards what they want. Those that want little get it; the rest is shared evenly.
    pub(crate) fn grow(&mut self, wanted: &[usize]) {
        let Some(free) = &mut self.free else {
            for (width, wanted) in self.widths.iter_mut().zip(wanted) {
                *width = (*width).max((*wanted).min(PADDED_MAX));
            }
            return;
        };
        let mut wishes: Vec<_> = self
            .widths
            .iter()
            .zip(wanted)
            .enumerate()
            .map(|(column, (width, wanted))| (wanted.saturating_sub(*width), column))
            .filter(|(wish, _)| *wish > 0)
            .collect();
        wishes.sort_unstable();
        let mut waiting = wishes.len();
        for (wish, column) in wishes {
            let granted = wish.min(*free / waiting);
            self.widths[column] += granted;
            *free -= granted;
            waiting -= 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[usize] {
        &self.widths
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(natural: &[usize], room: Option<usize>, expected: Option<&[usize]>) {
        let widths = Widths::fit(natural, room);
        assert_eq!(widths.as_ref().map(Widths::as_slice), expected);
    }

    #[test]
    fn what_fits_is_not_touched() {
        check(&[3, 20, 10], Some(80), Some(&[3, 20, 10]));
        check(&[3, 20, 150], None, Some(&[3, 20, 150]));
    }

    #[test]
    fn the_widest_give_way_first() {
        check(&[4, 100, 10], Some(40), Some(&[4, 19, 10]));
        check(&[100, 100], Some(44), Some(&[20, 20]));
    }

    #[test]
    fn too_many_columns_are_no_grid() {
        check(&[10; 10], Some(80), None);
        check(&[1; 10], Some(80), Some(&[1; 10]));
    }

    #[test]
    fn huge_cells_do_not_widen_a_column_where_nothing_has_to_fit() {
        check(&[1_000_000], None, Some(&[PADDED_MAX]));
    }

    proptest! {
        #[test]
        fn a_grid_never_leaves_its_room_and_never_shrinks(
            first in prop::collection::vec(1_usize..300, 1..12),
            later in prop::collection::vec(1_usize..300, 12),
            room in 1_usize..200,
        ) {
            if let Some(mut widths) = Widths::fit(&first, Some(room)) {
                let before = widths.clone();
                widths.grow(&later[..first.len()]);
                let line = 1 + widths.as_slice().iter().sum::<usize>() + 3 * (first.len() - 1);
                prop_assert!(line <= room);
                prop_assert!(before.as_slice().iter().zip(widths.as_slice()).all(|(old, new)| old <= new));
            }
        }
    }
}
