//! The function against the BILL sandbox and the local AWS.

#[cfg(test)]
mod batches;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod candidates;
#[cfg(test)]
mod customer;
#[cfg(test)]
mod due_steps;
#[cfg(test)]
mod events;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod newer_releases;
#[cfg(test)]
mod support;
#[cfg(test)]
mod times;
