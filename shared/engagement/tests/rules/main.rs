//! The rules of engagement, row by row: one module for each part of the specification. Everything
//! goes through the crate's public interface, and no test reads a clock.

#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod ladder;
#[cfg(test)]
mod next_check;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod recipients;
#[cfg(test)]
mod send_window;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod strategies;
#[cfg(test)]
mod support;
#[cfg(test)]
mod walks;
