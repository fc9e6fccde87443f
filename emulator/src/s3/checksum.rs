//! The checksums S3 knows, computed while bytes pass.

use base64_simd::STANDARD;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use serde::{Deserialize, Serialize};

/// An algorithm of the `x-amz-checksum-…` family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    /// All of them, with S3's names.
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Crc32, "CRC32"),
        (Self::Crc32c, "CRC32C"),
        (Self::Crc64Nvme, "CRC64NVME"),
        (Self::Sha1, "SHA1"),
        (Self::Sha256, "SHA256"),
    ];

    /// `CRC32`, … whatever the case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(algorithm, _)| algorithm)
    }

    /// From a header's or trailer's name, `x-amz-checksum-crc32` …
    pub fn of_header(name: &str) -> Option<Self> {
        Self::parse(name.trim().to_ascii_lowercase().strip_prefix("x-amz-checksum-")?)
    }

    /// S3's name.
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(algorithm, _)| *algorithm == self).map_or("", |(_, name)| name)
    }
}

/// Over the whole object, or over its parts' checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Scope {
    FullObject,
    Composite,
}

/// A checksum as S3 writes it: base64, with `-N` behind it when composite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checksum {
    pub algorithm: Algorithm,
    pub scope: Scope,
    pub value: String,
}

impl Checksum {
    /// The checksum over the parts' checksums; `None` where a part has none of this algorithm.
    pub fn composite<'a>(algorithm: Algorithm, parts: impl IntoIterator<Item = Option<&'a Checksum>>) -> Option<Self> {
        let mut hasher = Hasher::new(algorithm);
        let mut count = 0;
        for part in parts {
            let part = part.filter(|part| part.algorithm == algorithm)?;
            hasher.update(&STANDARD.decode_to_vec(&part.value).ok()?);
            count += 1;
        }
        let mut whole = hasher.finish();
        whole.value.push_str(&format!("-{count}"));
        whole.scope = Scope::Composite;
        Some(whole)
    }
}

/// One running checksum.
pub enum Hasher {
    #[doc(hidden)]
    Crc32(Crc32),
    #[doc(hidden)]
    Crc32c(Crc32c),
    #[doc(hidden)]
    Crc64Nvme(Crc64Nvme),
    #[doc(hidden)]
    Sha1(Sha1),
    #[doc(hidden)]
    Sha256(Sha256),
}

impl Hasher {
    /// Over nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    /// The next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum of all bytes seen.
    pub fn finish(self) -> Checksum {
        let (algorithm, value) = match self {
            Self::Crc32(hasher) => (Algorithm::Crc32, STANDARD.encode_to_string(hasher.finalize())),
            Self::Crc32c(hasher) => (Algorithm::Crc32c, STANDARD.encode_to_string(hasher.finalize())),
            Self::Crc64Nvme(hasher) => (Algorithm::Crc64Nvme, STANDARD.encode_to_string(hasher.finalize())),
            Self::Sha1(hasher) => (Algorithm::Sha1, STANDARD.encode_to_string(hasher.finalize())),
            Self::Sha256(hasher) => (Algorithm::Sha256, STANDARD.encode_to_string(hasher.finalize())),
        };
        Checksum { algorithm, scope: Scope::FullObject, value }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(algorithm: Algorithm, bytes: &[u8]) -> Checksum {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// The check values of the catalogue of parametrised CRC algorithms, over `123456789`.
    #[test]
    fn check_values() {
        for (algorithm, want) in [
            (Algorithm::Crc32, &0xcbf4_3926_u32.to_be_bytes()[..]),
            (Algorithm::Crc32c, &0xe306_9283_u32.to_be_bytes()[..]),
            (Algorithm::Crc64Nvme, &0xae8b_1486_0a79_9888_u64.to_be_bytes()[..]),
        ] {
            assert_eq!(of(algorithm, b"123456789").value, STANDARD.encode_to_string(want), "{}", algorithm.name());
        }
    }

    #[test]
    fn composite_is_over_the_parts_bytes() {
        let parts = [of(Algorithm::Crc32, b"one"), of(Algorithm::Crc32, b"two")];
        let raw: Vec<u8> = parts.iter().flat_map(|part| STANDARD.decode_to_vec(&part.value).unwrap()).collect();
        let whole = Checksum::composite(Algorithm::Crc32, parts.iter().map(Some)).unwrap();
        assert_eq!(whole.value, format!("{}-2", of(Algorithm::Crc32, &raw).value));
        assert_eq!(Checksum::composite(Algorithm::Sha1, parts.iter().map(Some)), None);
    }

    #[test]
    fn names_and_headers() {
        for (algorithm, name) in Algorithm::NAMES {
            assert_eq!(Algorithm::parse(name), Some(algorithm));
            assert_eq!(Algorithm::of_header(&format!("x-amz-checksum-{}", name.to_lowercase())), Some(algorithm));
        }
        assert_eq!(Algorithm::of_header("x-amz-checksum-md5"), None);
    }
}
