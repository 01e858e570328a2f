//! Tests of the embedded content as customers see it, and of files and names that are not valid.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod emails;
mod headers;
mod hostile_names;
mod html;
mod in_product;
mod invalid_brand;
mod invalid_files;
mod page_files;
mod pages;
mod render_errors;
mod snapshots;
mod support;
