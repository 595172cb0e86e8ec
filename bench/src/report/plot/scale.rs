//! A logarithmic scale of ratios.

/// Ratios that may be marked.
const MARKS: [f64; 26] = [
    0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 1.75, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0,
    20.0, 50.0, 100.0, 200.0, 500.0, 1000.0,
];
/// Marks stand at least this far apart.
const APART: f64 = 44.0;
/// What is free at either end, as a factor.
const MARGIN: f64 = 1.06;

/// From the smallest to the largest of some ratios and 1, which is the floor's.
pub(super) struct Scale {
    from: f64,
    to: f64,
    left: f64,
    right: f64,
}

impl Scale {
    /// `None`: there are no values.
    pub(super) fn over(values: impl Iterator<Item = f64>, left: f64, right: f64) -> Option<Self> {
        let values: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
        let first = *values.first()?;
        let from = values.iter().copied().fold(first, f64::min).min(1.0) / MARGIN;
        let to = values.iter().copied().fold(first, f64::max).max(1.0) * MARGIN;
        Some(Self { from, to, left, right })
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE) / self.from).ln() / (self.to / self.from).ln();
        self.left + share * (self.right - self.left)
    }

    /// Those that have room; the floor's is one of them.
    pub(super) fn marks(&self) -> Vec<f64> {
        let mut chosen = vec![1.0];
        // Round numbers first.
        let plain = |mark: &&f64| [0.1, 0.2, 0.5, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0].contains(*mark);
        for mark in MARKS.iter().filter(plain).chain(&MARKS) {
            let is_inside = (self.from..=self.to).contains(mark);
            let is_free = chosen.iter().all(|other| (self.place(*other) - self.place(*mark)).abs() >= APART);
            if is_inside && is_free {
                chosen.push(*mark);
            }
        }
        chosen.sort_by(f64::total_cmp);
        chosen
    }
}

/// `1.5` is `1.5 ×`.
pub(super) fn label(mark: f64) -> String {
    format!("{mark} ×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_as_far_as_half() {
        let scale = Scale::over([0.5, 2.0].into_iter(), 0.0, 100.0).unwrap();
        assert!((scale.place(1.0) - 50.0).abs() < 1e-9);
        assert!((scale.place(2.0) - 50.0 - (50.0 - scale.place(0.5))).abs() < 1e-9);
    }

    #[test]
    fn marks_stand_apart_and_show_the_floor() {
        for values in [[0.9, 1.1], [0.5, 64.0], [2.0, 3.0], [1.0, 1.0]] {
            let scale = Scale::over(values.into_iter(), 290.0, 780.0).unwrap();
            let marks = scale.marks();
            assert!(marks.contains(&1.0), "{marks:?}");
            assert!(
                marks.windows(2).all(|pair| scale.place(pair[1]) - scale.place(pair[0]) >= APART),
                "{marks:?}"
            );
        }
        assert!(Scale::over([].into_iter(), 0.0, 1.0).is_none());
    }
}
