//! The command line: what was asked, and the exit code of what came of it.

use std::{ffi::OsString, net::IpAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    commands,
    output::{Detail, Output},
    settings::{Overrides, Target},
};

/// Text classification on Amazon SageMaker: labelled text in, a watched endpoint out.
///
/// Exit codes: 0 done, 1 failed, 2 usage, 3 refused (by the gate, or `monitor` found drift), 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "orchestrator", bin_name = "orchestrator", version, no_binary_name = true, max_term_width = 120)]
pub struct Cli {
    /// What applies to every stage.
    #[command(flatten)]
    pub global: Global,
    /// The stage.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every stage.
#[derive(Debug, Args)]
pub struct Global {
    /// Settings [default: pipeline.toml, where it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The record that the stages read and extend
    #[arg(long, global = true, value_name = "FILE", default_value = "run.json")]
    pub run: PathBuf,
    /// Where to work [default: the settings' target, else local]
    #[arg(long, global = true, value_enum)]
    pub target: Option<Target>,
    /// Print the result as one JSON value
    #[arg(long, global = true)]
    pub json: bool,
    /// Do what costs money or deletes something in an account without asking
    #[arg(long, global = true)]
    pub yes: bool,
}

/// Labelled files, instead of those in the settings.
#[derive(Debug, Default, Args)]
pub struct DataArgs {
    /// Files to fit on
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "test")]
    pub train: Vec<PathBuf>,
    /// Files to measure on
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "train")]
    pub test: Vec<PathBuf>,
    /// Column (CSV) or key (JSON Lines) of the text
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// Column or key of the label
    #[arg(long, value_name = "NAME")]
    pub label_column: Option<String>,
}

