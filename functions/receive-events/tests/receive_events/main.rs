//! The function from delivery to queue, with simulated Secrets Manager and SQS.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod responses;
#[cfg(test)]
mod support;
