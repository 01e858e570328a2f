//! The `sync-organization` function.

fn main() {}
