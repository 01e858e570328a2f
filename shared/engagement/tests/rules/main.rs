//! Tests of the rules through the public interface of the crate, one module for each part of the
//! rules. No test reads a clock.

#[cfg(test)]
mod bank_accounts;
#[cfg(test)]
mod campaigns;
#[cfg(test)]
mod candidates;
#[cfg(test)]
mod contacts;
#[cfg(test)]
mod decide;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod next_check;
#[cfg(test)]
mod next_check_properties;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod recipients;
#[cfg(test)]
mod record;
#[cfg(test)]
mod repeats;
#[cfg(test)]
mod send_window;
#[cfg(test)]
mod snapshot;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod strategies;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wants;
#[cfg(test)]
mod wants_properties;
