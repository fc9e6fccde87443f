//! Many models behind one endpoint, as SageMaker's multi-model API loads and unloads them.
//!
//! A loaded model is *awake* (its files are mapped) or *asleep* (its place is remembered, nothing is held). Opening takes
//! milliseconds, so the bound on memory is kept by putting the longest unused to sleep, and a request wakes its model:
//! the service, which does not know of it, never has a request refused for a model that it loaded.

use crate::error::ApiError;
use crate::served::Served;
use model::artifact::manifest::MANIFEST;
use model::{Artifact, Identity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names in one page of the list.
const PAGE: usize = 200;

/// All models that were loaded.
#[derive(Debug)]
pub struct Models {
    /// For the files of the models that are awake, in bytes.
    bound: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    /// Of the files of the models that are awake.
    awake_bytes: u64,
    /// Counts uses.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    url: String,
    awake: Option<Arc<Served>>,
    /// Its files when all of them were verified last: while they are the same, waking reads no more of them than opening.
    verified: Identity,
    /// The clock at its last use.
    used: u64,
    /// Told apart from one that was unloaded and loaded again under the same name.
    born: u64,
}

/// What `POST /models` holds.
#[derive(Debug, Deserialize)]
pub(crate) struct LoadRequest {
    model_name: String,
    url: String,
}

/// One model of the list.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    model_name: String,
    model_url: String,
}

/// One page of the list.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    models: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

impl Models {
    /// None yet; those that are awake hold at most `bound` bytes of files.
    pub fn new(bound: u64) -> Self {
        Self { bound, state: Mutex::default() }
    }

    /// Loads what the request names. Reads files: not for the thread that answers others.
    pub(crate) fn load(&self, request: LoadRequest) -> Result<(), ApiError> {
        let LoadRequest { model_name: name, url } = request;
        if self.state().entries.contains_key(&name) {
            return Err(ApiError::ModelLoaded { name });
        }
        let there = |error: std::io::Error| ApiError::ModelNotThere {
            name: name.clone(),
            url: url.clone(),
            reason: error.to_string(),
        };
        fs::metadata(folder(&url).join(MANIFEST)).map_err(there)?;
        let (served, verified) = open(&name, &url, None)?;
        let mut state = self.state();
        // Another may have been faster.
        if state.entries.contains_key(&name) {
            return Err(ApiError::ModelLoaded { name });
        }
        state.make_room(served.artifact().bytes(), self.bound)?;
        state.clock += 1;
        state.awake_bytes += served.artifact().bytes();
        let now = state.clock;
        state.entries.insert(name, Entry { url, awake: Some(served), verified, used: now, born: now });
        Ok(())
    }

    /// The model, where it is awake; `None` where [`wake`](Self::wake) has to open it first.
    pub(crate) fn awake(&self, name: &str) -> Result<Option<Arc<Served>>, ApiError> {
        let mut state = self.state();
        state.clock += 1;
        let now = state.clock;
        let entry = state.entries.get_mut(name).ok_or_else(|| ApiError::ModelMissing { name: name.into() })?;
        entry.used = now;
        Ok(entry.awake.clone())
    }

    /// The model, opened where it is asleep. Reads files: not for the thread that answers others.
    pub(crate) fn wake(&self, name: &str) -> Result<Arc<Served>, ApiError> {
        let missing = || ApiError::ModelMissing { name: name.into() };
        let (url, verified, born) = match self.state().entries.get(name).ok_or_else(missing)? {
            Entry { awake: Some(served), .. } => return Ok(Arc::clone(served)),
            Entry { url, verified, born, .. } => (url.clone(), verified.clone(), *born),
        };
        let (opened, verified) = open(name, &url, Some(&verified))?;
        let mut state = self.state();
        match state.entries.get(name).ok_or_else(missing)? {
            Entry { awake: Some(served), .. } => return Ok(Arc::clone(served)),
            entry if entry.born != born => return Err(missing()),
            _ => {}
        }
        state.make_room(opened.artifact().bytes(), self.bound)?;
        state.awake_bytes += opened.artifact().bytes();
        if let Some(entry) = state.entries.get_mut(name) {
            entry.awake = Some(Arc::clone(&opened));
            entry.verified = verified;
        }
        Ok(opened)
    }

    /// Forgets a model; requests that use it still end.
    pub(crate) fn unload(&self, name: &str) -> Result<(), ApiError> {
        let mut state = self.state();
        let entry = state.entries.remove(name).ok_or_else(|| ApiError::ModelMissing { name: name.into() })?;
        state.awake_bytes -= entry.awake.map_or(0, |served| served.artifact().bytes());
        Ok(())
    }

    /// One model of the list.
    pub(crate) fn get(&self, name: &str) -> Result<Listed, ApiError> {
        let state = self.state();
        let entry = state.entries.get(name).ok_or_else(|| ApiError::ModelMissing { name: name.into() })?;
        Ok(Listed { model_name: name.into(), model_url: entry.url.clone() })
    }

    /// The list, by name, after the name that `token` is.
    pub(crate) fn page(&self, token: Option<&str>) -> Page {
        let state = self.state();
        let after = token.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = state.entries.range::<str, _>((after, Bound::Unbounded));
        let listed =
            |(name, entry): (&String, &Entry)| Listed { model_name: name.clone(), model_url: entry.url.clone() };
        let models: Vec<Listed> = rest.by_ref().take(PAGE).map(listed).collect();
        let more = rest.next().is_some();
        let next_page_token = models.last().filter(|_| more).map(|last| last.model_name.clone());
        Page { models, next_page_token }
    }

    /// Models that are loaded, models of them that are awake, and bytes of the latter's files.
    pub fn held(&self) -> (usize, usize, u64) {
        let state = self.state();
        let awake = state.entries.values().filter(|entry| entry.awake.is_some()).count();
        (state.entries.len(), awake, state.awake_bytes)
    }

    /// Nothing under this lock leaves it half done, so that of a thread that panicked is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Puts the longest unused to sleep until there is room. Those that a request is using stay: their memory would.
    fn make_room(&mut self, bytes: u64, bound: u64) -> Result<(), ApiError> {
        while self.awake_bytes.saturating_add(bytes) > bound {
            let idle = |entry: &&mut Entry| entry.awake.as_ref().is_some_and(|served| Arc::strong_count(served) == 1);
            let longest_unused = self.entries.values_mut().filter(idle).min_by_key(|entry| entry.used);
            let Some(served) = longest_unused.and_then(|entry| entry.awake.take()) else {
                return Err(ApiError::ModelMemory { bytes, held: self.awake_bytes, bound });
            };
            self.awake_bytes -= served.artifact().bytes();
        }
        Ok(())
    }
}

/// The folder that a `url` names, as the service unpacked it.
fn folder(url: &str) -> PathBuf {
    PathBuf::from(url.strip_prefix("file://").unwrap_or(url))
}

/// Opens the artifact at `url`, and verifies it unless its files are those that were `verified`.
fn open(name: &str, url: &str, verified: Option<&Identity>) -> Result<(Arc<Served>, Identity), ApiError> {
    let opened = Artifact::open(&folder(url)).and_then(|artifact| {
        if !verified.is_some_and(|verified| artifact.trust(verified)) {
            artifact.verify()?;
        }
        Ok(artifact)
    });
    match opened {
        Ok(artifact) => {
            let identity = artifact.identity();
            Ok((Arc::new(Served::new(artifact)), identity))
        }
        Err(error) => Err(ApiError::ModelRefused { name: name.into(), reason: error.to_string() }),
    }
}
