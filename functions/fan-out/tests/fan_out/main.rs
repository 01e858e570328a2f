//! The function against the BILL sandbox and the local AWS.

#[cfg(test)]
mod all;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod due;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod full_listing;
#[cfg(test)]
mod new_organizations;
#[cfg(test)]
mod support;
#[cfg(test)]
mod upgrade;
