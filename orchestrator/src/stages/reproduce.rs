//! `reproduce PACKAGE`: trains again from the recorded object versions and compares the artifacts byte for byte.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{Context, train};
use crate::{
    artifact, bucket,
    error::{Failure, Result},
    lineage, names,
    run_record::{ChannelPart, DataPart},
};

/// What came of it.
#[derive(Debug, Serialize)]
pub struct ReproduceDone {
    /// The package.
    pub package: String,
    /// The training job that ran now.
    pub job: String,
    /// Every file of the two artifacts.
    pub files: Vec<Compared>,
    /// Whether image or executable is another than then.
    pub other_code: bool,
}

/// A file of both artifacts.
#[derive(Debug, Serialize)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// SHA-256 in the package's artifact; none where it has no such file.
    pub recorded: Option<String>,
    /// The same in the new one.
    pub reproduced: Option<String>,
}

impl Compared {
    fn same(&self) -> bool {
        self.recorded.is_some() && self.recorded == self.reproduced
    }
}

impl ReproduceDone {
    /// Exit 1 where the artifacts differ.
    pub fn finding(&self) -> Result<()> {
        if self.files.iter().all(Compared::same) {
            return Ok(());
        }
        let failure = Failure::new(format!("{} was not reproduced", self.package));
        let failure = failure.because("the files above differ");
        Err(if self.other_code {
            failure.hint("image or executable is another than the one that trained it: repeat it with that one")
        } else {
            failure.hint("the code is the same: `diff` the two evaluations, and report it")
        })
    }
}

impl fmt::Display for ReproduceDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reproduced    {} by {}", self.package, self.job)?;
        if self.other_code {
            write!(f, "\n  note          image or executable is another than then")?;
        }
        for file in &self.files {
            let digest =
                |sha256: &Option<String>| sha256.as_ref().map_or("none".into(), |sha256| sha256[..16].to_owned());
            match file.same() {
                true => write!(f, "\n  same          {} {}", digest(&file.recorded), file.name)?,
                false => {
                    let (then, now) = (digest(&file.recorded), digest(&file.reproduced));
                    write!(f, "\n  differs       {} was {then}, is {now}", file.name)?;
                }
            }
        }
        Ok(())
    }
}

/// Trains and compares.
pub async fn reproduce(context: &Context, package: &str) -> Result<ReproduceDone> {
    let (found, lineage) = lineage::of(context, package).await?;
    let package = found.model_package_arn().unwrap_or_default().to_owned();
    let then = artifact::fetch(context, &lineage.training.model_uri).await?;
    // The recorded versions lie on their own: what lies under their keys by now may be something else.
    let folder = format!("reproductions/{}", names::digest(&[&package, &lineage.data.digest])[..16].to_owned());
    let data = DataPart {
        train: staged(context, &lineage.data, &lineage.data.train, &format!("{folder}/train/")).await?,
        test: staged(context, &lineage.data, &lineage.data.test, &format!("{folder}/test/")).await?,
        ..lineage.data.clone()
    };
    let job = train::again(context, &lineage.run, &lineage.training, &data).await?;
    let now = artifact::fetch(context, &job.model_uri).await?;
    let mut files: BTreeMap<String, Compared> = BTreeMap::new();
    for (recorded, all) in [(true, then.files), (false, now.files)] {
        for (path, sha256) in all {
            let name = path.display().to_string();
            let empty = || Compared { name: name.clone(), recorded: None, reproduced: None };
            let file = files.entry(name.clone()).or_insert_with(empty);
            *(if recorded { &mut file.recorded } else { &mut file.reproduced }) = Some(sha256);
        }
    }
    let other_code =
        (&lineage.image_digest, &lineage.training.image) != (&context.account.code, &context.account.image);
    Ok(ReproduceDone { package, job: job.job, files: files.into_values().collect(), other_code })
}

async fn staged(context: &Context, data: &DataPart, channel: &ChannelPart, prefix: &str) -> Result<ChannelPart> {
    let mut files = Vec::new();
    for file in &channel.files {
        let bytes = bucket::get_version(&context.aws.s3, &data.bucket, file).await?;
        let key = format!("{prefix}{}", file.name);
        bucket::put(&context.aws.s3, &data.bucket, &key, bytes).await?;
        files.push(crate::run_record::FilePart { key, ..file.clone() });
    }
    Ok(ChannelPart { uri: bucket::uri(&data.bucket, prefix), files })
}
