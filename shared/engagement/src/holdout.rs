//! The control group: organizations that get no e-mails, so that their behaviour can be compared.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::identity::OrganizationId;

/// The control group, as a percentage of the organizations. As text a whole number from 0 to 100.
///
/// The members are chosen by a hash of the organization id: the same on every machine and in every
/// release. A larger percentage keeps all members of a smaller one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holdout {
    percent: u8,
}

/// The text is not a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number from 0 to 100")]
pub struct InvalidHoldout;

impl Holdout {
    /// Whether the organization is in the control group.
    pub fn contains(self, organization: &OrganizationId) -> bool {
        let digest = Sha256::new()
            .chain_update(b"holdout/")
            .chain_update(organization.as_str().as_bytes())
            .finalize();
        let [.., a, b, c, d] = digest.0;
        u32::from_be_bytes([a, b, c, d]) % 100 < u32::from(self.percent)
    }
}

impl FromStr for Holdout {
    type Err = InvalidHoldout;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = text
            .trim()
            .parse()
            .ok()
            .filter(|percent| *percent <= 100)
            .ok_or(InvalidHoldout)?;
        Ok(Self { percent })
    }
}
