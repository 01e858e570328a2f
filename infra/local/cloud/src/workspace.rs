//! Paths of the workspace: its root, the build output and the pinned tools in `.venv`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The root folder of the workspace.
pub fn workspace_root() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(3).unwrap_or(crate_folder)
}

/// The template that `make build` writes for local deployment. It names the zipped functions. `Err`
/// means that `make build` was not run.
pub(crate) fn built_template() -> Result<PathBuf> {
    let template = workspace_root().join(".aws-sam/build/packaged.json");
    ensure!(
        template.is_file(),
        "the functions are not built yet: run `make build` first ({} is missing)",
        template.display()
    );
    Ok(template)
}

/// The path of a pinned tool. `Err` means that `make setup` was not run.
pub fn tool_path(name: &str) -> Result<PathBuf> {
    let path = workspace_root().join(".venv/bin").join(name);
    ensure!(
        path.is_file(),
        "{name} is missing: run `make setup` first ({} does not exist)",
        path.display()
    );
    Ok(path)
}

/// The path of a file in a pinned Python package. `Err` means that `make setup` was not run.
pub fn python_package_file(name: &str) -> Result<PathBuf> {
    // The only folder in it is that of the Python version that created .venv.
    let library = workspace_root().join(".venv/lib");
    let mut pythons = std::fs::read_dir(&library).into_iter().flatten().flatten();
    let found = pythons.find_map(|python| {
        Some(python.path().join("site-packages").join(name)).filter(|path| path.is_file())
    });

    found.with_context(|| {
        format!(
            "{name} is missing: run `make setup` first (not found in {})",
            library.display()
        )
    })
}

/// A folder below `target` for logs and results. It is created if missing.
pub(crate) fn output_folder(name: &str) -> Result<PathBuf> {
    let folder = workspace_root().join("target").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The environment variables that a tool needs to run. No other variable is passed on: MiniStack
/// passes its own environment to the functions, where `RUST_LOG` or `AWS_PROFILE` would change
/// their behavior.
pub fn bare_environment() -> Vec<(&'static str, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "passes the shell's environment on to the tools"
    )]
    let lookup = |name: &'static str| std::env::var(name).ok().map(|value| (name, value));

    ["PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE"]
        .into_iter()
        .filter_map(lookup)
        .collect()
}
