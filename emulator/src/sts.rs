//! STS, Query: who am I? Always the one account.

use crate::ACCOUNT;

/// Answers `GetCallerIdentity`; `None` for any other action.
pub(crate) fn answer(action: &str, request_id: &str) -> Option<String> {
    (action == "GetCallerIdentity").then(|| {
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId><Account>{ACCOUNT}</Account>\
             </GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
             </GetCallerIdentityResponse>"
        )
    })
}
