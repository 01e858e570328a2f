//! Where things are: the workspace, its build output, and the tools in `.venv`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// The folder of the workspace.
pub fn workspace_root() -> &'static Path {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.ancestors().nth(3).unwrap_or(crate_folder)
}

/// What `make build` leaves for local deployment: the built template, with the functions zipped.
/// `Err`: it was not run.
pub(crate) fn built_template() -> Result<PathBuf> {
    let template = workspace_root().join(".aws-sam/build/zipped.json");
    ensure!(
        template.is_file(),
        "the functions are not built yet: run `make build` first ({} is missing)",
        template.display()
    );
    Ok(template)
}

/// One of the pinned tools. `Err`: `make setup` was not run.
pub fn tool(name: &str) -> Result<PathBuf> {
    let path = workspace_root().join(".venv/bin").join(name);
    ensure!(
        path.is_file(),
        "{name} is missing: run `make setup` first ({} does not exist)",
        path.display()
    );
    Ok(path)
}

/// A file of one of the pinned Python packages. `Err`: `make setup` was not run.
pub fn python_package_file(name: &str) -> Result<PathBuf> {
    let library = workspace_root().join(".venv/lib"); // it has one folder: that of the Python that made .venv
    let mut pythons = std::fs::read_dir(&library).into_iter().flatten().flatten();
    let found = pythons.find_map(|python| {
        Some(python.path().join("site-packages").join(name)).filter(|path| path.is_file())
    });
    found.with_context(|| {
        format!(
            "{name} is missing: run `make setup` first ({} does not have it)",
            library.display()
        )
    })
}

/// A folder under `target` for logs and results; made if missing.
pub(crate) fn output_folder(name: &str) -> Result<PathBuf> {
    let folder = workspace_root().join("target").join(name);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The variables of this process's environment that a tool needs to run at all. Nothing else is
/// handed on: MiniStack gives its own environment to the functions, where a stray `RUST_LOG` or
/// `AWS_PROFILE` would change what they do.
pub fn bare_environment() -> Vec<(&'static str, String)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "hands the shell's environment on to the tools"
    )]
    let lookup = |name: &'static str| std::env::var(name).ok().map(|value| (name, value));
    ["PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE"]
        .into_iter()
        .filter_map(lookup)
        .collect()
}
