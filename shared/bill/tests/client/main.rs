//! Tests of the client over HTTP: against the sandbox, and against a scripted server for responses
//! that the sandbox cannot produce.

#[cfg(test)]
mod credentials;
#[cfg(test)]
mod deadlines;
#[cfg(test)]
mod headers;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod malformed_rows;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod risk_verification;
#[cfg(test)]
mod scripted_server;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transport;
