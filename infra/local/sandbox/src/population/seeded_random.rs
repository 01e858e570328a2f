//! Pseudo-random numbers and ids that depend only on the seed.

const BASE62_DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The random values of one organization or record. The same seed, position and purpose give the
/// same value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeededRandom {
    state: u64,
}

impl SeededRandom {
    /// The values of the organization at this position.
    pub(crate) fn new(seed: u64, position: usize) -> Self {
        Self {
            state: splitmix64(splitmix64(seed) ^ position as u64),
        }
    }

    /// The values of the record with this id.
    pub(crate) fn from_id(id: &str) -> Self {
        Self { state: hash(0, id) }
    }

    pub(crate) fn number(self, purpose: &str) -> u64 {
        hash(self.state, purpose)
    }

    /// A number below `end`, which must not be 0.
    pub(crate) fn number_below(self, purpose: &str, end: u64) -> u64 {
        self.number(purpose) % end
    }

    /// One of the words, or an empty text if there are none.
    pub(crate) fn pick<'a>(self, purpose: &str, words: &[&'a str]) -> &'a str {
        let position = self.number_below(purpose, words.len().max(1) as u64);

        usize::try_from(position)
            .ok()
            .and_then(|position| words.get(position))
            .copied()
            .unwrap_or_default()
    }

    /// An id in BILL's format: 20 characters, of which the first three name the record's type.
    pub(crate) fn bill_id(self, prefix: &str) -> String {
        let mut id = format!("{prefix}02");
        let mut rest = self.number(prefix);
        for index in 0..15 {
            if index == 8 {
                rest = splitmix64(self.number(prefix));
            }
            let digit = usize::try_from(rest % 62).unwrap_or_default();
            id.push(char::from(BASE62_DIGITS[digit]));
            rest /= 62;
        }

        id
    }
}

fn hash(state: u64, text: &str) -> u64 {
    text.bytes().fold(splitmix64(state), |state, byte| {
        splitmix64(state ^ u64::from(byte))
    })
}

/// One step of `SplitMix64` (Steele, Lea, Flood 2014). It is implemented here because the
/// generators of the crate `rand` can return other numbers in its next version.
fn splitmix64(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
