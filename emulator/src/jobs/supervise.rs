//! A container watched until it ends, by itself or because it has to.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use crate::{
    account::Account,
    container::{Exit, Process},
};

/// How a container ended.
pub(super) enum Ended {
    /// By itself, with an exit code.
    Exited(i32),
    /// It never ran; why.
    NeverRan(String),
    /// Because a Stop operation asked for it.
    Stopped,
    /// Because it ran longer than `MaxRuntimeInSeconds`.
    OutOfTime,
    /// Because the emulator shuts down.
    Closing,
}

/// Waits for the container; SIGTERM, then SIGKILL where it must end.
pub(super) async fn supervise(
    account: &Arc<Account>,
    mut process: Process,
    stop: &mut watch::Receiver<bool>,
    limit: Duration,
) -> Ended {
    let ended = tokio::select! {
        exit = process.wait() => return match exit {
            Exit::Code(code) => Ended::Exited(code),
            Exit::NeverRan(reason) => Ended::NeverRan(reason),
        },
        () = asked(stop) => Ended::Stopped,
        () = sleep(limit) => Ended::OutOfTime,
        () = account.tasks.closing() => Ended::Closing,
    };
    let patience = match ended {
        Ended::Closing => account.timing.shutdown_grace,
        _ => account.timing.job_grace,
    };
    let hurried = tokio::select! {
        _ = process.stop(patience) => false,
        () = account.tasks.closing(), if !matches!(ended, Ended::Closing) => true,
    };
    if hurried {
        process.stop(account.timing.shutdown_grace).await;
        return Ended::Closing;
    }
    ended
}

/// Returns once a Stop operation has asked.
pub(super) async fn asked(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|asked| *asked).await.is_err() {
        // Nobody is left who could ask.
        std::future::pending::<()>().await;
    }
}
