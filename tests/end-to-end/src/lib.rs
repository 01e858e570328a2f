//! Tests against the deployed stack: see `tests/stack`.
//!
//! Each test starts a local cloud of its own with the functions that `make build` left in
//! `.aws-sam/build`. Every function is restricted to its IAM role.
