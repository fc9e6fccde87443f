//! What looks like personal data in a text: `monitor` counts it, `serve` leaves it out of what it captures.

use std::ops::Range;

/// Digits of a card number (ISO/IEC 7812-1).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Characters of an international bank account number (ISO 13616).
const IBAN_CHARACTERS: std::ops::RangeInclusive<usize> = 15..=34;

/// A kind of personal data that can be told by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonalData {
    /// 13 to 19 digits, single spaces or hyphens between them allowed, whose check digit is right (Luhn).
    CardNumber,
    /// An e-mail address.
    EMail,
    /// An international bank account number whose check digits are right.
    Iban,
}

impl PersonalData {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::CardNumber, Self::EMail, Self::Iban];

    /// As settings and rules name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CardNumber => "card_number",
            Self::EMail => "e_mail",
            Self::Iban => "iban",
        }
    }

    /// Whether the text holds one.
    pub fn is_in(self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// The bytes of the first one from byte `from` on, which is the text's start or the end of one found before.
    pub fn find(self, text: &str, from: usize) -> Option<Range<usize>> {
        match self {
            Self::CardNumber => card_number(text.as_bytes(), from),
            Self::EMail => e_mail(text, from),
            Self::Iban => iban(text.as_bytes(), from),
        }
    }
}

/// Tries each group of digits as the first: other numbers may stand before and behind.
fn card_number(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut start = from;
    loop {
        start += bytes.get(start..)?.iter().position(u8::is_ascii_digit)?;
        let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric());
        let alone = !word(start.checked_sub(1).and_then(|before| bytes.get(before)));
        if let Some(end) = card_end(&bytes[start..]).filter(|_| alone) {
            return Some(start..start + end);
        }
        start += bytes[start..].iter().take_while(|b| b.is_ascii_digit()).count();
    }
}

/// Where the longest card number that begins here ends.
fn card_end(bytes: &[u8]) -> Option<usize> {
    let (mut digits, mut count, mut found) = ([0; *CARD_DIGITS.end()], 0, None);
    for (at, &byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        match byte {
            b'0'..=b'9' if count < digits.len() => digits[count] = byte - b'0',
            b' ' | b'-' if next.is_some_and(u8::is_ascii_digit) => continue,
            _ => break,
        }
        count += 1;
        let digits = &digits[..count];
        let whole = CARD_DIGITS.contains(&count) && !next.is_some_and(u8::is_ascii_alphanumeric);
        if whole && digits.iter().any(|&d| d != digits[0]) && luhn(digits) {
            found = Some(at + 1);
        }
    }
    found
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |(place, &digit): (usize, &u8)| match place % 2 {
        0 => u32::from(digit),
        _ if digit > 4 => 2 * u32::from(digit) - 9,
        _ => 2 * u32::from(digit),
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// Letters of any script on either side, as RFC 6531 allows; the domain's last label is of letters alone.
fn e_mail(text: &str, from: usize) -> Option<Range<usize>> {
    let (bytes, mut at) = (text.as_bytes(), from);
    let letter = |b: &u8| b.is_ascii_alphabetic() || !b.is_ascii();
    loop {
        let sign = at + text.get(at..)?.find('@')?;
        at = sign + 1;
        let local = |b: &&u8| letter(b) || b.is_ascii_digit() || b"._%+-".contains(b);
        let domain = |b: &&u8| letter(b) || b.is_ascii_digit() || b"-.".contains(b);
        let start = sign - bytes[from..sign].iter().rev().take_while(local).count();
        let end = at + bytes[at..].iter().take_while(domain).count();
        // A full stop behind it is the sentence's.
        let last = bytes[at..end].iter().rposition(|b| !b"-.".contains(b)).map_or(0, |last| last + 1);
        let domain = &bytes[at..at + last];
        let mut labels = domain.split(|&b| b == b'.').filter(|label| !label.is_empty());
        let (first, last) = (labels.next(), labels.next_back());
        if start < sign && first.is_some() && last.is_some_and(|l| l.len() > 1 && l.iter().all(letter)) {
            return Some(start..at + domain.len());
        }
    }
}

/// Two capitals, two digits, then capitals and digits, in groups of four or without spaces.
fn iban(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    (from..bytes.len().saturating_sub(*IBAN_CHARACTERS.start() - 1)).find_map(|start| {
        let (country, check) = (&bytes[start..start + 2], &bytes[start + 2..start + 4]);
        let begins = country.iter().all(u8::is_ascii_uppercase) && check.iter().all(u8::is_ascii_digit);
        let inside = start.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
        let end = if begins && !inside { iban_end(&bytes[start..])? } else { return None };
        Some(start..start + end)
    })
}

/// Where the longest account number that begins here ends.
fn iban_end(bytes: &[u8]) -> Option<usize> {
    let (mut account, mut count, mut found) = ([0; *IBAN_CHARACTERS.end()], 0, None);
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' if count < account.len() => account[count] = byte,
            b' ' if at % 5 == 4 => continue,
            _ => break,
        }
        count += 1;
        let more = bytes.get(at + 1).is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if IBAN_CHARACTERS.contains(&count) && !more && remainder(&account[..count]) == 1 {
            found = Some(at + 1);
        }
    }
    found
}

