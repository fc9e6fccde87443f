//! Base64 (RFC 4648, section 4), as capture encodes what is neither CSV nor JSON.

/// The bytes, or why the text is none.
pub fn decode(text: &str) -> Result<Vec<u8>, String> {
    let digits = text.trim_end_matches('=').as_bytes();
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return Err("Base64 is cut off".into());
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let mut bits = 0u32;
        for place in 0..4 {
            let digit = group.get(place).map_or(Ok(0), |&c| value(c))?;
            bits = bits << 6 | digit;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Ok(bytes)
}

fn value(c: u8) -> Result<u32, String> {
    match c {
        b'A'..=b'Z' => Ok(u32::from(c - b'A')),
        b'a'..=b'z' => Ok(u32::from(c - b'a') + 26),
        b'0'..=b'9' => Ok(u32::from(c - b'0') + 52),
        b'+' => Ok(62),
        b'/' => Ok(63),
        c => Err(format!("Base64 has no byte 0x{c:02x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_examples() {
        for (text, want) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE", "fooba")]
        {
            assert_eq!(decode(text).unwrap(), want.as_bytes(), "{text}");
        }
        assert_eq!(decode("8J+Yig==").unwrap(), "😊".as_bytes());
        for text in ["Z", "Zg===", "Zm9v!A==", "Zm\n9v"] {
            assert!(decode(text).is_err(), "{text:?}");
        }
    }
}
