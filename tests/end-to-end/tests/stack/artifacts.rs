//! The binaries that `make build` produces run on Lambda's Amazon Linux 2023.

use std::fs;

use anyhow::{Context, Result, ensure};

/// The minor version of the glibc of Amazon Linux 2023: 2.34.
const NEWEST_GLIBC: u32 = 34;

#[test]
fn no_function_needs_a_newer_glibc_than_lambda_has() -> Result<()> {
    let build = local_cloud::workspace_root().join(".aws-sam/build");
    let mut functions = 0;

    for entry in fs::read_dir(&build)
        .with_context(|| format!("cannot read {}: run `make build`", build.display()))?
    {
        let path = entry?.path().join("bootstrap");
        let Ok(binary) = fs::read(&path) else {
            continue;
        };
        let path = path.display();
        let newest = glibc_versions(&binary)
            .max()
            .with_context(|| format!("{path} references no glibc version"))?;
        ensure!(newest <= NEWEST_GLIBC, "{path} needs GLIBC_2.{newest}");
        functions += 1;
    }

    ensure!(
        functions >= 7,
        "{} contains {functions} functions: run `make build`",
        build.display()
    );
    Ok(())
}

/// The minor numbers of the symbol versions `GLIBC_2.N` that a binary references.
fn glibc_versions(binary: &[u8]) -> impl Iterator<Item = u32> {
    const PREFIX: &[u8] = b"GLIBC_2.";

    binary
        .windows(PREFIX.len() + 3)
        .filter(|window| window.starts_with(PREFIX))
        .filter_map(|window| {
            let digits = window[PREFIX.len()..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit());
            String::from_utf8(digits.copied().collect())
                .ok()?
                .parse()
                .ok()
        })
}
