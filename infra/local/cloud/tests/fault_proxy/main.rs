//! Tests of the fault proxy, in front of a server that echoes each request.
#![expect(clippy::unwrap_used, reason = "a failed step of a test fails the test")]

mod faults;
mod recording;
mod support;
