//! The tables against a DynamoDB: MiniStack's over HTTP, and for the answers that it never gives, a
//! scripted one.
//!
//! Starting MiniStack takes seconds and `cargo nextest` gives every test a process of its own, so a
//! test is a topic: one MiniStack, and behaviours that have fresh tables each.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod dismissals;
#[cfg(test)]
mod due;
#[cfg(test)]
mod feedback;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod made_due;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod preferences;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod tables;

/// Runs behaviours one after the other, each with its own tables, naming each so that a failure
/// tells which one it was.
macro_rules! behaviours {
    ($($behaviour:path,)+) => {{
        let ministack = test_support::MiniStack::start().await;
        $(
            println!(stringify!($behaviour));
            $behaviour(&crate::tables::Tables::create(&ministack).await).await;
        )+
    }};
}
pub(crate) use behaviours;
