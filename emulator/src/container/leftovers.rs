//! Children and containers written down, so that those of an emulator that was killed are ended by the next.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use crate::files;

/// The entry of what lives; removed when that is known to have ended.
pub(super) struct Entry(PathBuf);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Left {
    Child {
        pid: i32,
        /// When the system says that it began: a pid alone may be another process's by now.
        began: String,
    },
    Container {
        engine: Engine,
        container: String,
    },
}

/// Writes a child down.
pub(super) fn record(folder: &Path, pid: i32) -> io::Result<Entry> {
    let path = folder.join(format!("{pid}.json"));
    files::write_json(&path, &Left::Child { pid, began: began(pid).unwrap_or_default() })?;
    Ok(Entry(path))
}

/// Writes a container down.
pub(super) fn record_container(folder: &Path, engine: Engine, name: &str) -> io::Result<Entry> {
    let path = folder.join(format!("{name}.json"));
    files::write_json(&path, &Left::Container { engine, container: name.to_owned() })?;
    Ok(Entry(path))
}

impl Entry {
    /// Leaves it for the next start.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // An entry too many names a process that is gone or has another beginning: it is then ignored.
        let _ = fs::remove_file(&self.0);
    }
}

/// Ends what is still ours: children with all that they started, and containers.
pub(crate) fn end(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Left>(&text).ok()) {
            Some(Left::Child { pid, began: then }) if began(pid).is_some_and(|now| now == then) => {
                // Gone in the meantime is as good as ended.
                let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
            }
            Some(Left::Container { engine, container }) => {
                if let Err(e) = engine.remove_blocking(&container) {
                    // Nothing here depends on its end; the start after this one tries again.
                    eprintln!("container {container} of an earlier emulator may still run: {e}");
                    continue;
                }
            }
            _ => {}
        }
        fs::remove_file(&path)?;
    }
    Ok(())
}

/// When a process began, in the kernel's words; `None` where it does not exist or the system does not tell.
fn began(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the command name, in brackets and possibly with spaces, field 22 of proc(5) is the 20th.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{os::unix::process::CommandExt, process::Command};

    use super::*;

    #[test]
    fn a_leftover_is_ended_and_a_stranger_is_not() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let spawn = || Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
        let (mut ours, mut stranger) = (spawn(), spawn());
        std::mem::forget(record(folder.path(), ours.id() as i32).expect("record"));
        let other = Left::Child { pid: stranger.id() as i32, began: "1".to_owned() };
        files::write_json(&folder.path().join("other.json"), &other).expect("write");
        end(folder.path()).expect("end");
        assert!(!ours.wait().expect("wait").success());
        assert!(stranger.try_wait().expect("try").is_none());
        stranger.kill().expect("kill");
        stranger.wait().expect("wait");
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
    }
}
