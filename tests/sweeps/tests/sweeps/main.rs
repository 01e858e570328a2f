//! Sweeps over many hours: fan-out and sync-organization against the BILL sandbox, with tables, queue
//! and secrets in memory.

#[cfg(test)]
mod cost;
#[cfg(test)]
mod in_memory_aws;
#[cfg(test)]
mod lateness;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod new_customers;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod world;
