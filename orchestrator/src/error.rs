//! What a person reads when something did not work: what, why, what to do; and the exit code.

use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::advice;

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

    /// Says in which region it was.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        self.what = format!("region {region}: {}", self.what);
        self
    }

    /// Adds where or why, a line each.
    #[must_use]
    pub fn because(mut self, why: impl fmt::Display) -> Self {
        self.why.extend(why.to_string().lines().map(str::to_owned));
        self
    }

    /// What and why, for a note within something that went well otherwise.
    pub fn in_a_line(&self) -> String {
        std::iter::once(&self.what).chain(&self.why).map(String::as_str).collect::<Vec<_>>().join("; ")
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

/// Says which call to AWS failed, with AWS's code and sentence, and what to do.
pub fn aws<E>(what: impl fmt::Display) -> impl FnOnce(SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    move |error| {
        let failure = Failure::new(what.to_string());
        if let Some(advice) = advice::of_credentials(&error) {
            return failure.because(first_line(&advice::told(&error))).hint(advice);
        }
        if matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) {
            return failure.because(advice::told(&error)).hint("nothing answers there: is the network up, or has the process that held the emulator ended? Repeat the command");
        }
        // An answer to HEAD has no body that could say its code.
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        let code = error.code().or((status == Some(403)).then_some("AccessDenied"));
        let Some(code) = code else { return failure.because(advice::told(&error)) };
        let message = error.message().map(first_line).unwrap_or("no message");
        let action = action(std::any::type_name::<E>());
        let advice = advice::Refusal { code, message, action: &action }.advice();
        let failure = failure.because(format!("{code}: {message}"));
        match advice {
            Some(advice) => failure.hint(advice),
            None => failure,
        }
    }
}

/// What comes after it may repeat the request with its headers.
fn first_line(message: &str) -> &str {
    message.trim().lines().next().unwrap_or_default()
}

/// `aws_sdk_s3::operation::head_object::HeadObjectError` as the permission that it needs: `s3:GetObject`.
fn action(error: &str) -> String {
    let service = error.split("::").next().unwrap_or_default().trim_start_matches("aws_sdk_");
    let operation = error.rsplit("::").next().unwrap_or_default().trim_end_matches("Error");
    let service = match service {
        "sagemakerruntime" => "sagemaker",
        "cloudwatchlogs" => "logs",
        "applicationautoscaling" => "application-autoscaling",
        other => other,
    };
    let operation = match (service, operation) {
        ("s3", "HeadBucket" | "ListObjectsV2") => "ListBucket",
        ("s3", "HeadObject") => "GetObject",
        ("s3", "PutPublicAccessBlock") => "PutBucketPublicAccessBlock",
        (_, operation) => operation,
    };
    format!("{service}:{operation}")
}

/// Tells "there is none" apart from a failed question.
pub trait Found<T> {
    /// `None` where AWS says that the thing does not exist.
    fn found(self, what: impl fmt::Display) -> Result<Option<T>>;
}

impl<T, E> Found<T> for std::result::Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn found(self, what: impl fmt::Display) -> Result<Option<T>> {
        match self {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if is_missing(error.code(), error.message()) => Ok(None),
            Err(error) => Err(aws(what)(error)),
        }
    }
}

/// Takes "it is there already" for done: an earlier try had its effect, and its answer was lost.
pub trait Made {
    /// `what` says what cannot be made.
    fn made(self, what: impl fmt::Display) -> Result<()>;
}

impl<T, E> Made for std::result::Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn made(self, what: impl fmt::Display) -> Result<()> {
        match self {
            Ok(_) => Ok(()),
            Err(error) if is_there(error.code(), error.message()) => Ok(()),
            Err(error) => Err(aws(what)(error)),
        }
    }
}

/// Names are made of content, so that what is there under a name is what was to be made; what is on its way there is waited for.
fn is_there(code: Option<&str>, message: Option<&str>) -> bool {
    let message = message.unwrap_or_default();
    match code {
        Some("BucketAlreadyOwnedByYou") => true,
        Some("ResourceInUse") => message.contains("already exists"),
        Some("ConflictException") => message.contains("already exist"),
        Some("ValidationException") => {
            message.starts_with("Cannot create already existing ")
                || message.starts_with("Model Package Group already exists")
                || message.starts_with("Cannot update in-progress endpoint")
        }
        _ => false,
    }
}

/// AWS has no one code for it: SageMaker answers most with `ValidationException` and a sentence.
fn is_missing(code: Option<&str>, message: Option<&str>) -> bool {
    let message = message.unwrap_or_default();
    match code {
        Some(
            "ResourceNotFound"
            | "ResourceNotFoundException"
            | "ObjectNotFoundException"
            | "NoSuchKey"
            | "NoSuchBucket"
            | "NotFound",
        ) => true,
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
    fn a_call_names_its_permission() {
        for (error, want) in [
            ("aws_sdk_s3::operation::head_object::HeadObjectError", "s3:GetObject"),
            ("aws_sdk_sagemaker::operation::create_model::CreateModelError", "sagemaker:CreateModel"),
            ("aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsError", "logs:GetLogEvents"),
        ] {
            assert_eq!(action(error), want);
        }
        let error = std::any::type_name::<aws_sdk_s3::operation::head_bucket::HeadBucketError>();
        assert_eq!(action(error), "s3:ListBucket");
    }

    #[test]
    fn what_is_there_already_is_made() {
        for (code, message, want) in [
            ("ValidationException", "Cannot create already existing endpoint \"arn\".", true),
            ("ValidationException", "Model Package Group already exists: arn", true),
            ("ValidationException", "Cannot update in-progress endpoint \"arn\".", true),
            (
                "ResourceInUse",
                "Training job names must be unique within an AWS account and region, and a training job with this name already exists (arn)",
                true,
            ),
            ("ConflictException", "Schedule x already exists.", true),
            ("BucketAlreadyOwnedByYou", "", true),
            ("BucketAlreadyExists", "", false),
            ("ResourceInUse", "endpoint is in use", false),
            ("ValidationException", "1 validation error detected: Value 'x'", false),
        ] {
            assert_eq!(is_there(Some(code), Some(message)), want, "{code} {message}");
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
