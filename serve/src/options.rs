//! What a request asks for beside its documents: `?explain=K`, or the custom attribute `explain=K`, since SageMaker
//! hands on custom attributes and no query.

use crate::error::ApiError;
use axum::http::{HeaderMap, HeaderName, Uri};
use std::num::NonZeroUsize;

/// SageMaker's header for what a client wants to tell the container.
pub const CUSTOM_ATTRIBUTES: HeaderName = HeaderName::from_static("x-amzn-sagemaker-custom-attributes");
/// Most terms that an explanation names.
pub const MOST_TERMS: usize = 1000;

/// How many of the strongest terms each prediction is explained with; `None`: no explanation. The query goes before
/// the attribute; of custom attributes, which may be anything, all but `explain=` is left alone.
pub fn explain(uri: &Uri, headers: &HeaderMap) -> Result<Option<NonZeroUsize>, ApiError> {
    let mut wanted = None;
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("explain", value)) => wanted = Some(terms(value)?),
            _ => {
                return Err(ApiError::BadOption(
                    "the query holds something else than `explain`; send ?explain=K or none".into(),
                ));
            }
        }
    }
    if wanted.is_some() {
        return Ok(wanted);
    }
    let Some(attributes) = headers.get(CUSTOM_ATTRIBUTES).and_then(|value| value.to_str().ok()) else {
        return Ok(None);
    };
    for pair in attributes.split([',', ';']) {
        if let Some((name, value)) = pair.split_once('=')
            && name.trim() == "explain"
        {
            wanted = Some(terms(value.trim())?);
        }
    }
    Ok(wanted)
}

fn terms(value: &str) -> Result<NonZeroUsize, ApiError> {
    value.parse().ok().filter(|terms: &NonZeroUsize| terms.get() <= MOST_TERMS).ok_or_else(|| {
        ApiError::BadOption(format!("`explain` is not a whole number from 1 to {MOST_TERMS}; send, say, explain=5"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn query_and_attribute() {
        for (query, attributes, want) in [
            ("", None, Ok(None)),
            ("?explain=5", None, Ok(Some(5))),
            ("?", Some("explain=3"), Ok(Some(3))),
            ("", Some("trace=7f; explain = 3, user=4"), Ok(Some(3))),
            ("", Some("unexplained=3"), Ok(None)),
            ("", Some("anything at all"), Ok(None)),
            ("?explain=5", Some("explain=3"), Ok(Some(5))),
            ("?explain=1000", None, Ok(Some(1000))),
            ("?explain=1001", None, Err(())),
            ("?explain=0", None, Err(())),
            ("?explain=", None, Err(())),
            ("?explain", None, Err(())),
            ("?explian=5", None, Err(())),
            ("", Some("explain=many"), Err(())),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(attributes) = attributes {
                headers.insert(CUSTOM_ATTRIBUTES, HeaderValue::from_static(attributes));
            }
            let found = explain(&format!("/invocations{query}").parse().unwrap(), &headers);
            let found = found.map(|terms| terms.map(NonZeroUsize::get)).map_err(|_| ());
            assert_eq!(found, want, "{query} {attributes:?}");
        }
    }
}
