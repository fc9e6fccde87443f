//! The flags of the kit, for the orchestrator's subcommand and the program of this crate.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    contract::Contract,
    error::{KitError, Result, machine},
    junit,
    plan::{Plan, Request},
    report::Report,
    runner::{Image, Network, Program, Subject, Template, found},
};

/// What is judged, and what it is given.
#[derive(Debug, Args)]
pub struct Arguments {
    /// An image, or a command with {ml_root} where it takes the folder that stands for /opt/ml, {port} where it takes
    /// its port, and {argument} where `train` or `serve` goes (else last)
    #[arg(required_unless_present_any = ["train", "serve", "process"])]
    pub image_or_command: Option<String>,
    /// A command that trains, instead
    #[arg(long, value_name = "COMMAND")]
    pub train: Option<String>,
    /// A command that serves, instead
    #[arg(long, value_name = "COMMAND")]
    pub serve: Option<String>,
    /// The processing job's command; of an image: its entrypoint and arguments
    #[arg(long, value_name = "COMMAND")]
    pub process: Option<String>,
    /// What is sent and given, as a TOML file; the flags below go over it
    #[arg(long, value_name = "FILE")]
    pub probe: Option<PathBuf>,
    /// Judge these alone
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,…")]
    pub contract: Vec<Contract>,
    /// Do not judge these, as hosting.unknown-type
    #[arg(long, value_delimiter = ',', value_name = "CHECK,…")]
    pub skip: Vec<String>,
    /// Training data: a folder with a folder a channel, or with files for the channel `train`
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Training data that cannot be used [default: channels without a file]
    #[arg(long, value_name = "DIR")]
    pub bad_data: Option<PathBuf>,
    /// A hyperparameter; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// What lies in /opt/ml/model [default: what the training job left]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// A good request's body [default: a line of text]
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    pub body: Option<String>,
    /// A good request's body, in a file
    #[arg(long, value_name = "FILE")]
    pub body_file: Option<PathBuf>,
    /// The request's type [default: text/csv]
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
    /// The type of answer that it asks for
    #[arg(long, value_name = "TYPE")]
    pub accept: Option<String>,
    /// What lies in /opt/ml/processing
    #[arg(long, value_name = "DIR")]
    pub processing_input: Option<PathBuf>,
    /// The same, and not usable
    #[arg(long, value_name = "DIR")]
    pub processing_bad_input: Option<PathBuf>,
    /// A variable of the container's environment, in training, hosting and processing; repeatable
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = assignment)]
    pub environment: Vec<(String, String)>,
    /// It speaks the multi-model API [default: as the image's label says]
    #[arg(long)]
    pub multi_model: bool,
    /// It listens where SAGEMAKER_BIND_TO_PORT says [default: as the image's label says]
    #[arg(long)]
    pub bind_to_port: bool,
    /// Also run the image read-only, without capabilities, as any user
    #[arg(long)]
    pub hardened: bool,
    /// From start to the first 200 of /ping [default: 480]
    #[arg(long, value_name = "SECONDS")]
    pub startup: Option<u64>,
    /// What runs images, with its own flags: `docker`, `podman --runtime runc`; `none`: it is a command [default: podman, else docker]
    #[arg(long, value_name = "COMMAND")]
    pub engine: Option<String>,
    /// More flags for the engine's `run`
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub engine_options: Option<String>,
    /// How the server of an image is reached
    #[arg(long, value_enum, default_value_t)]
    pub network: Network,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

/// Judges what the flags name. `say` takes lines of progress.
pub async fn judge(arguments: &Arguments, say: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    let plan = arguments.plan()?;
    // What the files and flags get wrong is told before anything runs.
    plan.check()?;
    let subject = arguments.subject().await?;
    let report = crate::run(&subject, &plan, say).await?;
    if let Some(path) = &arguments.junit {
        write_aside(path, &report).map_err(machine(format_args!("{} cannot be written", path.display())))?;
    }
    Ok(report)
}

