//! Bodies framed as `aws-chunked`: chunks with a size in hexadecimal and perhaps a signature, then trailers.
//!
//! ```text
//! 5;chunk-signature=…␍␊hello␍␊0;chunk-signature=…␍␊x-amz-checksum-crc32:NhCmhg==␍␊␍␊
//! ```
//!
//! Signatures are read over: whoever does not know the secret cannot check them.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use s3s::Body;
use s3s::dto::StreamingBlob;

/// No line of the framing is longer in good faith.
const MAX_LINE: usize = 16 * 1024;

/// What of the framing comes next.
#[derive(Debug, PartialEq)]
enum State {
    Size,
    Data(u64),
    AfterData,
    Trailers,
    Done,
}

/// Takes the framing off, whatever pieces it arrives in.
#[derive(Debug)]
struct Decoder {
    state: State,
    line: Vec<u8>,
    trailers: Vec<(String, String)>,
}

impl Decoder {
    fn new() -> Self {
        Self { state: State::Size, line: Vec::new(), trailers: Vec::new() }
    }

    fn feed(&mut self, mut input: Bytes, data: &mut VecDeque<Bytes>) -> io::Result<()> {
        while !input.is_empty() {
            if let State::Data(left) = &mut self.state {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                data.push_back(input.split_to(take));
                *left -= take as u64;
                if *left == 0 {
                    self.state = State::AfterData;
                }
                continue;
            }
            if self.state == State::Done {
                return Err(malformed("there is more behind the last chunk"));
            }
            if let Some(line) = self.line(&mut input)? {
                self.step(&line)?;
            }
        }
        Ok(())
    }

    /// The next line without its end, once it is whole.
    fn line(&mut self, input: &mut Bytes) -> io::Result<Option<String>> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let take = end.map_or(input.len(), |end| end + 1);
        self.line.extend_from_slice(&input[..take]);
        input.advance(take);
        if self.line.len() > MAX_LINE {
            return Err(malformed("a line is too long"));
        }
        if end.is_none() {
            return Ok(None);
        }
        let line = String::from_utf8(std::mem::take(&mut self.line)).map_err(|_| malformed("a line is not text"))?;
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn step(&mut self, line: &str) -> io::Result<()> {
        self.state = match self.state {
            State::Size => {
                let size = line.split(';').next().unwrap_or_default().trim();
                match u64::from_str_radix(size, 16).map_err(|_| malformed("a chunk's size is not hexadecimal"))? {
                    0 => State::Trailers,
                    size => State::Data(size),
                }
            }
            State::AfterData if line.is_empty() => State::Size,
            State::AfterData => return Err(malformed("a chunk is longer than its size")),
            State::Trailers if line.is_empty() => State::Done,
            State::Trailers => {
                let (name, value) = line.split_once(':').ok_or_else(|| malformed("a trailer has no colon"))?;
                self.trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                State::Trailers
            }
            State::Data(_) | State::Done => return Err(malformed("a line is out of place")),
        };
        Ok(())
    }

    /// The trailers, if the body ended where it may.
    fn finish(self) -> io::Result<Vec<(String, String)>> {
        match self.state {
            State::Done => Ok(self.trailers),
            State::Trailers if self.line.is_empty() => Ok(self.trailers),
            state => {
                Err(io::Error::new(ErrorKind::UnexpectedEof, format!("aws-chunked body ended early, at {state:?}")))
            }
        }
    }
}

/// The body without its framing; `at_end` gets the trailers when all of it has been read.
pub fn decode(body: Body, at_end: impl FnOnce(Vec<(String, String)>) + Send + Sync + 'static) -> Body {
    let start = (body, Some((Decoder::new(), at_end)), VecDeque::new());
    let stream = futures::stream::try_unfold(start, |(mut body, mut rest, mut data)| async move {
        loop {
            if let Some(chunk) = data.pop_front() {
                return Ok(Some((chunk, (body, rest, data))));
            }
            let Some((decoder, _)) = &mut rest else { return Ok(None) };
            match body.next().await {
                Some(bytes) => decoder.feed(bytes.map_err(io::Error::other)?, &mut data)?,
                None => {
                    if let Some((decoder, at_end)) = rest.take() {
                        at_end(decoder.finish()?);
                    }
                    return Ok::<_, io::Error>(None);
                }
            }
        }
    });
    StreamingBlob::wrap(stream).into()
}

fn malformed(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("aws-chunked body is malformed: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "5;chunk-signature=0055627c\r\nhello\r\n6;chunk-signature=ab\r\n\r\nwide\r\n\
        0;chunk-signature=cd\r\nX-Amz-Checksum-Crc32: NhCmhg==\r\nx-amz-trailer-signature:ef\r\n\r\n";

    type Decoded = (Vec<u8>, Vec<(String, String)>);

    fn decoded(text: &str, piece: usize) -> io::Result<Decoded> {
        let mut decoder = Decoder::new();
        let mut data = VecDeque::new();
        for piece in text.as_bytes().chunks(piece) {
            decoder.feed(Bytes::copy_from_slice(piece), &mut data)?;
        }
        Ok((data.into_iter().flatten().collect(), decoder.finish()?))
    }

    #[test]
    fn pieces_of_any_size_give_the_same() {
        for piece in 1..=SIGNED.len() {
            let (data, trailers) = decoded(SIGNED, piece).unwrap();
            assert_eq!(data, b"hello\r\nwide", "pieces of {piece}");
            let names: Vec<_> = trailers.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["x-amz-checksum-crc32", "x-amz-trailer-signature"]);
            assert_eq!(trailers[0].1, "NhCmhg==");
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for (text, what) in [
            ("5\r\nhello", "cut in the data"),
            ("5\r\nhello\r\n", "no last chunk"),
            ("5\r\nhello!\r\n0\r\n\r\n", "too long a chunk"),
            ("g\r\n", "not hexadecimal"),
            ("0\r\nno colon\r\n\r\n", "not a trailer"),
            ("0\r\n\r\nmore", "more"),
            ("", "nothing"),
        ] {
            assert!(decoded(text, 3).is_err(), "{what}");
        }
        assert_eq!(decoded("0\r\n\r\n", 1).unwrap().0, b"");
    }
}
