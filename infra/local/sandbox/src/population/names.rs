//! Names of companies, domains and persons.

use crate::population::seeded_random::SeededRandom;

pub(super) fn company(random: SeededRandom) -> String {
    let first = random.pick("company first", FIRST_WORDS);
    let trade = random.pick("company trade", TRADES);
    let form = random.pick("company form", LEGAL_FORMS);

    format!("{first} {trade}{form}")
}

/// A domain under a top-level domain that never resolves (RFC 2606).
pub(super) fn domain(random: SeededRandom) -> String {
    let first = random.pick("company first", FIRST_WORDS).to_lowercase();
    let number = random.number_below("domain", 100_000_000);

    format!("{first}-{number:08}.example")
}

/// The first name of the organization's person with this number.
pub(super) fn first_name(random: SeededRandom, person: usize) -> &'static str {
    random.pick(&format!("first name {person}"), FIRST_NAMES)
}

/// The last name of the organization's person with this number.
pub(super) fn last_name(random: SeededRandom, person: usize) -> &'static str {
    random.pick(&format!("last name {person}"), LAST_NAMES)
}

#[rustfmt::skip]
const FIRST_WORDS: &[&str] = &[
    "Alder", "Amber", "Aspen", "Birch", "Bluebell", "Bramble", "Cedar", "Clover", "Copper", "Coral",
    "Cypress", "Ember", "Fern", "Finch", "Foxglove", "Granite", "Harbor", "Hazel", "Heron", "Ivy",
    "Juniper", "Kestrel", "Larkspur", "Linden", "Maple", "Marigold", "Meadow", "Nettle", "Oakmoss",
    "Osprey", "Pebble", "Pinecone", "Quartz", "Rowan", "Saffron", "Sorrel", "Sparrow", "Tamarack",
    "Teasel", "Thistle", "Tidewater", "Umber", "Verbena", "Willow", "Wren", "Yarrow",
];

#[rustfmt::skip]
const TRADES: &[&str] = &[
    "Accounting", "Bakehouse", "Bicycles", "Bookshop", "Brewing", "Carpentry", "Catering",
    "Ceramics", "Cleaning", "Coffee", "Dental Studio", "Design", "Electric", "Farms", "Fitness",
    "Flooring", "Florist", "Freight", "Gardens", "Hardware", "Interiors", "Kitchens", "Landscaping",
    "Legal", "Logistics", "Marine", "Masonry", "Music School", "Optics", "Outfitters", "Painting",
    "Pharmacy", "Photography", "Plumbing", "Printing", "Roofing", "Textiles", "Travel",
    "Veterinary", "Windows",
];

const LEGAL_FORMS: &[&str] = &[" LLC", " Inc", " Co", " Works", " & Sons", " Group", ""];

#[rustfmt::skip]
const FIRST_NAMES: &[&str] = &[
    "Adaeze", "Bruno", "Carmen", "Dmitri", "Elif", "Farid", "Greta", "Hana", "Imani", "Jonas",
    "Keiko", "Lucía", "Marisol", "Nadia", "Odette", "Priya", "Quentin", "Rosa", "Sanjay", "Tobias",
    "Uma", "Viktor", "Wanda", "Ximena", "Yusuf", "Zoë",
];

#[rustfmt::skip]
const LAST_NAMES: &[&str] = &[
    "Abernathy", "Brandvold", "Castellano", "Dahlgren", "Eriksen", "Fenwick", "Gallardo",
    "Hargrove", "Ishikawa", "Jankowski", "Kowalczyk", "Lindqvist", "Moreau", "Nakamura",
    "O'Sullivan", "Pemberton", "Quebrada", "Rasmussen", "Santangelo", "Thackeray", "Underhill",
    "Varna", "Whitlock", "Yilmaz", "Zielinski",
];
