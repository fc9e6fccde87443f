//! An error answer of a JSON service.

use std::io;

use serde_json::{Value, json};

use crate::shapes::Refusal;

/// What AWS would say no with.
#[derive(Debug)]
pub(crate) struct Fault {
    pub status: u16,
    pub kind: &'static str,
    pub message: String,
}

impl Fault {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Fault {
        Fault { status: 400, kind, message: message.into() }
    }

    pub fn validation(message: impl Into<String>) -> Fault {
        Fault::new("ValidationException", message)
    }

    /// The body of JSON 1.1 services. Modelled SageMaker errors have a `Message`, the others a `message`.
    pub fn body(&self) -> Value {
        let member = match self.kind {
            "ResourceNotFound" | "ResourceInUse" | "ResourceLimitExceeded" | "ConflictException" => "Message",
            _ => "message",
        };
        json!({"__type": self.kind, member: self.message})
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        match refusal {
            Refusal::Serialization(message) => Fault::new("SerializationException", message),
            Refusal::Validation(message) => Fault::validation(message),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        let message = format!("the emulator's state cannot be written: {error}");
        Fault { status: 500, kind: "InternalFailure", message }
    }
}