impl Arguments {
    fn plan(&self) -> Result<Plan> {
        let mut plan = self.probe.as_deref().map(Plan::read).transpose()?.unwrap_or_default();
        if !self.contract.is_empty() {
            plan.contracts = self.contract.iter().copied().collect();
        }
        plan.skip.extend_from_slice(&self.skip);
        let Plan { training, hosting, processing, limits, .. } = &mut plan;
        for (flag, to) in [
            (&self.data, &mut training.data),
            (&self.bad_data, &mut training.bad_data),
            (&self.model, &mut hosting.model),
            (&self.processing_input, &mut processing.input),
            (&self.processing_bad_input, &mut processing.bad_input),
        ] {
            *to = flag.clone().or(to.take());
        }
        training.hyperparameters.extend(self.set.iter().cloned());
        for environment in [&mut training.environment, &mut hosting.environment, &mut processing.environment] {
            environment.extend(self.environment.iter().cloned());
        }
        processing.command = self.process.clone().or(processing.command.take());
        hosting.multi_model = self.multi_model.then_some(true).or(hosting.multi_model);
        hosting.bind_to_port = self.bind_to_port.then_some(true).or(hosting.bind_to_port);
        hosting.hardened |= self.hardened;
        limits.startup_seconds = self.startup.unwrap_or(limits.startup_seconds);
        self.request(&mut hosting.request)?;
        for request in hosting.request.iter().chain(&hosting.malformed) {
            request.bytes()?;
        }
        Ok(plan)
    }

    /// The first request, where a flag says something of it.
    fn request(&self, requests: &mut Vec<Request>) -> Result<()> {
        let body = self.body.is_some() || self.body_file.is_some();
        if !body && requests.is_empty() && (self.content_type.is_some() || self.accept.is_some()) {
            return Err(KitError::Usage(
                "--content-type and --accept are of a request: give its --body or --body-file, too".to_owned(),
            ));
        }
        if body && requests.is_empty() {
            requests.push(Request { content_type: "text/csv".to_owned(), given: true, ..Request::default() });
        }
        let Some(first) = requests.first_mut() else { return Ok(()) };
        if body {
            (first.body, first.file) = (self.body.clone(), self.body_file.clone());
        }
        first.content_type = self.content_type.clone().unwrap_or_else(|| first.content_type.clone());
        first.accept = self.accept.clone().or(first.accept.take());
        Ok(())
    }

    async fn subject(&self) -> Result<Subject> {
        let process = self.plan()?.processing.command;
        let given = self.image_or_command.as_deref();
        let commands = self.train.is_some() || self.serve.is_some() || self.engine.as_deref() == Some("none");
        match given {
            Some(image) if !commands && !is_command(image) => {
                let engine = match &self.engine {
                    Some(engine) => words(engine)?,
                    None => found().await?,
                };
                let options = self.engine_options.as_deref().map(words).transpose()?.unwrap_or_default();
                let process = process.as_deref().map(words).transpose()?;
                Ok(Subject::Image(Image::inspect(image, engine, options, self.network, process).await?))
            }
            _ => {
                let mut program = given.map(Program::one).transpose()?.unwrap_or_default();
                for (flag, to) in [
                    (self.train.as_deref(), &mut program.train),
                    (self.serve.as_deref(), &mut program.serve),
                    (process.as_deref(), &mut program.process),
                ] {
                    if let Some(command) = flag {
                        *to = Some(Template::parse(command)?);
                    }
                }
                Ok(Subject::Program(program))
            }
        }
    }
}

/// A command is several words, or a file; what is left is an image.
fn is_command(text: &str) -> bool {
    text.contains(char::is_whitespace) || text.contains('{') || Path::new(text).is_file()
}

fn words(text: &str) -> Result<Vec<String>> {
    let words = shlex::split(text).filter(|words| !words.is_empty());
    words.ok_or_else(|| KitError::Usage(format!("`{text}` is no command: a quote is not closed, or nothing is there")))
}

fn assignment(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

fn write_aside(path: &Path, report: &Report) -> io::Result<()> {
    let aside = path.with_added_extension("new");
    let mut bytes = Vec::new();
    junit::write(report, &mut bytes)?;
    let mut file = fs::File::create(&aside)?;
    file.write_all(&bytes)?;
    fs::rename(aside, path)
}
