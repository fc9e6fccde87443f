//! Records that nobody should have sent: empty ones, far too long ones, and what looks like personal data. They are
//! counted; what was found is never copied.

use model::personal::PersonalData;

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
        for kind in PersonalData::ALL {
            *self.of(kind) += u64::from(kind.is_in(text));
        }
    }

    fn of(&mut self, kind: PersonalData) -> &mut u64 {
        match kind {
            PersonalData::CardNumber => &mut self.card_number,
            PersonalData::EMail => &mut self.e_mail,
            PersonalData::Iban => &mut self.iban,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_counted_by_kind() {
        let mut found = Personal::default();
        for (text, tokens) in
            [("pay 4111 1111 1111 1111 or write to a@b.org", 5), ("GB29 NWBK 6016 1331 9268 19", 6), ("a@b.org", 1)]
        {
            found.add(text, tokens, 1000);
        }
        assert_eq!(found, Personal { card_number: 1, e_mail: 2, iban: 1, ..Personal::default() });
        found.add("ééé", 0, 2);
        assert_eq!((found.empty, found.too_long), (1, 1));
    }
}
