//! The function from request to response. Tests that need tables use a local DynamoDB.

#[cfg(test)]
mod episodes;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod stack;
#[cfg(test)]
mod support;
