//! Stage `data`: checked files become versioned objects whose keys are their content's digest.

use std::fmt;

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
    VersioningConfiguration,
};
use serde::Serialize;

use super::Context;
use crate::{
    bucket,
    check::{CheckedData, LocalFile},
    error::{self, Made as _, Result},
    names,
    output::Outcome,
    run_record::{ChannelPart, DataPart, FilePart, RunRecord},
    tags,
};

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct DataDone {
    /// Whether anything was uploaded.
    pub outcome: Outcome,
    /// Files uploaded now.
    pub uploaded: usize,
    /// The data.
    pub data: DataPart,
}

impl fmt::Display for DataDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (data, outcome) = (&self.data, self.outcome);
        writeln!(f, "data          {outcome}: {} uploaded to s3://{}", self.uploaded, data.bucket)?;
        for (channel, part) in [("train", &data.train), ("test", &data.test)] {
            for file in &part.files {
                let version = file.version.as_deref().unwrap_or("none");
                writeln!(
                    f,
                    "  {channel:<5} {} {} rows, sha256 {}, version {version}",
                    file.name,
                    file.rows,
                    &file.sha256[..12]
                )?;
            }
        }
        let classes: Vec<String> = data.class_rows.iter().map(|(class, rows)| format!("{class}: {rows}")).collect();
        write!(f, "  rows a class: {}", classes.join(", "))
    }
}

/// Uploads what is not there yet.
pub async fn data(context: &Context, run: &mut RunRecord, checked: &CheckedData) -> Result<DataDone> {
    ensure_bucket(context, run).await?;
    let mut uploaded = 0;
    let train = channel(context, "train", &checked.train, &mut uploaded).await?;
    let test = channel(context, "test", &checked.test, &mut uploaded).await?;
    let data = whole(context, checked, train, test);
    let same = run.data.as_ref() == Some(&data);
    run.set_data(data.clone());
    let outcome = if uploaded == 0 && same { Outcome::Unchanged } else { Outcome::Done };
    Ok(DataDone { outcome, uploaded, data })
}

/// The data as they will lie in the bucket, without the versions that it will give.
pub fn wanted(context: &Context, checked: &CheckedData) -> DataPart {
    let part = |name: &str, files: &[LocalFile]| {
        let prefix = prefix(name, files);
        let file = |LocalFile { file, .. }: &LocalFile| FilePart {
            name: file.name.clone(),
            key: format!("{prefix}{}", file.name),
            version: None,
            sha256: file.sha256.clone(),
            bytes: file.bytes,
            rows: file.rows,
        };
        ChannelPart { uri: bucket::uri(&context.account.bucket, &prefix), files: files.iter().map(file).collect() }
    };
    whole(context, checked, part("train", &checked.train), part("test", &checked.test))
}

fn whole(context: &Context, checked: &CheckedData, train: ChannelPart, test: ChannelPart) -> DataPart {
    let settings = &context.settings.data;
    DataPart {
        bucket: context.account.bucket.clone(),
        digest: names::digest(&[&train.uri, &test.uri, &settings.text_column, &settings.label_column]),
        text_column: settings.text_column.clone(),
        label_column: settings.label_column.clone(),
        class_rows: checked.class_rows.clone(),
        train,
        test,
    }
}

/// How many of the files are not in the bucket yet.
pub async fn missing(context: &Context, data: &DataPart) -> Result<usize> {
    let mut missing = 0;
    for file in data.train.files.iter().chain(&data.test.files) {
        let there = bucket::head(&context.aws.s3, &data.bucket, &file.key).await?;
        missing += usize::from(there.and_then(|head| head.sha256).as_ref() != Some(&file.sha256));
    }
    Ok(missing)
}

fn prefix(name: &str, files: &[LocalFile]) -> String {
    let words: Vec<&str> = files.iter().flat_map(|f| [f.file.name.as_str(), f.file.sha256.as_str()]).collect();
    format!("data/{name}/{}/", &names::digest(&words)[..16])
}

async fn channel(context: &Context, name: &str, files: &[LocalFile], uploaded: &mut usize) -> Result<ChannelPart> {
    let s3 = &context.aws.s3;
    let bucket = &context.account.bucket;
    let prefix = prefix(name, files);
    let mut parts = Vec::new();
    for LocalFile { path, file } in files {
        let key = format!("{prefix}{}", file.name);
        let there = bucket::head(s3, bucket, &key).await?;
        let version = match there.filter(|head| head.sha256.as_ref() == Some(&file.sha256)) {
            Some(head) => head.version,
            None => {
                *uploaded += 1;
                bucket::put_file(s3, bucket, &key, path, &file.sha256).await?
            }
        };
        let (name, sha256) = (file.name.clone(), file.sha256.clone());
        parts.push(FilePart { name, key, version, sha256, bytes: file.bytes, rows: file.rows });
    }
    Ok(ChannelPart { uri: bucket::uri(bucket, &prefix), files: parts })
}

/// The bucket is there, keeps versions, and is closed to the public.
pub(super) async fn ensure_bucket(context: &Context, run: &RunRecord) -> Result<()> {
    let (s3, name) = (&context.aws.s3, &context.account.bucket);
    if !bucket::exists(s3, name).await? {
        let mut request = s3.create_bucket().bucket(name);
        if context.aws.region != "us-east-1" {
            let place = BucketLocationConstraint::from(context.aws.region.as_str());
            let place = CreateBucketConfiguration::builder().location_constraint(place).build();
            request = request.create_bucket_configuration(place);
        }
        request.send().await.made(format!("bucket {name} cannot be made"))?;
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = s3.put_public_access_block().bucket(name).public_access_block_configuration(closed);
        request.send().await.map_err(error::aws(format!("bucket {name} cannot be closed to the public")))?;
        tags::on_bucket(context, run, name).await?;
        context.out.progress().line(format!("bucket {name} made"));
    }
    let versioning = s3.get_bucket_versioning().bucket(name).send().await;
    let versioning = versioning.map_err(error::aws(format!("bucket {name}: its versioning cannot be read")))?;
    if versioning.status() != Some(&BucketVersioningStatus::Enabled) {
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = s3.put_bucket_versioning().bucket(name).versioning_configuration(on);
        request.send().await.map_err(error::aws(format!("bucket {name}: versioning cannot be turned on")))?;
    }
    Ok(())
}
