//! The contract as a table: every check, what AWS's documentation says about it, and where.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Where the pages of the documentation are.
pub const DOCUMENTATION: &str = "https://docs.aws.amazon.com/sagemaker/latest/";

/// A part of what a container owes the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Contract {
    /// What can be read off an image before it runs.
    Image,
    /// `IMAGE train`.
    Training,
    /// `IMAGE serve` behind an endpoint.
    Hosting,
    /// `IMAGE serve` in a batch transform job.
    Batch,
    /// Many models behind one endpoint.
    MultiModel,
    /// A processing job.
    Processing,
}

impl Contract {
    /// All of them, in the order they are judged.
    pub const ALL: [Contract; 6] = [
        Contract::Image,
        Contract::Training,
        Contract::Hosting,
        Contract::Batch,
        Contract::MultiModel,
        Contract::Processing,
    ];
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Contract::Image => "image",
            Contract::Training => "training",
            Contract::Hosting => "hosting",
            Contract::Batch => "batch",
            Contract::MultiModel => "multi-model",
            Contract::Processing => "processing",
        })
    }
}

/// A section of the documentation.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its page below [`DOCUMENTATION`].
    pub page: &'static str,
}

/// One thing that is judged.
#[derive(Debug)]
pub struct Check {
    /// Its name, stable: `contract.what`.
    pub id: &'static str,
    /// The part it belongs to.
    pub contract: Contract,
    /// What the contract says, in a line.
    pub says: &'static str,
    /// Where it says so.
    pub section: &'static Section,
}

impl Check {
    /// The name without its contract.
    pub fn name(&self) -> &'static str {
        self.id.split_once('.').map_or(self.id, |(_, name)| name)
    }
}

macro_rules! sections {
    ($($name:ident = $title:literal, $page:literal;)*) => {
        $(static $name: Section = Section { title: $title, page: $page };)*
    };
}

sections! {
    TRAIN_RUNS = "How Amazon SageMaker AI Runs Your Training Image", "dg/your-algorithms-training-algo-dockerfile.html";
    TRAIN_INFORMS = "How Amazon SageMaker AI Provides Training Information", "dg/your-algorithms-training-algo-running-container.html";
    TRAIN_SIGNALS = "How Amazon SageMaker AI Signals Algorithm Success and Failure", "dg/your-algorithms-training-signal-success-failure.html";
    TRAIN_OUTPUT = "How Amazon SageMaker AI Processes Training Output", "dg/your-algorithms-training-algo-output.html";
    ISOLATION = "Run Training and Inference Containers in Internet-Free Mode", "dg/mkt-algo-model-internet-free.html";
    HOST_RUNS = "Hosting Services: How SageMaker AI Runs Your Inference Image", "dg/your-algorithms-inference-code.html#your-algorithms-inference-code-run-image";
    HOST_LOADS = "Hosting Services: How SageMaker AI Loads Your Model Artifacts", "dg/your-algorithms-inference-code.html#your-algorithms-inference-code-load-artifacts";
    HOST_ANSWERS = "Hosting Services: How Your Container Should Respond to Inference Requests", "dg/your-algorithms-inference-code.html#your-algorithms-inference-code-container-response";
    HOST_PINGS = "Hosting Services: How Your Container Should Respond to Health Check (Ping) Requests", "dg/your-algorithms-inference-code.html#your-algorithms-inference-algo-ping-requests";
    METRICS = "SageMaker AI Endpoint Invocation Metrics: Invocation4XXErrors, Invocation5XXErrors", "dg/monitoring-cloudwatch.html";
    INVOKE = "InvokeEndpoint: Body, ModelError", "APIReference/API_runtime_InvokeEndpoint.html";
    LABELS = "Build Your Own Container for SageMaker AI Multi-Model Endpoints", "dg/build-multi-model-build-container.html";
    BATCH = "Custom Inference Code with Batch Transform", "dg/your-algorithms-batch-code.html";
    MULTI = "Custom Containers Contract for Multi-Model Endpoints", "dg/mms-container-apis.html";
    PROC_RUNS = "How Amazon SageMaker Processing Runs Your Processing Container Image", "dg/byoc-run-image.html";
    PROC_IO = "How Amazon SageMaker Processing Configures Input and Output For Your Processing Container", "dg/byoc-input-and-output.html";
    PROC_MESSAGE = "Save and Access Metadata Information About Your Processing Job", "dg/byoc-metadata.html";
}

macro_rules! checks {
    ($($name:ident $contract:ident $id:literal $section:ident $says:literal;)*) => {
        $(pub(crate) static $name: Check = Check {
            id: $id, contract: Contract::$contract, says: $says, section: &$section,
        };)*
        /// Every check, in the order of the report.
        pub static CHECKS: &[&Check] = &[$(&$name),*];
    };
}

