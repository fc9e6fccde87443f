//! Children die with the emulator.
//!
//! Linux sends the signal asked for by `PR_SET_PDEATHSIG` when the *thread* that spawned the child ends, so all
//! children are spawned by one thread that lives as long as the emulator. Elsewhere the next start ends leftovers.
#![expect(unsafe_code, reason = "pre_exec, to ask for the parent-death signal between fork and exec")]

use std::{io, thread};

use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::{mpsc, oneshot},
};

type Request = (Command, oneshot::Sender<io::Result<Child>>);

/// The thread that spawns every child.
pub(crate) struct Launcher {
    requests: mpsc::UnboundedSender<Request>,
}

impl Launcher {
    /// Starts the thread; children are watched by the runtime this is called in.
    pub fn start() -> io::Result<Launcher> {
        let (requests, mut inbox) = mpsc::unbounded_channel::<Request>();
        let runtime = Handle::current();
        thread::Builder::new().name("launcher".to_owned()).spawn(move || {
            while let Some((mut command, answer)) = inbox.blocking_recv() {
                let _inside = runtime.enter();
                // A caller that went away leaves nobody to watch the child: `kill_on_drop` then ends it.
                let _ = answer.send(command.spawn());
            }
        })?;
        Ok(Launcher { requests })
    }

    /// Spawns a child as the leader of its own process group.
    pub async fn launch(&self, mut command: Command) -> io::Result<Child> {
        command.process_group(0).kill_on_drop(true);
        #[cfg(target_os = "linux")]
        die_with_parent(&mut command);
        let (answer, child) = oneshot::channel();
        let gone = || io::Error::other("the launcher thread has ended");
        self.requests.send((command, answer)).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    use nix::{
        errno::Errno,
        sys::{prctl, signal::Signal},
        unistd::{Pid, getpid, getppid},
    };
    let parent: Pid = getpid();
    // SAFETY: between fork and exec the closure makes two system calls, allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            // The parent may have died before the call above; then nobody would send the signal.
            if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
        });
    }
}
