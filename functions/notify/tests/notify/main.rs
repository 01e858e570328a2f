//! The function against the local AWS, behind a proxy that records its calls and injects faults.

#[cfg(test)]
mod concurrent_runs;
#[cfg(test)]
mod daily_quota;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod failed_sends;
#[cfg(test)]
mod support;
#[cfg(test)]
mod unreadable;
