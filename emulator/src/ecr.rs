//! The image repository, JSON 1.1: which image a tag names. Nothing is pushed or pulled here: of a child process that stands for
//! every image, the digest is that program's, as it lies on this disk; of an engine, the image's on this machine.

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{ACCOUNT, Engine, EngineError, Runtime, account::Account, fault::Fault};

/// Answers one operation.
pub(crate) async fn answer(account: &Account, operation: &str, body: &[u8]) -> Result<Value, Fault> {
    if operation != "DescribeImages" {
        return Err(Fault::new(
            "UnknownOperationException",
            format!("The emulator does not know the operation {operation}"),
        ));
    }
    let request: Value =
        serde_json::from_slice(body).map_err(|e| Fault::new("SerializationException", e.to_string()))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let repository = text(&request["repositoryName"]);
    let registry = match text(&request["registryId"]) {
        own if own.is_empty() => ACCOUNT.to_owned(),
        named => named,
    };
    if repository.is_empty() {
        return Err(Fault::new("InvalidParameterException", "Invalid parameter at 'repositoryName': it must be given"));
    }
    let mut details = Vec::new();
    for id in request["imageIds"].as_array().into_iter().flatten() {
        let (tag, wanted) = (text(&id["imageTag"]), text(&id["imageDigest"]));
        let missing = || {
            let named = |text: &str| if text.is_empty() { "null".to_owned() } else { text.to_owned() };
            Fault::new(
                "ImageNotFoundException",
                format!(
                    "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name \
                     '{repository}' in the registry with id '{registry}'",
                    named(&wanted),
                    named(&tag)
                ),
            )
        };
        let digest = match &account.settings.runtime {
            Runtime::Process(command) => format!("sha256:{}", program(command.first().map(AsRef::as_ref))?),
            Runtime::Engine(engine) => {
                // A digest here is the image's own id on this machine, and names it by itself.
                let image = match tag.as_str() {
                    "" => wanted.clone(),
                    tag => format!("{registry}.dkr.ecr.{}.amazonaws.com/{repository}:{tag}", account.region),
                };
                of_engine(*engine, &image, missing).await?
            }
        };
        if !wanted.is_empty() && wanted != digest {
            return Err(missing());
        }
        let mut found = json!({
            "registryId": registry, "repositoryName": repository, "imageDigest": digest,
            "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
        });
        if !tag.is_empty() {
            found["imageTags"] = json!([tag]);
        }
        details.push(found);
    }
    Ok(json!({"imageDetails": details}))
}

async fn of_engine(engine: Engine, image: &str, missing: impl Fn() -> Fault) -> Result<String, Fault> {
    engine.image_id(image).await.map(|id| format!("sha256:{}", id.trim_start_matches("sha256:"))).map_err(|e| match e {
        EngineError::NoImage { .. } => missing(),
        other => Fault { status: 500, ..Fault::new("ServerException", other.to_string()) },
    })
}

/// Place, size and time of the program: another one as soon as it is built again.
fn program(path: Option<&std::path::Path>) -> Result<String, Fault> {
    let path = path.unwrap_or(std::path::Path::new(""));
    let metadata = path.metadata()?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let said = format!("{} {} {modified}", path.display(), metadata.len());
    Ok(Sha256::digest(said.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
}
