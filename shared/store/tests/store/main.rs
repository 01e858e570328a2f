//! The tables against DynamoDB: the one of MiniStack, and a scripted one for responses that
//! MiniStack never sends.
//!
//! Starting MiniStack takes seconds, and `cargo nextest` runs every test in a process of its own. A
//! test is therefore a topic: it starts MiniStack once and runs several behaviours, each with empty
//! tables.

#[cfg(test)]
mod contacts;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tables;
