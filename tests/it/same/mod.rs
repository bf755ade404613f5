//! Finding the same workout: a seeded world of workouts, recorders that see them imperfectly, and look-alikes.

mod grouping;
mod merging;
mod negatives;
mod program;
mod real;
mod recall;
mod summaries;
mod world;
