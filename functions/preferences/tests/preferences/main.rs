//! The function from request to answer: without AWS as far as no table is needed, else against
//! MiniStack's DynamoDB.

#[cfg(test)]
mod intents;
#[cfg(test)]
mod recipients;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
