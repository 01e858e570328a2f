//! The function against the BILL sandbox and the local AWS.

#[cfg(test)]
mod due;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod support;
