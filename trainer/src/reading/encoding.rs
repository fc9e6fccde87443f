//! Bytes that are not UTF-8: where they are, and what they probably are.

use std::str::Utf8Error;

use super::Fault;

/// UTF-8's byte order mark; dropped.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes at a file's start that are looked at.
const LOOKED_AT: usize = 256;

/// Refuses a file that begins as UTF-16 or UTF-32 do: with a byte order mark, or NULs where
/// plain letters have them.
pub fn check_start(bytes: &[u8]) -> Result<(), Fault> {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    // Which of four bytes in a row are NUL throughout.
    let nul = [0, 1, 2, 3].map(|from| start.len() >= 8 && start.iter().skip(from).step_by(4).all(|&byte| byte == 0));
    let (second, three) = ("since every second byte is NUL", "since three of four bytes are NUL");
    let (name, evidence) = match start {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => ("UTF-32", "by its byte order mark"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => ("UTF-16", "by its byte order mark"),
        _ => match nul {
            [false, true, false, true] => ("UTF-16LE", second),
            [true, false, true, false] => ("UTF-16BE", second),
            [false, true, true, true] => ("UTF-32LE", three),
            [true, true, true, false] => ("UTF-32BE", three),
            _ => return Ok(()),
        },
    };
    Err(Fault::at(1, format!("column 1: is {name}, {evidence}; expected UTF-8: {}", convert(name))))
}

/// The fault of a stretch that is not UTF-8, with its line from 0.
pub fn fault(bytes: &[u8], error: Utf8Error) -> Fault {
    let (good, rest) = bytes.split_at(error.valid_up_to());
    let line_start = memchr::memrchr(b'\n', good).map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', good).count() as u64;
    let column = String::from_utf8_lossy(&good[line_start..]).chars().count() + 1;
    let byte = rest.first().copied().unwrap_or_default();
    Fault::at(line, format!("column {column}: byte 0x{byte:02x} is not UTF-8; {}", guess(good, rest)))
}

/// What to do, by what the bytes from the first bad one on look like.
fn guess(good: &[u8], rest: &[u8]) -> String {
    if !good.is_ascii() {
        return "there is good UTF-8 before it, so a character is probably cut or damaged here: mend the line".into();
    }
    let high = rest.iter().filter(|byte| !byte.is_ascii()).count();
    // Runs of two, four, … bytes above 0xa0: scripts that need two bytes a character.
    let paired: usize = rest
        .split(u8::is_ascii)
        .filter(|run| run.len() >= 2 && run.len().is_multiple_of(2) && run.iter().all(|&byte| byte > 0xa0))
        .map(<[u8]>::len)
        .sum();
    if high >= 8 && paired * 10 >= high * 9 {
        return "it looks like a two-byte encoding such as EUC-KR, GB18030 or EUC-JP; expected UTF-8: convert the file \
            with `iconv -f EUC-KR -t UTF-8`, or whichever it is"
            .into();
    }
    let name = if rest.iter().any(|byte| matches!(byte, 0x80..=0x9f)) { "WINDOWS-1252" } else { "LATIN1" };
    let shown = if name == "LATIN1" { "Latin-1 or Windows-1252" } else { "Windows-1252" };
    format!("it looks like {shown}; expected UTF-8: {}", convert(name))
}

fn convert(name: &str) -> String {
    format!("convert the file with `iconv -f {name} -t UTF-8`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_guessed() {
        for (bytes, line, want) in [
            (&b"one\ntwo caf\xe9"[..], 1, "column 8: byte 0xe9 is not UTF-8; it looks like Latin-1"),
            (b"\x93quoted\x94", 0, "column 1: byte 0x93 is not UTF-8; it looks like Windows-1252;"),
            ("größe\ngr".as_bytes(), 1, ""),
            (b"gr\xc3\xb6\xc3 cut", 0, "column 4: byte 0xc3 is not UTF-8; there is good UTF-8 before it"),
            (
                b"\xbf\xb5\xc8\xad \xc1\xc1\xbe\xc6\xbf\xe4",
                0,
                "column 1: byte 0xbf is not UTF-8; it looks like a two-byte",
            ),
        ] {
            match std::str::from_utf8(bytes) {
                Ok(_) => assert!(want.is_empty()),
                Err(error) => {
                    let fault = fault(bytes, error);
                    assert!(fault.message.starts_with(want), "{}", fault.message);
                    assert_eq!(fault.line, Some(line));
                }
            }
        }
    }

    #[test]
    fn utf_16_and_32_are_seen_by_their_start() {
        let text = "review_text,sentiment";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let [wide, wide_big] = [u32::to_le_bytes, u32::to_be_bytes]
            .map(|to: fn(u32) -> [u8; 4]| text.chars().flat_map(|c| to(u32::from(c))).collect::<Vec<u8>>());
        let big: Vec<u8> = "\u{feff}review_text,sentiment".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, want) in [(&little[..], "UTF-16LE"), (&big, "UTF-16"), (&wide, "UTF-32LE"), (&wide_big, "UTF-32BE")]
        {
            let fault = check_start(bytes).expect_err("is refused");
            assert!(fault.message.contains(&format!("is {want}, ")), "{}", fault.message);
        }
        assert!(check_start(b"review_text,sentiment\n").is_ok() && check_start(b"").is_ok());
    }
}
