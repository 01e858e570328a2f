//! The function from request to answer: without AWS as far as no table is needed, else against
//! MiniStack's DynamoDB.

#[cfg(test)]
mod episodes;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod support;
