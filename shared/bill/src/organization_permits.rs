//! The concurrency limit of each organization.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::Semaphore;

/// BILL allows three concurrent requests per developer key and organization. One of them remains
/// for the partner's own product, which uses the same key.
const MAX_CONCURRENT_REQUESTS_PER_ORGANIZATION: usize = 2;

/// One semaphore per organization, shared by all clients of that organization in this process and
/// dropped with the last of them.
#[derive(Default)]
pub(crate) struct OrganizationPermits {
    semaphores: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl OrganizationPermits {
    pub(crate) fn semaphore(&self, organization_id: &str) -> Arc<Semaphore> {
        let mut semaphores = self
            .semaphores
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = semaphores.get(organization_id).and_then(Weak::upgrade) {
            return shared;
        }

        semaphores.retain(|_, semaphore| semaphore.strong_count() > 0);
        let semaphore = Arc::new(Semaphore::new(MAX_CONCURRENT_REQUESTS_PER_ORGANIZATION));
        semaphores.insert(organization_id.to_owned(), Arc::downgrade(&semaphore));
        semaphore
    }
}
