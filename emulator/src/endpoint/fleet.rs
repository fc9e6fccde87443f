//! A fleet: all processes of one deployment of an endpoint.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use super::{
    capture::Capture,
    instance::{HttpClient, Instance, Plan, State},
    lease::{Lease, Leases},
};
use crate::{
    Runtime,
    account::Account,
    container::{
        archive,
        inputs::{self, Selection},
    },
    files,
    s3_uri::S3Uri,
    sagemaker::{Deployed, Deployment, ModelData},
};

/// A laptop has room for so many processes of one variant.
const MOST_INSTANCES: u32 = 4;
/// A request may take 60 s; nothing in flight is older than this.
const LONGEST_DRAIN: Duration = Duration::from_secs(90);

/// The processes of one deployment.
pub(crate) struct Fleet {
    variants: Vec<Variant>,
    /// Gets a copy of the requests, and answers nobody.
    shadow: Option<Variant>,
    copied: AtomicU64,
    turn: AtomicU64,
    pub(super) client: HttpClient,
    pub(super) capture: Option<Capture>,
    leases: Leases,
    stop: watch::Sender<Option<Duration>>,
    keepers: Mutex<JoinSet<()>>,
    folder: PathBuf,
}

/// The instances that share one model.
pub(super) struct Variant {
    pub name: String,
    weight: f64,
    /// Requests at once, where it is serverless.
    most: Option<usize>,
    instances: Vec<Arc<Instance>>,
    turn: AtomicU64,
}

impl Fleet {
    /// Starts all processes of a deployment and waits until every one is healthy; the reason where one is not, and
    /// nothing where the emulator closes first. They log to `group`.
    pub async fn bring_up(
        account: &Arc<Account>,
        endpoint: &str,
        group: &str,
        deployment: &Deployment,
    ) -> Option<Result<Arc<Fleet>, String>> {
        let folder = account.work().join(format!("{endpoint}-{}", uuid::Uuid::new_v4().simple()));
        let planned = tokio::select! {
            planned = plan_all(account, group, deployment, &folder) => planned,
            () = account.tasks.closing() => return None,
        };
        let plans = match planned {
            Ok(plans) => plans,
            Err(reason) => {
                remove(folder).await;
                return Some(Err(reason));
            }
        };
        // It is ended and never just dropped: a container would outlive that.
        let fleet = Arc::new(Fleet::start(account, endpoint, deployment, plans, folder));
        let unhealthy = tokio::select! {
            unhealthy = fleet.unhealthy() => unhealthy,
            () = account.tasks.closing() => {
                // No request has come to it: nothing is to be waited for.
                fleet.end(Duration::ZERO).await;
                return None;
            }
        };
        let Some(variant) = unhealthy else { return Some(Ok(fleet)) };
        let reason = format!(
            "The primary container for production variant {} did not pass the ping health check. Please check CloudWatch logs for this endpoint.",
            variant.name
        );
        let (ended, grace) = (fleet.clone(), account.timing.instance_grace);
        account.tasks.spawn(async move { ended.end(grace).await });
        Some(Err(reason))
    }

    /// Starts the instances, a list of plans a variant.
    fn start(
        account: &Arc<Account>,
        endpoint: &str,
        deployment: &Deployment,
        plans: Vec<Vec<Plan>>,
        folder: PathBuf,
    ) -> Fleet {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: HttpClient = Client::builder(TokioExecutor::new()).build(connector);
        let (stop, stopped) = watch::channel(None);
        let mut keepers = JoinSet::new();
        let mut keep = |plan: Plan| {
            let instance = Arc::new(Instance::new());
            let (kept, account, client, stopped) = (instance.clone(), account.clone(), client.clone(), stopped.clone());
            keepers.spawn(async move { kept.keep(account, client, plan, stopped).await });
            instance
        };
        let all = deployment.all().zip(plans).map(|(deployed, plans)| Variant {
            name: deployed.variant.variant_name.clone(),
            weight: deployed.variant.initial_variant_weight.max(0.0),
            most: deployed.variant.serverless_config.map(|serverless| serverless.max_concurrency as usize),
            instances: plans.into_iter().map(&mut keep).collect(),
            turn: AtomicU64::new(0),
        });
        let mut variants: Vec<Variant> = all.collect();
        let shadow = variants.split_off(deployment.variants.len()).pop();
        let capture = deployment.capture.clone().filter(|capture| capture.enable_capture);
        Fleet {
            variants,
            shadow,
            copied: AtomicU64::new(0),
            turn: AtomicU64::new(0),
            client,
            capture: capture.map(|capture| Capture::start(account, endpoint, capture)),
            leases: Leases::new(),
            stop,
            keepers: Mutex::new(keepers),
            folder,
        }
    }

