//! The function from request to response: without AWS where no table is needed, otherwise with the
//! DynamoDB of MiniStack.

#[cfg(test)]
mod recipients;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tokens;
