//! The rules in force, and `/_faults`, which tells and changes them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use http::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Rule, call::Call};
use crate::server::json_response;

/// Where the rules are told and changed.
pub(crate) const PATH: &str = "/_faults";

/// Every rule, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    last: u64,
    rules: Vec<Armed>,
}

/// A rule and what it has met.
#[derive(Debug, Serialize)]
struct Armed {
    id: u64,
    #[serde(flatten)]
    rule: Rule,
    /// Calls that fit.
    seen: u64,
    /// Of them, those that went wrong.
    fired: u64,
}

impl Faults {
    /// With these rules from the beginning.
    pub fn with(rules: &[Rule]) -> Faults {
        let faults = Faults::default();
        for rule in rules {
            faults.add(rule.clone());
        }
        faults
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.lock().rules.is_empty()
    }

    /// What is to happen to this call; every rule that fits counts it, the first that strikes decides.
    pub fn strike(&self, call: &Call) -> Option<(u64, Rule)> {
        let mut book = self.lock();
        let mut struck = None;
        for armed in book.rules.iter_mut().filter(|armed| armed.rule.fits(call)) {
            armed.seen += 1;
            if struck.is_none() && armed.rule.strikes(armed.seen) {
                struck = Some((armed.id, armed.rule.clone()));
            }
        }
        struck
    }

    /// Notes that a rule has had its effect.
    pub fn fired(&self, id: u64) {
        if let Some(armed) = self.lock().rules.iter_mut().find(|armed| armed.id == id) {
            armed.fired += 1;
        }
    }

    /// Answers a request to `/_faults`.
    pub fn answer(&self, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
        let (status, value) = match self.control(method, path, body) {
            Ok(value) => (StatusCode::OK, value),
            Err((status, message)) => (status, json!({ "message": message })),
        };
        json_response(status, "application/json", &value)
    }

    fn control(&self, method: &Method, path: &str, body: &[u8]) -> Result<Value, (StatusCode, String)> {
        let id = path.strip_prefix(PATH).unwrap_or_default().trim_start_matches('/');
        match (method.as_str(), id) {
            ("GET", "") => Ok(json!({ "rules": self.lock().rules })),
            ("POST", "") => match serde_json::from_slice::<Rule>(body) {
                Ok(rule) if rule.nth == 0 => Err((StatusCode::BAD_REQUEST, "nth counts from 1".to_owned())),
                Ok(rule) => Ok(json!({ "id": self.add(rule) })),
                Err(e) => Err((StatusCode::BAD_REQUEST, format!("this is no rule: {e}; docs/emulator.md shows one"))),
            },
            ("DELETE", "") => {
                self.lock().rules.clear();
                Ok(json!({ "rules": [] }))
            }
            ("DELETE", id) => {
                let mut book = self.lock();
                let before = book.rules.len();
                book.rules.retain(|armed| armed.id.to_string() != id);
                if book.rules.len() == before {
                    return Err((StatusCode::NOT_FOUND, format!("there is no rule {id}; GET {PATH} lists them")));
                }
                Ok(json!({ "rules": book.rules }))
            }
            _ => Err((
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{method} {path}: GET {PATH} lists the rules, POST adds one, DELETE {PATH}[/ID] takes away"),
            )),
        }
    }

    fn add(&self, rule: Rule) -> u64 {
        let mut book = self.lock();
        book.last += 1;
        let id = book.last;
        book.rules.push(Armed { id, rule, seen: 0, fired: 0 });
        id
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
