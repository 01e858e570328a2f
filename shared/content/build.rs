//! Has the crate built again when a campaign file comes, changes or goes: `include_dir` alone
//! misses new files.

fn main() {
    println!("cargo::rerun-if-changed=campaigns");
}
