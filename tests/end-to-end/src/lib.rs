//! Tests against the deployed stack.
