//! The image of target `aws`: where it lies, and the digest that its tag names now.

use aws_sdk_ecr::{error::ProvideErrorMetadata as _, types::ImageIdentifier};

use crate::{
    aws::Aws,
    error::{self, Failure, Result},
};

/// An image in ECR, taken apart.
#[derive(Debug, PartialEq)]
struct Image<'a> {
    registry: &'a str,
    region: &'a str,
    repository: &'a str,
    /// Tag or digest.
    version: &'a str,
}

/// `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY[:TAG|@DIGEST]`; none of another registry.
fn parse(image: &str) -> Option<Image<'_>> {
    let (host, path) = image.split_once('/')?;
    let (registry, rest) = host.split_once(".dkr.ecr.")?;
    let (region, domain) = rest.split_once('.')?;
    if registry.len() != 12 || !registry.bytes().all(|b| b.is_ascii_digit()) || !domain.starts_with("amazonaws.") {
        return None;
    }
    let (repository, version) = path.split_once('@').or_else(|| path.rsplit_once(':')).unwrap_or((path, "latest"));
    (!repository.is_empty() && !version.is_empty()).then_some(Image { registry, region, repository, version })
}

/// Refuses an image that SageMaker cannot pull from `region`.
fn check(image: &str, region: &str) -> Result<()> {
    let Some(found) = parse(image) else {
        return Err(Failure::usage(format!(
            "image = {image:?} is in no repository of ECR, and SageMaker pulls from nowhere else"
        ))
        .because("expected ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG")
        .hint(
            "infra/stack.yaml makes the repository and prints its address; docs/image.md says how an image gets there",
        ));
    };
    if found.region != region {
        return Err(Failure::usage(format!(
            "image = {image:?} is in {}, the pipeline works in {region}",
            found.region
        ))
        .because("SageMaker pulls from the repository of its own region alone")
        .hint(format!("push the image to {region} and set `image`, or set `region` in pipeline.toml")));
    }
    Ok(())
}

/// The same repository's image in another region; an image of no ECR is the same everywhere.
pub fn in_region(image: &str, region: &str) -> String {
    let moved =
        |found: Image| image.replacen(&format!(".dkr.ecr.{}.", found.region), &format!(".dkr.ecr.{region}."), 1);
    parse(image).map_or_else(|| image.to_owned(), moved)
}

/// The image that this digest names in the repository of the clients' region; refused where it is not there.
pub async fn replica(aws: &Aws, image: &str, digest: &str) -> Result<String> {
    let (region, moved) = (&aws.region, in_region(image, &aws.region));
    let (Some(found), Some((host, _))) = (parse(&moved), moved.split_once('/')) else { return Ok(moved) };
    let pinned = format!("{host}/{}@{digest}", found.repository);
    let id = ImageIdentifier::builder().image_digest(digest).build();
    let request = aws.ecr.describe_images().registry_id(found.registry).repository_name(found.repository);
    let answer = request.image_ids(id).send().await;
    if let Err(error) = &answer
        && matches!(error.code(), Some("ImageNotFoundException" | "RepositoryNotFoundException"))
    {
        return Err(Failure::new(format!("image {pinned} is not there"))
            .because(format!("SageMaker pulls from its own region alone; nothing was changed in any region for the sake of {region}"))
            .hint(format!(
                "push the same image to {region}, or let ECR copy it: the stack's replication copies what is pushed after it was made \
                 (docs/deployment.md); then repeat the command"
            )));
    }
    answer.map_err(error::aws(format!("image {pinned} cannot be looked up")))?;
    Ok(pinned)
}

/// The digest that the image's tag names now; refused where SageMaker could not pull it.
pub async fn digest(aws: &Aws, image: &str) -> Result<String> {
    check(image, &aws.region)?;
    let Some(found) = parse(image) else { return Ok(String::new()) };
    if found.version.starts_with("sha256:") {
        return Ok(found.version.to_owned());
    }
    let failed = format!("image {image} cannot be looked up");
    let id = ImageIdentifier::builder().image_tag(found.version).build();
    let request = aws.ecr.describe_images().registry_id(found.registry).repository_name(found.repository);
    let answer = request.image_ids(id).send().await.map_err(error::aws(&failed))?;
    let digest = answer.image_details().first().and_then(|image| image.image_digest()).map(str::to_owned);
    digest.ok_or_else(|| Failure::new(failed).because("ECR names no digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
        let image =
            |repository, version| Some(Image { registry: "123456789012", region: "eu-central-1", repository, version });
        for (path, want) in [
            ("/a:1", image("a", "1")),
            ("/team/a", image("team/a", "latest")),
            ("/a@sha256:00", image("a", "sha256:00")),
            ("/a:", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(parse(&format!("{host}{path}")), want, "{path}");
        }
        for other in ["sagebrush:1", "docker.io/library/a:1", "12.dkr.ecr.eu-central-1.amazonaws.com/a:1"] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_image_has_a_sister_in_every_region() {
        let image = |region: &str| format!("123456789012.dkr.ecr.{region}.amazonaws.com/team/a@sha256:00");
        assert_eq!(in_region(&image("us-east-1"), "eu-central-1"), image("eu-central-1"));
        assert_eq!(in_region("sagebrush", "eu-central-1"), "sagebrush");
    }

    #[test]
    fn an_image_of_another_region_is_refused() {
        let image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/a:1";
        assert!(check(image, "us-east-1").is_ok());
        let said = check(image, "eu-central-1").unwrap_err().to_string();
        assert!(said.contains("is in us-east-1, the pipeline works in eu-central-1"), "{said}");
        assert!(check("a:1", "us-east-1").unwrap_err().to_string().contains("in no repository of ECR"));
    }
}