    /// Waits until every variant is healthy; the first one found that is not.
    async fn unhealthy(&self) -> Option<&Variant> {
        for variant in self.variants.iter().chain(&self.shadow) {
            if !variant.healthy().await {
                return Some(variant);
            }
        }
        None
    }

    /// A request in flight: the fleet waits for it before it ends.
    pub(super) fn lease(&self) -> Lease {
        self.leases.take()
    }

    /// The variant for the next request: the one asked for, else by weight.
    pub(super) fn variant(&self, target: Option<&str>) -> Option<&Variant> {
        if let Some(name) = target {
            return self.variants.iter().find(|variant| variant.name == name);
        }
        let total: f64 = self.variants.iter().map(|variant| variant.weight).sum();
        let mut at = spread(&self.turn) * total;
        let chosen = self.variants.iter().find(|variant| {
            at -= variant.weight;
            at < 0.0
        });
        chosen.or(self.variants.first())
    }

    /// The shadow variant.
    pub(super) fn shadow(&self) -> Option<&Variant> {
        self.shadow.as_ref()
    }

    /// Whether it gets a copy of the next request to `variant`: as often as its weight is to that variant's.
    pub(super) fn copies(&self, variant: &Variant) -> bool {
        self.shadow.as_ref().is_some_and(|shadow| spread(&self.copied) * variant.weight < shadow.weight)
    }

    /// What the first ready instance answers to a GET of `path`; nothing where it does not answer well.
    pub async fn get(&self, path: &str, patience: Duration) -> Option<Bytes> {
        let address = self.variants.first()?.ready()?.address()?;
        let request = http::Request::get(format!("http://{address}{path}")).body(Full::default()).ok()?;
        let asked = async {
            let answer = self.client.request(request).await.ok().filter(|answer| answer.status().is_success())?;
            Some(answer.into_body().collect().await.ok()?.to_bytes())
        };
        timeout(patience, asked).await.ok()?
    }

    /// Waits for the last request and record, then ends every process.
    pub async fn end(&self, grace: Duration) {
        // A request older than any may be is not waited for.
        let _ = timeout(LONGEST_DRAIN, self.leases.none()).await;
        if let Some(capture) = &self.capture {
            capture.close().await;
        }
        self.stop.send_replace(Some(grace));
        let mut keepers = std::mem::take(&mut *self.keepers.lock().unwrap_or_else(PoisonError::into_inner));
        while keepers.join_next().await.is_some() {}
        remove(self.folder.clone()).await;
    }
}

/// The next of numbers from 0 to 1 that are spread evenly, so that any run of requests is split as the weights say:
/// multiples of the golden ratio.
fn spread(turn: &AtomicU64) -> f64 {
    (turn.fetch_add(1, Ordering::Relaxed) as f64 * 0.618_033_988_749_894_9).fract()
}

impl Variant {
    /// How many instances it has.
    pub fn size(&self) -> usize {
        self.instances.len()
    }

    /// Whether it is serverless and has as many requests as it takes.
    pub fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.instances.iter().map(|i| i.busy.count()).sum::<usize>() >= most)
    }

    /// Whether all instances became healthy; returns at the first that did not.
    async fn healthy(&self) -> bool {
        for instance in &self.instances {
            let mut state = instance.state.subscribe();
            let decided = state.wait_for(|state| *state != State::Starting).await;
            if !matches!(decided.as_deref(), Ok(State::Ready(_))) {
                return false;
            }
        }
        true
    }

    /// The ready instance with the fewest requests; in turn where there are several.
    pub fn ready(&self) -> Option<&Arc<Instance>> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) as usize % self.instances.len().max(1);
        let (later, earlier) = self.instances.split_at(first.min(self.instances.len()));
        let in_turn = earlier.iter().chain(later);
        in_turn.filter(|instance| instance.address().is_some()).min_by_key(|instance| instance.busy.count())
    }

    /// Returns once any instance is ready.
    pub async fn any_ready(&self) {
        let waits = self.instances.iter().map(|instance| {
            let mut state = instance.state.subscribe();
            Box::pin(async move {
                // The sender lives in the instance, which outlives this wait.
                let _ = state.wait_for(|state| matches!(state, State::Ready(_))).await;
            })
        });
        futures::future::select_all(waits).await;
    }
}

