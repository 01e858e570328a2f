//! The tables against DynamoDB: the one of MiniStack, and a scripted one for responses that
//! MiniStack never sends. MiniStack is started once for a test run; each test has tables of its own.

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
