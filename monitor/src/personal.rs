//! Records that nobody should have sent: empty ones, far too long ones, and what looks like personal data. They are
//! counted; what was found is never copied.

/// Documents of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Personal {
    /// Without a single token.
    pub empty: u64,
    /// With more characters than allowed.
    pub too_long: u64,
    /// With a number of 13 to 19 digits that a card could have (Luhn's check digit is right).
    pub card_number: u64,
    /// With an e-mail address.
    pub e_mail: u64,
    /// With an international bank account number (its check digits are right, ISO 13616).
    pub iban: u64,
}

impl Personal {
    /// One more document of so many tokens.
    pub fn add(&mut self, text: &str, tokens: u64, longest: u64) {
        self.empty += u64::from(tokens == 0);
        self.too_long += u64::from(text.len() as u64 > longest && text.chars().count() as u64 > longest);
        let bytes = text.as_bytes();
        self.card_number += u64::from(has_card_number(bytes));
        self.e_mail += u64::from(has_e_mail(bytes));
        self.iban += u64::from(has_iban(bytes));
    }

    /// Those of both.
    pub fn merge(&mut self, other: &Personal) {
        self.empty += other.empty;
        self.too_long += other.too_long;
        self.card_number += other.card_number;
        self.e_mail += other.e_mail;
        self.iban += other.iban;
    }

    /// Kinds by the names of rules, with what each means.
    pub fn kinds(&self) -> [(&'static str, u64, &'static str); 5] {
        [
            ("empty", self.empty, "without a single term"),
            ("too_long", self.too_long, "longer than allowed"),
            ("card_number", self.card_number, "with what could be a card number"),
            ("e_mail", self.e_mail, "with an e-mail address"),
            ("iban", self.iban, "with an international bank account number"),
        ]
    }
}

/// Digits in a row, single spaces or hyphens between them allowed; letters beside them are not.
fn has_card_number(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|p| p + at) {
        let (mut digits, mut end) = (Vec::new(), start);
        while let Some(&byte) = bytes.get(end) {
            let next_is_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            match byte {
                b'0'..=b'9' => digits.push(byte - b'0'),
                b' ' | b'-' if next_is_digit => {}
                _ => break,
            }
            end += 1;
        }
        let word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric());
        let alone = !word(start.checked_sub(1).and_then(|p| bytes.get(p))) && !word(bytes.get(end));
        if alone && (13..=19).contains(&digits.len()) && digits.iter().any(|&d| d != digits[0]) && luhn(&digits) {
            return true;
        }
        at = end;
    }
    false
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |(place, &digit): (usize, &u8)| match place % 2 {
        0 => u32::from(digit),
        _ if digit > 4 => 2 * u32::from(digit) - 9,
        _ => 2 * u32::from(digit),
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

fn has_e_mail(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'@', bytes).any(|at| {
        let local = bytes[..at].last().is_some_and(|b| b.is_ascii_alphanumeric() || b"._%+-".contains(b));
        let end = bytes[at + 1..].iter().position(|b| !b.is_ascii_alphanumeric() && !b"-.".contains(b));
        let domain = &bytes[at + 1..end.map_or(bytes.len(), |end| at + 1 + end)];
        let mut labels = domain.split(|&b| b == b'.').filter(|label| !label.is_empty());
        let (first, last) = (labels.next(), labels.next_back());
        local && first.is_some() && last.is_some_and(|l| l.len() > 1 && l.iter().all(u8::is_ascii_alphabetic))
    })
}

/// Two capitals, two digits, then 11 to 30 capitals and digits, in groups of four or without spaces.
fn has_iban(bytes: &[u8]) -> bool {
    (0..bytes.len().saturating_sub(14)).any(|start| {
        let capitals = bytes[start].is_ascii_uppercase() && bytes[start + 1].is_ascii_uppercase();
        if !capitals || !bytes[start + 2].is_ascii_digit() || !bytes[start + 3].is_ascii_digit() {
            return false;
        }
        if start > 0 && bytes[start - 1].is_ascii_alphanumeric() {
            return false;
        }
        let mut account = Vec::new();
        for (at, &byte) in bytes[start..].iter().enumerate() {
            match byte {
                b'0'..=b'9' | b'A'..=b'Z' => account.push(byte),
                b' ' if at % 5 == 4 => {}
                _ => break,
            }
            if account.len() > 34 {
                break;
            }
        }
        (15..=34).contains(&account.len()) && remainder(&account) == 1
    })
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
    use super::*;

    #[test]
    fn what_is_found() {
        for (text, card, mail, iban) in [
            ("pay 4111 1111 1111 1111 now", true, false, false),
            ("4111-1111-1111-1111", true, false, false),
            ("4111 1111 1111 1112 is none", false, false, false),
            ("order 0000000000000000", false, false, false),
            ("part x4111111111111111", false, false, false),
            ("write to Jane.Doe+x@mail.example.org.", false, true, false),
            ("a @ b, me@home, @x.org, 5@3.2", false, false, false),
            ("to GB29 NWBK 6016 1331 9268 19 please", false, false, true),
            ("DE89370400440532013000", false, false, true),
            ("DE88370400440532013000", false, false, false),
            ("좋아요 😊", false, false, false),
        ] {
            let mut found = Personal::default();
            found.add(text, 1, 1000);
            let want = Personal {
                card_number: u64::from(card),
                e_mail: u64::from(mail),
                iban: u64::from(iban),
                ..Personal::default()
            };
            assert_eq!(found, want, "{text}");
        }
        let mut found = Personal::default();
        found.add("ééé", 0, 2);
        assert_eq!((found.empty, found.too_long), (1, 1));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "[ -~\u{e9}A-Z0-9@.]{0,80}") {
            Personal::default().add(&text, 1, 10);
        }
    }
}
