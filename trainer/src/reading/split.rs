//! Where a stream of rows can be cut: after the end of a record, found without parsing the fields.
//!
//! A quote opens a field only right behind a separator or a line end; anywhere else outside quotes it is text. So the
//! quotes alone tell which line ends are ends of records, and the scan passes over everything else at memory speed.

use memchr::{memchr, memrchr, memrchr2};

/// Where the scan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Outside,
    Inside,
    /// Behind a quote inside quotes: it closes them unless another follows.
    Closing,
}

/// Scans a growing buffer that begins at the start of a record.
#[derive(Debug)]
pub struct Scanner {
    /// The separator of CSV; `None` for lines.
    separator: Option<u8>,
    at: At,
    scanned: usize,
    end: usize,
}

impl Scanner {
    /// For CSV with `separator` between fields.
    pub fn csv(separator: u8) -> Self {
        Self { separator: Some(separator), at: At::Outside, scanned: 0, end: 0 }
    }

    /// For one record a line.
    pub fn lines() -> Self {
        Self { separator: None, at: At::Outside, scanned: 0, end: 0 }
    }

    /// Scans what `buffer` has grown by; returns the length of the whole records in it.
    pub fn advance(&mut self, buffer: &[u8]) -> usize {
        match self.separator {
            Some(separator) => self.quotes(buffer, separator),
            None => {
                if let Some(end) = memrchr(b'\n', &buffer[self.scanned..]) {
                    self.end = self.scanned + end + 1;
                }
            }
        }
        self.scanned = buffer.len();
        self.end
    }

    /// Tells that the whole records were taken out of the buffer.
    pub fn taken(&mut self) {
        self.scanned -= self.end;
        self.end = 0;
    }

    fn quotes(&mut self, buffer: &[u8], separator: u8) {
        let mut at = self.scanned;
        while at < buffer.len() {
            match self.at {
                At::Outside => {
                    let quote = memchr(b'"', &buffer[at..]).map(|quote| at + quote);
                    let outside = &buffer[at..quote.unwrap_or(buffer.len())];
                    if let Some(end) = memrchr2(b'\n', b'\r', outside) {
                        self.end = at + end + 1;
                    }
                    let Some(quote) = quote else { return };
                    let before = quote.checked_sub(1).map_or(b'\n', |before| buffer[before]);
                    if before == separator || matches!(before, b'\n' | b'\r') {
                        self.at = At::Inside;
                    }
                    at = quote + 1;
                }
                At::Inside => {
                    let Some(quote) = memchr(b'"', &buffer[at..]) else { return };
                    self.at = At::Closing;
                    at += quote + 1;
                }
                At::Closing if buffer[at] == b'"' => {
                    self.at = At::Inside;
                    at += 1;
                }
                At::Closing => self.at = At::Outside,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of records by the definition, byte for byte.
    fn slow(bytes: &[u8]) -> Vec<usize> {
        #[derive(PartialEq)]
        enum State {
            Start,
            Field,
            Quoted,
            Quote,
        }
        let mut state = State::Start;
        let mut ends = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            state = match (state, byte) {
                (State::Start | State::Quote, b'"') => State::Quoted,
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) => State::Quoted,
                (_, b',') => State::Start,
                (_, b'\n' | b'\r') => {
                    ends.push(at + 1);
                    State::Start
                }
                _ => State::Field,
            };
        }
        ends
    }

    #[test]
    fn the_last_end_of_a_record_is_found_however_the_bytes_come() {
        // Every text of eight of these characters, in steps of one to three bytes.
        let letters = b"a\",\n\r";
        let mut text = [0; 8];
        for code in 0..letters.len().pow(8) {
            let mut rest = code;
            for byte in &mut text {
                *byte = letters[rest % letters.len()];
                rest /= letters.len();
            }
            let mut scanner = Scanner::csv(b',');
            let mut end = 0;
            let mut step = code % 3 + 1;
            while step < text.len() {
                scanner.advance(&text[..step]);
                step += code % 3 + 1;
            }
            end = end.max(scanner.advance(&text));
            assert_eq!(end, slow(&text).last().copied().unwrap_or(0), "{:?}", String::from_utf8_lossy(&text));
        }
    }
}
