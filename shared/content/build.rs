//! Rebuilds the crate when a campaign file is added, changed or removed. `include_dir` alone does
//! not detect new files.

fn main() {
    println!("cargo::rerun-if-changed=campaigns");
}
