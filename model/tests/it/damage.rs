//! Files of an artifact that are damaged and say that they are not.

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

/// Writes a file and makes the manifest agree with it: damage that no checksum tells.
pub fn lie(dir: &Path, name: &str, bytes: &[u8]) {
    fs::write(dir.join(name), bytes).unwrap();
    let path = dir.join("manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["name"] == name {
            let (head, checked) = agree(bytes);
            fs::write(dir.join(name), &checked).unwrap();
            file["bytes"] = bytes.len().into();
            file["head"] = head.into();
            file["xxh3"] = format!("{:016x}", xxh3_64(checked.get(..head).unwrap_or_default())).into();
        }
    }
    sign(&path, &serde_json::to_string(&manifest).unwrap());
}

/// Makes a file's table of checksums agree with its blocks, as far as it has such a table; gives its head's length too.
fn agree(bytes: &[u8]) -> (usize, Vec<u8>) {
    let mut bytes = bytes.to_vec();
    let number = |bytes: &[u8]| bytes.first_chunk().map(|eight| u64::from_le_bytes(*eight) as usize);
    let Some(start) = number(&bytes).and_then(|header| header.checked_add(8)).filter(|&start| start <= bytes.len())
    else {
        return (bytes.len(), bytes);
    };
    let layout = serde_json::from_slice::<serde_json::Value>(&bytes[8..start]).unwrap_or_default();
    let Some(sums) = layout["checksums"]["data_offsets"][1].as_u64() else { return (bytes.len(), bytes) };
    let head = start.saturating_add(sums as usize).min(bytes.len());
    let (table, data) = bytes.split_at_mut(head);
    for (sum, block) in table[start..].chunks_exact_mut(8).zip(data.chunks(1 << 16)) {
        sum.copy_from_slice(&xxh3_64(block).to_le_bytes());
    }
    (head, bytes)
}

/// Writes a manifest, its fields in any order, as its author would have.
pub fn sign(path: &Path, text: &str) {
    let manifest: model::Manifest = serde_json::from_str(text).unwrap();
    let text = format!("{}\n", serde_json::to_string_pretty(&manifest).unwrap());
    let (head, body) = text.split_at(text.match_indices('\n').nth(1).unwrap().0 + 1);
    let head = head.replace(&manifest.checksum, &format!("{:016x}", xxh3_64(body.as_bytes())));
    fs::write(path, head + body).unwrap();
}
