//! A file of tensors: a safetensors file that checks itself, block by block.
//!
//! Its first tensor, `checksums`, holds one xxh3 for every block of [`BLOCK`] bytes of what follows it, so that a reader
//! verifies what it touches and nothing else. The head, all up to the end of that tensor, is covered by the manifest.

use std::io::{self, Write};

use safetensors::Dtype;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// Bytes that a checksum covers; the last block may be shorter.
pub(crate) const BLOCK: usize = 1 << 16;
/// The name of the tensor of checksums.
pub(crate) const CHECKSUMS: &str = "checksums";

/// A tensor to be written.
#[derive(Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// Little-endian, by rows.
    pub(crate) bytes: Vec<u8>,
}

impl Tensor {
    /// Unsigned integers of 8 bits.
    pub(crate) fn u8s(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Tensor { name: name.into(), dtype: Dtype::U8, shape: vec![bytes.len()], bytes }
    }

    /// Unsigned integers of 16 bits: the lower ones of these.
    pub(crate) fn u16s(name: impl Into<String>, values: impl ExactSizeIterator<Item = u32>) -> Self {
        let shape = vec![values.len()];
        Tensor {
            name: name.into(),
            dtype: Dtype::U16,
            shape,
            bytes: values.flat_map(|n| (n as u16).to_le_bytes()).collect(),
        }
    }

    /// Unsigned integers of 32 bits.
    pub(crate) fn u32s(name: impl Into<String>, shape: &[usize], values: impl IntoIterator<Item = u32>) -> Self {
        let bytes = values.into_iter().flat_map(u32::to_le_bytes).collect();
        Tensor { name: name.into(), dtype: Dtype::U32, shape: shape.into(), bytes }
    }

    /// Floats of 32 bits, rounded from 64.
    pub(crate) fn f32s(name: impl Into<String>, shape: &[usize], values: impl IntoIterator<Item = f64>) -> Self {
        let bytes = values.into_iter().flat_map(|value| (value as f32).to_le_bytes()).collect();
        Tensor { name: name.into(), dtype: Dtype::F32, shape: shape.into(), bytes }
    }
}

/// What the manifest keeps of a file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Its length.
    pub(crate) bytes: u64,
    /// Length of its head.
    pub(crate) head: u64,
    /// xxh3 of its head.
    pub(crate) xxh3: u64,
}

/// Writes the file: its tensors in the order given, those of the widest numbers first.
pub(crate) fn write(to: &mut impl Write, mut tensors: Vec<Tensor>) -> io::Result<Written> {
    tensors.sort_by_key(|tensor| std::cmp::Reverse(tensor.dtype.bitsize()));
    let data: usize = tensors.iter().map(|tensor| tensor.bytes.len()).sum();
    let blocks = data.div_ceil(BLOCK);
    let mut head = header(&tensors, blocks)?;
    checksums(&tensors).for_each(|sum| head.extend_from_slice(&sum.to_le_bytes()));
    to.write_all(&head)?;
    tensors.iter().try_for_each(|tensor| to.write_all(&tensor.bytes))?;
    Ok(Written { bytes: (head.len() + data) as u64, head: head.len() as u64, xxh3: xxh3_64(&head) })
}

/// safetensors' header: its length in eight bytes, then JSON, padded with spaces to a multiple of eight.
fn header(tensors: &[Tensor], blocks: usize) -> io::Result<Vec<u8>> {
    let sums = (CHECKSUMS, Dtype::U64, vec![blocks], blocks * 8);
    let all = tensors.iter().map(|tensor| (&*tensor.name, tensor.dtype, tensor.shape.clone(), tensor.bytes.len()));
    let mut entries = Vec::new();
    let mut start = 0;
    for (name, dtype, shape, length) in std::iter::once(sums).chain(all) {
        let info = safetensors::tensor::TensorInfo { dtype, shape, data_offsets: (start, start + length) };
        entries.push(format!("{}:{}", serde_json::to_string(name)?, serde_json::to_string(&info)?));
        start += length;
    }
    let mut json = format!("{{{}}}", entries.join(","));
    json.push_str(&" ".repeat(json.len().next_multiple_of(8) - json.len()));
    Ok([&(json.len() as u64).to_le_bytes(), json.as_bytes()].concat())
}

/// Of each block of the tensors' bytes, one after the other.
fn checksums(tensors: &[Tensor]) -> impl Iterator<Item = u64> {
    let (mut sums, mut sum, mut room) = (Vec::new(), Xxh3::new(), BLOCK);
    for tensor in tensors {
        let mut rest = &tensor.bytes[..];
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(room));
            sum.update(now);
            room -= now.len();
            rest = later;
            if room == 0 {
                sums.push(sum.digest());
                (sum, room) = (Xxh3::new(), BLOCK);
            }
        }
    }
    if room < BLOCK {
        sums.push(sum.digest());
    }
    sums.into_iter()
}
