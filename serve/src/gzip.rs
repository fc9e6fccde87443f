//! Bodies sent as gzip (RFC 1952), undone within a bound: a kilobyte of it may hold a megabyte.

use crate::error::ApiError;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use std::io::Read;

/// Whether the body is gzip; other encodings are refused.
pub(crate) fn of(headers: &HeaderMap) -> Result<bool, ApiError> {
    let mut gzip = false;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = value.as_bytes().trim_ascii();
        if value.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        if gzip || !(value.eq_ignore_ascii_case(b"gzip") || value.eq_ignore_ascii_case(b"x-gzip")) {
            let found = "the body has a content encoding that is not undone here (gzip alone is)".into();
            return Err(ApiError::UnsupportedMediaType { found });
        }
        gzip = true;
    }
    Ok(gzip)
}

/// What the body holds, or nothing where that is longer than `limit` bytes: no more than that is ever undone.
pub(crate) fn inflate(body: &[u8], limit: usize) -> Result<Option<Vec<u8>>, ApiError> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(body).take(limit as u64 + 1).read_to_end(&mut plain).map_err(|e| {
        ApiError::BadBody(format!("the body is not whole and valid gzip: {e}; send it again, or plain"))
    })?;
    Ok((plain.len() <= limit).then_some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bound_holds_over_members() {
        let two = [gzip(b"good "), gzip(b"film")].concat();
        for (body, limit, want) in
            [(two.clone(), 9, Some("good film")), (two, 8, None), (gzip(&vec![b'a'; 1 << 20]), 1 << 10, None)]
        {
            let plain = inflate(&body, limit).unwrap();
            assert_eq!(plain.as_deref(), want.map(str::as_bytes), "{limit}");
        }
    }

    #[test]
    fn what_is_no_gzip_is_refused() {
        let whole = gzip(b"a wonderful film");
        let mut flipped = whole.clone();
        flipped[12] ^= 0xff;
        for body in [&b"a film"[..], b"", &whole[..whole.len() - 3], &flipped] {
            let error = inflate(body, 100).unwrap_err().to_string();
            assert!(error.starts_with("the body is not whole and valid gzip: "), "{error}");
        }
    }
}