/// Hyperparameters, over those in the settings.
#[derive(Debug, Default, Args)]
pub struct SetArgs {
    /// A hyperparameter; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

/// The stages.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the labelled files and upload them, versioned
    Data(DataArgs),
    /// Run the training job and follow its log
    Train(SetArgs),
    /// Search hyperparameters in a managed tuning job, fit the best on all rows, and hand that on (`[tune]`)
    Tune(SetArgs),
    /// Fetch the job's evaluation and hold it against the gate (exit 3 below it)
    Evaluate,
    /// Register the model that passed the gate
    Register {
        /// Register it though the gate failed; the package says so, and `approve` then asks for --override
        #[arg(long)]
        failed: bool,
    },
    /// Approve the registered model for deployment
    Approve {
        /// Why it may be deployed
        #[arg(long, value_name = "TEXT", value_parser = not_blank)]
        reason: String,
        /// Why it may be deployed though its gate failed; the package bears it
        #[arg(long = "override", value_name = "TEXT", value_parser = not_blank)]
        overriding: Option<String>,
    },
    /// Show what a model package was made of and who approved it
    Lineage {
        /// Its ARN, group/version, or version
        package: String,
    },
    /// Train a model package again from the recorded object versions and compare the artifacts (exit 1 where they differ)
    Reproduce {
        /// Its ARN, group/version, or version
        package: String,
    },
    /// Show what changed between two model packages: data, settings, metrics, words, predictions
    Diff {
        /// The one before: ARN, group/version, or version
        before: String,
        /// The one after
        after: String,
    },
    /// Put the approved model behind the endpoint and prove it, or roll back
    Deploy,
    /// Make the baseline and the schedule, and compare the traffic so far (exit 3 on drift)
    Monitor {
        /// Then follow the windows of the schedule as they are done, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// Ask the endpoint for predictions of texts, or of stdin
    Invoke {
        /// Texts; without any, stdin is one
        text: Vec<String>,
        /// Send the text or stdin as it is, as this type: application/json, application/jsonlines, text/csv, text/plain
        #[arg(long, value_name = "TYPE")]
        content_type: Option<String>,
        /// Show the K terms that weigh most
        #[arg(long, value_name = "K")]
        explain: Option<usize>,
    },
    /// Measure how many requests a second the live endpoint answers within a latency bound
    Loadtest {
        /// Of each step
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
    },
    /// Predict every document below a prefix, or in files of this machine, as a batch, with the approved model
    Transform {
        /// s3://bucket/prefix, or files: .jsonl or .csv (.gz too), a document a line
        #[arg(required = true, value_name = "PREFIX_OR_FILE")]
        input: Vec<String>,
        /// Where predictions go, an .out object for each [default: transform/<job>/ in the bucket]
        #[arg(long, value_name = "S3_PREFIX")]
        output: Option<String>,
        /// application/jsonlines or text/csv [default: as the names say]
        #[arg(long, value_name = "TYPE")]
        content_type: Option<String>,
        /// Write each document together with its prediction
        #[arg(long)]
        join: bool,
        /// What of a record is sent, for instance $.text or $[0]
        #[arg(long, value_name = "JSONPATH")]
        input_filter: Option<String>,
        /// What of the result is written, for instance $['id','SageMakerOutput']
        #[arg(long, value_name = "JSONPATH")]
        output_filter: Option<String>,
    },
    /// All stages in order (on the local target it approves by itself)
    Run {
        /// The data.
        #[command(flatten)]
        data: DataArgs,
        /// The hyperparameters.
        #[command(flatten)]
        set: SetArgs,
    },
    /// Show what `run` would create, change and leave, and what that costs an hour and a month
    Plan {
        /// The data.
        #[command(flatten)]
        data: DataArgs,
        /// The hyperparameters.
        #[command(flatten)]
        set: SetArgs,
    },
    /// Show what exists
    Status,
    /// Delete endpoint, running jobs, schedule, endpoint configs and models of this project; data and registry are kept
    Destroy,
    /// Run any SageMaker image or program through the platform's contracts (exit 1 where it breaks one)
    Conformance(Box<conformance::Arguments>),
    /// Serve SageMaker and S3 on this machine for any AWS client, until stopped
    Emulator {
        /// Port; 0 takes any free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Address
        #[arg(long, default_value = "127.0.0.1")]
        host: IpAddr,
        /// Folder of the state [default: the settings' local.state]
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// Let calls go wrong, SERVICE.OPERATION[@NTH[xTIMES]]=EFFECT, for instance s3.PutObject@3=reset-after; repeatable
        #[arg(long = "fault", value_name = "RULE")]
        faults: Vec<emulator::Rule>,
    },
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected NAME=VALUE, for instance C=0.5".into()),
    }
}

fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("a reason cannot be blank".into()) } else { Ok(text.to_owned()) }
}

impl Cli {
    /// What of the command line goes over the settings.
    pub fn overrides(&self) -> Overrides {
        let (data, set) = match &self.command {
            Command::Data(data) => (Some(data), None),
            Command::Train(set) | Command::Tune(set) => (None, Some(set)),
            Command::Run { data, set } | Command::Plan { data, set } => (Some(data), Some(set)),
            _ => (None, None),
        };
        Overrides {
            target: self.global.target,
            train: data.map(|data| data.train.clone()).unwrap_or_default(),
            test: data.map(|data| data.test.clone()).unwrap_or_default(),
            text_column: data.and_then(|data| data.text_column.clone()),
            label_column: data.and_then(|data| data.label_column.clone()),
            set: set.map(|set| set.set.clone()).unwrap_or_default(),
        }
    }
}

/// The program.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout and is no failure; clap knows which is which.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    // `run` has one line a stage; what a stage does is shown only where it is waited for.
    let whole = matches!(cli.command, Command::Run { .. });
    let detail = if whole { Detail::After(Duration::from_secs(5)) } else { Detail::Live };
    let out = Output::new(cli.global.json, detail);
    match commands::execute(cli, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.say(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn assignments_need_a_name() {
        assert_eq!(assignment("ngram_range=1,2"), Ok(("ngram_range".into(), "1,2".into())));
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
        for bad in ["C", "=1", " =1"] {
            assert!(assignment(bad).is_err(), "{bad}");
        }
    }
}
