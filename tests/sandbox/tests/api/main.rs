//! What the sandbox does, seen over HTTP. Every answer that is not broken on purpose is checked against the contract.

mod contract;
mod control;
mod faults;
mod limits;
mod lists;
mod population;
mod sessions;
mod support;
mod tour;
