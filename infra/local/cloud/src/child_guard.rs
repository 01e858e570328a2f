//! A child process that ends when this process ends.

use std::{fs::File, path::Path, process::Stdio};

use anyhow::{Context, Result};
use tokio::process::{Child, ChildStdin, Command};

/// A running program in a process group of its own, together with the processes that it starts.
///
/// They are terminated when the guard is dropped and when this process exits or is killed. Both
/// close a pipe that a small shell script watches. The script sends SIGTERM, and SIGKILL after 2
/// seconds.
pub struct ChildGuard {
    shell: Child,
    _stdin: ChildStdin,
}

/// Runs the program given as arguments and watches standard input.
const GUARD_SCRIPT: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
program=$!
(
    cat <&3 >/dev/null
    trap '' TERM
    kill -TERM 0
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$program" 2>/dev/null || break
        sleep 0.2
    done
    kill -KILL 0
) &
wait "$program"
"#;

impl ChildGuard {
    /// Starts `program` with exactly these arguments and environment variables. Its output is
    /// written to the file `log`. `Err` means that the log cannot be written or the shell cannot be
    /// started.
    pub fn start(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, String)],
        log: &Path,
    ) -> Result<Self> {
        let output =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;

        let mut shell = Command::new("/bin/sh")
            .args(["-c", GUARD_SCRIPT, "child-guard"])
            .arg(program)
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdin = shell
            .stdin
            .take()
            .context("the shell has no standard input")?;

        Ok(Self {
            shell,
            _stdin: stdin,
        })
    }

    /// Whether the program has exited.
    pub fn has_exited(&mut self) -> bool {
        !matches!(self.shell.try_wait(), Ok(None))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

    use tokio::time::sleep;

    use super::*;

    #[tokio::test]
    async fn dropping_the_guard_ends_the_program_and_its_children() {
        let folder = temporary_folder("ends");
        let program = script(&folder, "sleep 600 & echo $!; echo $$; wait");
        let log = folder.join("log");

        let guard = ChildGuard::start(&program, &[], &path(), &log).unwrap();
        let pids = wait_for_lines(&log, 2).await;
        assert!(pids.iter().all(|pid| is_running(pid)));

        drop(guard);
        for pid in pids {
            wait_until_gone(&pid).await;
        }
    }

    #[tokio::test]
    async fn program_that_ignores_sigterm_is_killed() {
        let folder = temporary_folder("stubborn");
        let program = script(&folder, "trap '' TERM; echo $$; while :; do sleep 1; done");
        let log = folder.join("log");

        let guard = ChildGuard::start(&program, &[], &path(), &log).unwrap();
        let pids = wait_for_lines(&log, 1).await;

        drop(guard);
        wait_until_gone(&pids[0]).await;
    }

    #[tokio::test]
    async fn early_exit_is_detected() {
        let folder = temporary_folder("early");
        let program = script(&folder, "echo no; exit 3");

        let mut guard = ChildGuard::start(&program, &[], &path(), &folder.join("log")).unwrap();
        for _ in 0..200 {
            if guard.has_exited() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the exit was not detected");
    }

    fn temporary_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!(
            "local-cloud-child-guard-{name}-{}",
            std::process::id()
        ));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn script(folder: &Path, body: &str) -> PathBuf {
        let program = folder.join("program");
        fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    fn path() -> [(&'static str, String); 1] {
        [("PATH", "/usr/bin:/bin".to_owned())]
    }

    async fn wait_for_lines(log: &Path, lines: usize) -> Vec<String> {
        for _ in 0..200 {
            let text = fs::read_to_string(log).unwrap_or_default();
            if text.lines().count() >= lines {
                return text.lines().map(str::to_owned).collect();
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the program has not started");
    }

    fn is_running(pid: &str) -> bool {
        let state = std::process::Command::new("ps")
            .args(["-o", "stat=", "-p", pid])
            .output()
            .unwrap();
        let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
        !state.is_empty() && !state.starts_with('Z')
    }

    async fn wait_until_gone(pid: &str) {
        for _ in 0..200 {
            if !is_running(pid) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{pid} is still running");
    }
}
