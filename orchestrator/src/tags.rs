//! What everything that is made bears, and how what is ours is told from what is another's.

use aws_sdk_sagemaker::types::Tag;

use crate::{
    error::{self, Failure, Found as _, Result},
    run_record::RunRecord,
    stages::{Context, register::plain},
};

/// The tag that says whose a resource is.
pub const PROJECT: &str = "sagebrush:project";

/// Project, owner, commit, run and data version; what is not known yet is left out.
pub fn labels(context: &Context, run: &RunRecord) -> Vec<(&'static str, String)> {
    let digest = run.data.as_ref().map(|data| data.digest[..data.digest.len().min(16)].to_owned());
    [
        (PROJECT, Some(context.settings.project.clone())),
        ("sagebrush:owner", Some(context.account.owner.clone())),
        ("sagebrush:commit", context.account.commit.clone()),
        ("sagebrush:run", Some(run.id.clone())),
        ("sagebrush:data", digest),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, plain(&value?, 256))))
    .filter(|(_, value)| !value.is_empty())
    .collect()
}

/// The labels, as SageMaker takes them.
pub fn tags(context: &Context, run: &RunRecord) -> Vec<Tag> {
    labels(context, run).into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Whether the resource of SageMaker bears this project's tag; one that is gone is not ours.
pub async fn is_ours(context: &Context, arn: &str) -> Result<bool> {
    let what = format!("the tags of {arn} cannot be listed");
    let mut token = None;
    loop {
        let page = context.aws.sagemaker.list_tags().resource_arn(arn).set_next_token(token).send().await;
        let Some(page) = page.found(&what)? else { return Ok(false) };
        if page.tags().iter().any(|tag| tag.key() == Some(PROJECT)) {
            let ours = |tag: &Tag| tag.key() == Some(PROJECT) && tag.value() == Some(context.settings.project.as_str());
            return Ok(page.tags().iter().any(ours));
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(false);
        }
    }
}

/// The bucket's labels: it outlives runs, so that it bears whose it is and who made it.
pub async fn on_bucket(context: &Context, run: &RunRecord, bucket: &str) -> Result<()> {
    use aws_sdk_s3::types::{Tag, Tagging};
    let tag = |(key, value): (&str, String)| Tag::builder().key(key).value(value).build();
    let tags: std::result::Result<Vec<Tag>, _> = labels(context, run).into_iter().map(tag).collect();
    let what = format!("bucket {bucket} cannot be tagged");
    let tags = tags.map_err(|e| Failure::new(&what).because(e))?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build().map_err(|e| Failure::new(&what).because(e))?;
    let request = context.aws.s3.put_bucket_tagging().bucket(bucket).tagging(tagging);
    request.send().await.map_err(error::aws(what))?;
    Ok(())
}
