//! The program `conformance`: the kit without the rest of the house, as `orchestrator conformance`.

use std::process::ExitCode;

use clap::Parser;
use conformance::{Arguments, KitError};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a SageMaker image or program through the platform's contracts.
///
/// Exit codes: 0 all passed or not applicable, 1 a check failed or this machine did not let it be judged, 2 usage,
/// 130 interrupted.
#[derive(Parser)]
#[command(name = "conformance", version, max_term_width = 120)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Ready once this process is asked to stop.
async fn stopped() {
    let listen = |kind| signal(kind).ok();
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [Some(mut interrupt), Some(mut terminate), Some(mut hangup)] = kinds.map(listen) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let say = |line: &str| eprintln!("{line}");
    let judged = tokio::select! {
        judged = conformance::judge(&cli.arguments, &say) => judged,
        () = stopped() => {
            eprintln!("interrupted: everything that was started has been ended");
            return ExitCode::from(130);
        }
    };
    match judged {
        Ok(report) => {
            match serde_json::to_string_pretty(&report) {
                Ok(text) if cli.json => println!("{text}"),
                _ => println!("{report}"),
            }
            ExitCode::from(u8::from(report.failed > 0))
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if matches!(error, KitError::Usage(_)) { 2 } else { 1 })
        }
    }
}
