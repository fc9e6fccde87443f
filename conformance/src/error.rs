//! Why nothing, or not all, could be judged: the kit's own failures, not the subject's.

/// A failure of the kit or of what it was told.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// The command line or the probe file cannot be used; nothing was run.
    #[error("{0}")]
    Usage(String),
    /// This machine does not let the kit do its work.
    #[error("{0}")]
    Machine(String),
}

/// What fallible parts of the kit give back.
pub type Result<T> = std::result::Result<T, KitError>;

pub(crate) fn machine<E: std::fmt::Display>(what: impl std::fmt::Display) -> impl FnOnce(E) -> KitError {
    move |error| KitError::Machine(format!("{what}: {error}"))
}
