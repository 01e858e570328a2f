//! Errors of `store` as failures of the invocation.

use runtime::Failure;
use store::StoreError;

/// The failure that names the type of a store error.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that `map_err` needs"
)]
pub fn store_failure(error: StoreError) -> Failure {
    Failure::named(error.type_name(), &error)
}