/// Of 97, the first four characters behind the others, letters as 10 to 35.
fn remainder(account: &[u8]) -> u32 {
    account[4..].iter().chain(&account[..4]).fold(0, |rest, &byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::PersonalData::{CardNumber, EMail, Iban};
    use super::*;

    #[test]
    fn what_is_found() {
        for (text, want) in [
            ("pay 4111 1111 1111 1111 now", vec![(CardNumber, "4111 1111 1111 1111")]),
            ("4111-1111-1111-1111", vec![(CardNumber, "4111-1111-1111-1111")]),
            ("20 4111 1111 1111 1111 30", vec![(CardNumber, "4111 1111 1111 1111")]),
            (
                "4111111111111111, 5500005555555559",
                vec![(CardNumber, "4111111111111111"), (CardNumber, "5500005555555559")],
            ),
            ("4111 1111 1111 1112 is none", vec![]),
            ("order 0000000000000000", vec![]),
            ("part x4111111111111111", vec![]),
            ("12345678901234567890123 is too long", vec![]),
            ("write to Jane.Doe+x@mail.example.org.", vec![(EMail, "Jane.Doe+x@mail.example.org")]),
            ("a@b.cd,é@bücher.de", vec![(EMail, "a@b.cd"), (EMail, "é@bücher.de")]),
            ("jane@x.com입니다", vec![(EMail, "jane@x.com입니다")]),
            ("a @ b, me@home, @x.org, 5@3.2", vec![]),
            ("to GB29 NWBK 6016 1331 9268 19 please", vec![(Iban, "GB29 NWBK 6016 1331 9268 19")]),
            // Some account numbers end in what checks out as a card's.
            (
                "to AT61 1904 3002 3457 3201 NOW",
                vec![(CardNumber, "1904 3002 3457 3201"), (Iban, "AT61 1904 3002 3457 3201")],
            ),
            ("DE89370400440532013000", vec![(Iban, "DE89370400440532013000")]),
            ("DE88370400440532013000", vec![]),
            ("좋아요 😊", vec![]),
        ] {
            let found: Vec<_> = PersonalData::ALL.iter().flat_map(|&kind| all(kind, text)).collect();
            assert_eq!(found, want, "{text}");
        }
    }

    fn all(kind: PersonalData, text: &str) -> Vec<(PersonalData, &str)> {
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(range) = kind.find(text, from) {
            from = range.end;
            found.push((kind, &text[range]));
        }
        found
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived_and_what_is_found_lies_ahead(text in "[ -~é가A-Z0-9@.]{0,80}") {
            for kind in PersonalData::ALL {
                all(kind, &text);
            }
        }

        #[test]
        fn words_around_hide_nothing(before in "[a-z ,]{0,20}", after in "[a-z ,.]{0,20}") {
            for (kind, one) in [
                (CardNumber, "4111 1111 1111 1111"),
                (EMail, "jane.doe@example.org"),
                (Iban, "GB29 NWBK 6016 1331 9268 19"),
            ] {
                let text = format!("{before} {one} {after}");
                proptest::prop_assert_eq!(all(kind, &text), vec![(kind, one)]);
            }
        }
    }
}
