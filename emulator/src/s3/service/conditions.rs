//! `If-Match` and its kin, in the order RFC 9110 (section 13.2.2) gives them.

use s3s::dto::{ETagCondition, Timestamp};

use crate::s3::StoreError;
use crate::s3::object::{Object, Version, time_of};

/// The conditions of a read.
#[derive(Debug, Default)]
pub struct Preconditions {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

/// Refuses where a condition does not hold.
pub fn check(wanted: &Preconditions, version: &Version, object: &Object) -> Result<(), StoreError> {
    let names = |condition: &ETagCondition| match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    };
    // HTTP's dates have whole seconds.
    let modified = Timestamp::from(time_of(version.modified_ms / 1000 * 1000));
    let after = |time: &Timestamp| modified > *time;
    match (&wanted.if_match, &wanted.if_unmodified_since) {
        (Some(condition), _) if !names(condition) => return Err(StoreError::PreconditionFailed),
        (None, Some(time)) if after(time) => return Err(StoreError::PreconditionFailed),
        _ => {}
    }
    match (&wanted.if_none_match, &wanted.if_modified_since) {
        (Some(condition), _) if names(condition) => Err(StoreError::NotModified { etag: object.etag.clone() }),
        (None, Some(time)) if !after(time) => Err(StoreError::NotModified { etag: object.etag.clone() }),
        _ => Ok(()),
    }
}
