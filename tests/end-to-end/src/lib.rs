//! Tests against the deployed stack: see `tests/stack`. Each test starts a local cloud of its own,
//! with the functions that `make build` has left in `.aws-sam/build` and with every function held
//! to its role.
