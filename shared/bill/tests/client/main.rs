//! The client over HTTP: against the sandbox, and against scripted answers where the sandbox is too
//! well behaved.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod privacy;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod support;
