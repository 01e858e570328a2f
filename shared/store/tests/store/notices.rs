//! The states of a notice: every change is valid only under its condition, also when it is
//! repeated.

mod claim;
mod dismissals;
mod due;
mod feedback;
mod fixtures;
mod settle;
mod unknown;
mod verdicts;
