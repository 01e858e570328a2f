//! Names, ids and numbers that follow from a seed.

/// What is drawn for one organization: the same seed, position and purpose give the same number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeededRandom {
    state: u64,
}

impl SeededRandom {
    pub(crate) fn new(seed: u64, position: usize) -> Self {
        Self {
            state: splitmix64(splitmix64(seed) ^ position as u64),
        }
    }

    /// What is drawn for a thing that is known by its id.
    pub(crate) fn of(id: &str) -> Self {
        Self { state: fold(0, id) }
    }

    pub(crate) fn number(self, purpose: &str) -> u64 {
        fold(self.state, purpose)
    }

    /// A number below `end`, which must not be 0.
    pub(crate) fn below(self, purpose: &str, end: u64) -> u64 {
        self.number(purpose) % end
    }

    pub(crate) fn pick<'a>(self, purpose: &str, words: &[&'a str]) -> &'a str {
        let position = self.below(purpose, words.len().max(1) as u64);
        usize::try_from(position)
            .ok()
            .and_then(|position| words.get(position))
            .copied()
            .unwrap_or_default()
    }

    /// 20 characters of which the first three name the type, as BILL's ids.
    pub(crate) fn id(self, prefix: &str) -> String {
        let mut id = format!("{prefix}02");
        let mut rest = self.number(prefix);
        for place in 0..15 {
            if place == 8 {
                rest = splitmix64(self.number(prefix));
            }
            let digit = usize::try_from(rest % 62).unwrap_or_default();
            id.push(char::from(DIGITS[digit]));
            rest /= 62;
        }
        id
    }

    pub(crate) fn company(self) -> String {
        let first = self.pick("company first", FIRST_WORDS);
        let trade = self.pick("company trade", TRADES);
        let form = self.pick("company form", LEGAL_FORMS);
        format!("{first} {trade}{form}")
    }

    /// A domain under a top-level name that never resolves (RFC 2606).
    pub(crate) fn domain(self) -> String {
        let first = self.pick("company first", FIRST_WORDS).to_lowercase();
        format!("{first}-{:08}.example", self.below("domain", 100_000_000))
    }

    pub(crate) fn first_name(self, person: usize) -> &'static str {
        self.pick(&format!("first name {person}"), FIRST_NAMES)
    }

    pub(crate) fn last_name(self, person: usize) -> &'static str {
        self.pick(&format!("last name {person}"), LAST_NAMES)
    }
}

fn fold(state: u64, text: &str) -> u64 {
    text.bytes().fold(splitmix64(state), |state, byte| {
        splitmix64(state ^ u64::from(byte))
    })
}

/// The step of `SplitMix64` (Steele, Lea, Flood 2014). Own code, as no generator of `rand` promises
/// the same numbers in its next version.
fn splitmix64(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const FIRST_WORDS: &[&str] = &[
    "Alder",
    "Amber",
    "Aspen",
    "Birch",
    "Bluebell",
    "Bramble",
    "Cedar",
    "Clover",
    "Copper",
    "Coral",
    "Cypress",
    "Ember",
    "Fern",
    "Finch",
    "Foxglove",
    "Granite",
    "Harbor",
    "Hazel",
    "Heron",
    "Ivy",
    "Juniper",
    "Kestrel",
    "Larkspur",
    "Linden",
    "Maple",
    "Marigold",
    "Meadow",
    "Nettle",
    "Oakmoss",
    "Osprey",
    "Pebble",
    "Pinecone",
    "Quartz",
    "Rowan",
    "Saffron",
    "Sorrel",
    "Sparrow",
    "Tamarack",
    "Teasel",
    "Thistle",
    "Tidewater",
    "Umber",
    "Verbena",
    "Willow",
    "Wren",
    "Yarrow",
];
const TRADES: &[&str] = &[
    "Accounting",
    "Bakehouse",
    "Bicycles",
    "Bookshop",
    "Brewing",
    "Carpentry",
    "Catering",
    "Ceramics",
    "Cleaning",
    "Coffee",
    "Dental Studio",
    "Design",
    "Electric",
    "Farms",
    "Fitness",
    "Flooring",
    "Florist",
    "Freight",
    "Gardens",
    "Hardware",
    "Interiors",
    "Kitchens",
    "Landscaping",
    "Legal",
    "Logistics",
    "Marine",
    "Masonry",
    "Music School",
    "Optics",
    "Outfitters",
    "Painting",
    "Pharmacy",
    "Photography",
    "Plumbing",
    "Printing",
    "Roofing",
    "Textiles",
    "Travel",
    "Veterinary",
    "Windows",
];
const LEGAL_FORMS: &[&str] = &[" LLC", " Inc", " Co", " Works", " & Sons", " Group", ""];
const FIRST_NAMES: &[&str] = &[
    "Adaeze", "Bruno", "Carmen", "Dmitri", "Elif", "Farid", "Greta", "Hana", "Imani", "Jonas",
    "Keiko", "Lucía", "Marisol", "Nadia", "Odette", "Priya", "Quentin", "Rosa", "Sanjay", "Tobias",
    "Uma", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoë",
];
const LAST_NAMES: &[&str] = &[
    "Abernathy",
    "Brandvold",
    "Castellano",
    "Dahlgren",
    "Eriksen",
    "Fenwick",
    "Gallardo",
    "Hargrove",
    "Ishikawa",
    "Jankowski",
    "Kowalczyk",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Sullivan",
    "Pemberton",
    "Quebrada",
    "Rasmussen",
    "Santangelo",
    "Thackeray",
    "Underhill",
    "Varna",
    "Whitlock",
    "Yilmaz",
    "Zielinski",
];
