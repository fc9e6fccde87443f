//! What a person reads when something did not work: what, why, what to do; and the exit code.

use std::fmt;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Exit codes, stable: scripts branch on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was tried and did not work.
    Failed = 1,
    /// The command line or the settings are not usable; nothing was tried.
    Usage = 2,
    /// The gate, or the watch over the traffic, says no.
    Refused = 3,
    /// Ctrl-C or SIGTERM.
    Interrupted = 130,
}

/// One failure, told once.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    what: String,
    why: Vec<String>,
    hint: Option<String>,
}

/// What every stage gives back.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Something was tried and failed.
    pub fn new(what: impl Into<String>) -> Self {
        Failure { exit: Exit::Failed, what: what.into(), why: Vec::new(), hint: None }
    }

    /// The command line or the settings are wrong.
    pub fn usage(what: impl Into<String>) -> Self {
        Failure { exit: Exit::Usage, ..Failure::new(what) }
    }

    /// The gate says no.
    pub fn refused(what: impl Into<String>) -> Self {
        Failure { exit: Exit::Refused, ..Failure::new(what) }
    }

    /// The user stopped it.
    pub fn interrupted(what: impl Into<String>) -> Self {
        Failure { exit: Exit::Interrupted, ..Failure::new(what) }
    }

    /// Adds where or why, a line each.
    #[must_use]
    pub fn because(mut self, why: impl fmt::Display) -> Self {
        self.why.extend(why.to_string().lines().map(str::to_owned));
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit {
            Exit::Refused => write!(f, "refused: {}", self.what)?,
            Exit::Interrupted => write!(f, "interrupted: {}", self.what)?,
            Exit::Failed | Exit::Usage => write!(f, "error: {}", self.what)?,
        }
        for line in &self.why {
            write!(f, "\n  {line}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Says what was being done when a file could not be used.
pub fn io(what: impl fmt::Display) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| Failure::new(what.to_string()).because(error)
}

/// Says which call to AWS failed, with AWS's code and message.
pub fn aws<E, R>(what: impl fmt::Display) -> impl FnOnce(SdkError<E, R>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    move |error| {
        let mut failure = Failure::new(what.to_string());
        if matches!(error, SdkError::DispatchFailure(_)) {
            failure = failure.hint("nothing answers there: is the network up, or has the process that held the emulator ended? Repeat the command");
        }
        match (error.code(), error.message()) {
            (Some(code), message) => failure.because(format!("{code}: {}", message.unwrap_or("no message"))),
            (None, _) => failure.because(DisplayErrorContext(error).to_string().trim_end()),
        }
    }
}

/// Tells "there is none" apart from a failed question.
pub trait Found<T> {
    /// `None` where AWS says that the thing does not exist.
    fn found(self, what: impl fmt::Display) -> Result<Option<T>>;
}

impl<T, E, R> Found<T> for std::result::Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: fmt::Debug,
{
    fn found(self, what: impl fmt::Display) -> Result<Option<T>> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_missing(error.code(), error.message()) => Ok(None),
            Err(error) => Err(aws(what)(error)),
        }
    }
}

/// AWS has no one code for it: SageMaker answers most with `ValidationException` and a sentence.
fn is_missing(code: Option<&str>, message: Option<&str>) -> bool {
    let message = message.unwrap_or_default();
    match code {
        Some("ResourceNotFound" | "ResourceNotFoundException" | "NoSuchKey" | "NoSuchBucket" | "NotFound") => true,
        Some("ValidationException") => {
            message.starts_with("Could not find ")
                || message.starts_with("Requested resource not found")
                || message.contains("does not exist")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_told_by_code_and_sentence() {
        for (code, message, want) in [
            (Some("ValidationException"), "Could not find endpoint \"arn\".", true),
            (Some("ValidationException"), "Requested resource not found.", true),
            (Some("ValidationException"), "ModelPackageGroup arn does not exist.", true),
            (Some("ValidationException"), "1 validation error detected: Value 'x'", false),
            (Some("ResourceNotFoundException"), "", true),
            (Some("ResourceNotFound"), "", true),
            (Some("AccessDenied"), "", false),
            (None, "Could not find ", false),
        ] {
            assert_eq!(is_missing(code, Some(message)), want, "{code:?} {message}");
        }
    }

    #[test]
    fn a_failure_says_what_why_and_what_to_do() {
        let failure = Failure::new("the data is not usable").because("a.csv:3: empty\na.csv:4: empty").hint("mend it");
        assert_eq!(
            failure.to_string(),
            "error: the data is not usable\n  a.csv:3: empty\n  a.csv:4: empty\n  hint: mend it"
        );
        assert_eq!(Failure::refused("accuracy").to_string(), "refused: accuracy");
    }
}