checks! {
    EXEC_FORM Image "image.exec-form" HOST_RUNS "ENTRYPOINT in exec form, so that signals arrive";
    USER Image "image.user" HOST_RUNS "the container runs as root";
    READ_ONLY Image "image.hardened" HOST_RUNS "read-only, no capabilities, any user (--hardened)";

    TRAIN_SUCCESS Training "training.success" TRAIN_SIGNALS "`train` on good input exits 0";
    TRAIN_MODEL Training "training.model" TRAIN_OUTPUT "the model is left in /opt/ml/model";
    TRAIN_NO_FAILURE Training "training.no-failure-file" TRAIN_SIGNALS "a success leaves no /opt/ml/output/failure";
    TRAIN_INPUT Training "training.input-untouched" TRAIN_INFORMS "/opt/ml/input is read, never written";
    TRAIN_QUOTED Training "training.quoted-hyperparameters" TRAIN_INFORMS "values are strings, which the SDK may quote as JSON";
    TRAIN_BAD_EXIT Training "training.failure-exit" TRAIN_SIGNALS "`train` on bad input exits other than 0";
    TRAIN_BAD_FILE Training "training.failure-file" TRAIN_SIGNALS "a failure says why in /opt/ml/output/failure";
    TRAIN_ISOLATED Training "training.network-isolation" ISOLATION "it needs no network";
    TRAIN_TERM Training "training.sigterm" TRAIN_RUNS "SIGTERM ends it within 120 s";

    SERVE_START Hosting "hosting.start" HOST_PINGS "/ping is 200 within the start-up limit";
    SERVE_PORT Hosting "hosting.bind-to-port" LABELS "the port of SAGEMAKER_BIND_TO_PORT, if labelled so";
    ACCEPT_TIME Hosting "hosting.accept" HOST_ANSWERS "a connection is accepted within 250 ms";
    PING_TIME Hosting "hosting.ping-time" HOST_PINGS "/ping answers each try within 2 s";
    PING_BODY Hosting "hosting.ping-body" HOST_PINGS "/ping answers 200 with an empty body";
    PING_BUSY Hosting "hosting.ping-busy" HOST_PINGS "/ping answers within 2 s under load";
    INVOCATION Hosting "hosting.invocations" HOST_ANSWERS "/invocations answers within 60 s";
    CONTENT_TYPE Hosting "hosting.content-type" HOST_ANSWERS "the answer's type is given, and what Accept asks";
    REQUESTS Hosting "hosting.requests" HOST_ANSWERS "every further request of the probe is answered";
    HEADERS Hosting "hosting.headers" HOST_ANSWERS "X-Amzn-SageMaker-* headers do no harm";
    UNKNOWN_TYPE Hosting "hosting.unknown-type" METRICS "an unknown type is the client's error: 4xx";
    MALFORMED Hosting "hosting.malformed" METRICS "a malformed body is the client's error: 4xx";
    PAYLOAD_6 Hosting "hosting.payload-6mb" INVOKE "6 MB are answered, or refused with a status";
    PAYLOAD_25 Hosting "hosting.payload-25mb" INVOKE "25 MB are answered, or refused with a status";
    KEEP_ALIVE Hosting "hosting.keep-alive" HOST_ANSWERS "a connection that is kept open answers again";
    CONCURRENT Hosting "hosting.concurrent" HOST_ANSWERS "requests at the same time are all answered";
    MODEL Hosting "hosting.model-untouched" HOST_LOADS "/opt/ml/model is read, never written";
    SERVE_ISOLATED Hosting "hosting.network-isolation" ISOLATION "it needs no network but its clients'";
    IN_FLIGHT Hosting "hosting.in-flight" HOST_RUNS "SIGTERM: what was accepted is still answered";
    SERVE_TERM Hosting "hosting.sigterm" HOST_RUNS "SIGTERM ends it within 30 s";

    PARAMETERS Batch "batch.execution-parameters" BATCH "/execution-parameters, if any, has its members";
    LINES Batch "batch.lines" BATCH "an answer has a line for each of the request";

    MULTI_START MultiModel "multi-model.start" MULTI "`serve` is healthy before any model is loaded";
    MULTI_LOAD MultiModel "multi-model.load" MULTI "POST /models loads: 200";
    MULTI_TWICE MultiModel "multi-model.load-twice" MULTI "POST /models of a loaded model: 409";
    MULTI_BAD MultiModel "multi-model.load-missing" MULTI "POST /models of what is not there is refused";
    MULTI_LIST MultiModel "multi-model.list" MULTI "GET /models lists modelName, modelUrl of the loaded";
    MULTI_GET MultiModel "multi-model.get" MULTI "GET /models/{name}: modelName and modelUrl";
    MULTI_GET_UNKNOWN MultiModel "multi-model.get-unknown" MULTI "GET /models/{name} of an unknown: 404";
    MULTI_INVOKE MultiModel "multi-model.invoke" MULTI "POST /models/{name}/invoke answers: 200";
    MULTI_INVOKE_UNKNOWN MultiModel "multi-model.invoke-unknown" MULTI "POST /models/{name}/invoke of an unknown: 404";
    MULTI_UNLOAD MultiModel "multi-model.unload" MULTI "DELETE /models/{name} unloads: 200";
    MULTI_UNLOADED MultiModel "multi-model.unloaded" MULTI "an unloaded model is 404 to GET, invoke, DELETE";

    PROCESS_SUCCESS Processing "processing.success" PROC_RUNS "the job on good input exits 0";
    PROCESS_INPUT Processing "processing.input-untouched" PROC_IO "inputs are read, never written";
    PROCESS_OUTPUT Processing "processing.output" PROC_IO "outputs in /opt/ml/processing are files, no links";
    PROCESS_MESSAGE Processing "processing.message" PROC_MESSAGE "/opt/ml/output/message, if any, is UTF-8";
    PROCESS_FAILURE Processing "processing.failure" PROC_RUNS "the job on bad input exits other than 0";
    PROCESS_ISOLATED Processing "processing.network-isolation" ISOLATION "it needs no network";
}
