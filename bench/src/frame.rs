//! The frame of every bench: contenders that take turns, round by round, and goals that are met or missed.
//!
//! A bench is a [`Bench`]: its contenders, and what they should reach. [`run`] gives each contender its turn in every round,
//! after one round that is thrown away. What comes out is [`Outcome`]s, from which [`report`](crate::report) makes a table
//! and a file.

mod contender;
mod goal;
mod rounds;

pub use self::{
    contender::{Contender, Outcome, Run, Sample, Unit, Usage},
    goal::{Bound, Goal, Verdict},
    rounds::{Bench, Plan, run},
};