/// What the instances of every variant run, all that they need laid out below `folder`.
async fn plan_all(
    account: &Account,
    group: &str,
    deployment: &Deployment,
    folder: &Path,
) -> Result<Vec<Vec<Plan>>, String> {
    let mut all = Vec::new();
    for deployed in deployment.all() {
        let shared = folder.join(&deployed.variant.variant_name);
        fetch_model(account, deployed, &shared).await?;
        let asked = deployed.variant.initial_instance_count;
        let mut plans = Vec::new();
        for number in 1..=asked.min(MOST_INSTANCES) {
            let (ml_root, model) = (shared.join(format!("instance-{number}")), shared.join("model"));
            lay_out(&account.settings.runtime, &ml_root, &model).map_err(|e| format!("InternalServerError: {e}"))?;
            plans.push(plan(account, group, deployed, ml_root, model));
        }
        if let Some(first) = plans.first().filter(|_| asked > MOST_INSTANCES) {
            let text = format!("[emulator] {asked} instances were asked for; {MOST_INSTANCES} run here");
            account.logs.append(&first.log.0, &first.log.1, &text);
        }
        all.push(plans);
    }
    Ok(all)
}

fn plan(account: &Account, group: &str, deployed: &Deployed, ml_root: PathBuf, model: PathBuf) -> Plan {
    let variant = &deployed.variant;
    let startup = variant.container_startup_health_check_timeout_in_seconds;
    let instance = format!("i-{}", &uuid::Uuid::new_v4().simple().to_string()[..17]);
    Plan {
        image: deployed.container.image.clone(),
        ml_root,
        model,
        environment: deployed.container.environment.clone().into_iter().collect(),
        log: (group.to_owned(), format!("{}/{instance}", variant.variant_name)),
        startup: startup.map_or(account.timing.startup, Duration::from_secs),
    }
}

/// An instance's own `/opt/ml` around the model that a variant's instances share.
fn lay_out(runtime: &Runtime, ml_root: &Path, model: &Path) -> io::Result<()> {
    fs::create_dir_all(ml_root)?;
    match runtime {
        Runtime::Process(_) => symlink(model, ml_root.join("model")),
        // The model is mounted over it.
        Runtime::Engine(_) => fs::create_dir(ml_root.join("model")),
    }
}

/// Puts a variant's model below `folder/model`, read-only.
async fn fetch_model(account: &Account, deployed: &Deployed, folder: &Path) -> Result<(), String> {
    let internal = |e: io::Error| format!("InternalServerError: {e}");
    let model = folder.join("model");
    let Some(ModelData { uri, packed }) = &deployed.container.data else {
        return tokio::fs::create_dir_all(&model).await.map_err(internal);
    };
    let failed = |detail: String| {
        format!(
            "Failed to download model data for container \"container_1\" from URL: \"{uri}\". Please ensure that there is an object located at the URL and that the role passed to CreateModel has permissions to download the object. ({detail})"
        )
    };
    if !packed {
        inputs::download(account, uri, Selection::Prefix, false, &model).await.map_err(failed)?;
        return blocking(move || archive::seal(&model)).await.map_err(internal);
    }
    let from = S3Uri::parse(uri).ok_or_else(|| failed("it is not of the form s3://bucket/key".to_owned()))?;
    let archive_file = folder.join("model.tar.gz");
    let got = account.bucket.get_file(&from.bucket, &from.key, &archive_file).await;
    got.map_err(|e| failed(e.to_string()))?;
    let unpacked = blocking(move || {
        archive::unpack_read_only(&archive_file, &model)?;
        fs::remove_file(&archive_file)
    });
    unpacked.await.map_err(|e| format!("ClientError: Unable to unpack the model archive \"{uri}\": {e}"))
}

async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    spawn_blocking(work).await.map_err(io::Error::other).flatten()
}

async fn remove(folder: PathBuf) {
    // What is left is swept at the next start.
    let _ = blocking(move || files::remove_tree(&folder)).await;
}
