//! A request's body, received and held against everything the request said of it.

use std::sync::Arc;

use base64_simd::STANDARD;
use http::Extensions;
use s3s::dto::StreamingBlob;

use crate::s3::StoreError;
use crate::s3::checksum::Algorithm;
use crate::s3::front::Envelope;
use crate::s3::staging::{Plan, Staged};
use crate::s3::store::Store;

/// What the headers of a request say of its body.
#[derive(Debug, Default)]
pub struct Declared {
    /// `Content-MD5`, base64.
    pub md5: Option<String>,
    /// `x-amz-checksum-…`: algorithm and base64.
    pub checksum: Option<(Algorithm, String)>,
    /// What to compute where no value is given.
    pub algorithm: Option<Algorithm>,
    /// `Content-Length`.
    pub length: Option<i64>,
}

/// The first checksum that a request's members hold.
macro_rules! declared_checksum {
    ($input:expr) => {{
        use $crate::s3::checksum::Algorithm;
        [
            (Algorithm::Crc32, $input.checksum_crc32.take()),
            (Algorithm::Crc32c, $input.checksum_crc32c.take()),
            (Algorithm::Crc64Nvme, $input.checksum_crc64nvme.take()),
            (Algorithm::Sha1, $input.checksum_sha1.take()),
            (Algorithm::Sha256, $input.checksum_sha256.take()),
        ]
        .into_iter()
        .find_map(|(algorithm, value)| value.map(|value| (algorithm, value)))
    }};
}

/// Puts a checksum into the member of an answer that is its algorithm's.
macro_rules! show_checksum {
    ($output:expr, $checksum:expr) => {{
        use $crate::s3::checksum::Algorithm;
        if let Some(checksum) = $checksum {
            let member = match checksum.algorithm {
                Algorithm::Crc32 => &mut $output.checksum_crc32,
                Algorithm::Crc32c => &mut $output.checksum_crc32c,
                Algorithm::Crc64Nvme => &mut $output.checksum_crc64nvme,
                Algorithm::Sha1 => &mut $output.checksum_sha1,
                Algorithm::Sha256 => &mut $output.checksum_sha256,
            };
            *member = Some(checksum.value.clone());
        }
    }};
}

pub(super) use {declared_checksum, show_checksum};

/// Receives a body; an error leaves nothing behind.
pub async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    declared: Declared,
    extensions: &Extensions,
) -> Result<Staged, StoreError> {
    let envelope = extensions.get::<Arc<Envelope>>().cloned().unwrap_or_default();
    let named = declared.checksum.as_ref().map(|(algorithm, _)| *algorithm);
    let checksum = named.or(envelope.trailer).or(declared.algorithm).unwrap_or(Algorithm::Crc64Nvme);
    let plan = Plan { checksum: Some(checksum), sha256: envelope.sha256.is_some() };
    let staged = match body {
        Some(body) => store.receive(plan, body).await?,
        None => store.receive(plan, futures::stream::empty::<Result<_, StoreError>>()).await?,
    };
    check_length(&staged, &declared, &envelope)?;
    check_digests(&staged, &declared, &envelope)?;
    Ok(staged)
}

fn check_length(staged: &Staged, declared: &Declared, envelope: &Envelope) -> Result<(), StoreError> {
    let declared = declared.length.and_then(|length| u64::try_from(length).ok());
    match envelope.length.or(declared) {
        Some(wanted) if wanted != staged.size => Err(StoreError::IncompleteBody { found: staged.size, wanted }),
        _ => Ok(()),
    }
}

fn check_digests(staged: &Staged, declared: &Declared, envelope: &Envelope) -> Result<(), StoreError> {
    if let Some(sent) = &declared.md5 {
        let name = "Content-MD5".to_owned();
        if STANDARD.decode_to_vec(sent).ok().is_none_or(|digest| digest.len() != 16) {
            return Err(StoreError::InvalidDigest { name, sent: sent.clone() });
        }
        same(name, sent, &STANDARD.encode_to_string(staged.md5))?;
    }
    if let (Some(sent), Some(calculated)) = (&envelope.sha256, &staged.sha256)
        && !sent.eq_ignore_ascii_case(calculated)
    {
        return Err(StoreError::ContentSha256Mismatch { sent: sent.clone(), calculated: calculated.clone() });
    }
    if let Some(calculated) = &staged.checksum {
        let header = declared.checksum.as_ref().map(|(_, value)| value.clone());
        if let Some(sent) = header.or_else(|| envelope.trailer_value(calculated.algorithm)) {
            same(calculated.algorithm.name().to_owned(), &sent, &calculated.value)?;
        }
    }
    Ok(())
}

fn same(name: String, sent: &str, calculated: &str) -> Result<(), StoreError> {
    if sent == calculated {
        return Ok(());
    }
    Err(StoreError::BadDigest { name, sent: sent.to_owned(), calculated: calculated.to_owned() })
}
