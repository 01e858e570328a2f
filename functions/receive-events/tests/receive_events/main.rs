//! The function from delivery to queue, with a Secrets Manager and an SQS that follow a script.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod aws;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod support;
