//! Text to expressions, by recursive descent, no deeper than [`DEEPEST`].

use super::condition::{Condition, Test};
use super::expression::{Comparison, Figure, Number, Operation, Truth};
use super::tokens::{Token, tokens};

/// Most parentheses, `not`s and minus signs inside each other.
const DEEPEST: usize = 40;
/// Figures by name alone.
const NAMES: [&str; 7] =
    ["documents", "requests", "unreadable_requests", "damaged_lines", "accuracy", "measured_accuracy", "domain"];
/// Functions of a feature.
const OF_FEATURES: [&str; 4] = ["mean", "drift", "psi", "records"];
/// What they may be of.
const FEATURES: [&str; 14] = [
    "text_length",
    "term_count",
    "unknown_terms",
    "score",
    "predicted_label",
    "language",
    "log_odds",
    "terms",
    "domain",
    "empty",
    "too_long",
    "card_number",
    "e_mail",
    "iban",
];

/// Why a rule means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {place}: {found}; expected {expected}")]
pub struct Refused {
    /// Of the text, from 1.
    pub place: usize,
    /// What is there.
    pub found: String,
    /// What could be.
    pub expected: String,
}

type Parsed<T> = Result<T, Refused>;

/// An expression, or a number of one: which it is turns out on the way.
enum Either {
    Truth(Truth),
    Number(Number),
}

/// Reads a rule's text.
pub fn parse(text: &str) -> Parsed<Truth> {
    let tokens = tokens(text).map_err(|(place, found)| Refused {
        place,
        found,
        expected: "names, numbers, quoted texts and signs".into(),
    })?;
    let mut parser = Parser { tokens, at: 0, depth: 0, end: text.chars().count() + 1 };
    let truth = parser.truth()?;
    match parser.peek() {
        None => Ok(truth),
        Some(_) => Err(parser.refuse("`and`, `or`, or the end")),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn refuse(&self, expected: &str) -> Refused {
        let (place, found) = match self.tokens.get(self.at) {
            None => (self.end, "the end".into()),
            Some((place, Token::Word(word))) => (*place, format!("`{word}`")),
            Some((place, Token::Text(text))) => (*place, format!("\"{text}\"")),
            Some((place, Token::Number(number))) => (*place, format!("{number}")),
            Some((place, Token::Sign(sign))) => (*place, format!("`{sign}`")),
        };
        Refused { place, found, expected: expected.into() }
    }

    fn sign(&mut self, wanted: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Sign(sign)) if *sign == wanted);
        self.at += usize::from(here);
        here
    }

    fn word(&mut self, wanted: &str) -> bool {
        let here = matches!(self.peek(), Some(Token::Word(word)) if word == wanted);
        self.at += usize::from(here);
        here
    }

    fn close(&mut self) -> Parsed<()> {
        if self.sign(")") { Ok(()) } else { Err(self.refuse("`)`")) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == DEEPEST {
            return Err(self.refuse("a rule that is less deep"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn truth(&mut self) -> Parsed<Truth> {
        match self.either()? {
            Either::Truth(truth) => Ok(truth),
            Either::Number(_) => Err(self.refuse("a comparison such as `> 0.2`")),
        }
    }

    fn either(&mut self) -> Parsed<Either> {
        let mut one = self.all()?;
        while self.word("or") {
            let other = self.all()?;
            one = Either::Truth(Truth::Or(Box::new(self.needs(one)?), Box::new(self.needs(other)?)));
        }
        Ok(one)
    }

    fn all(&mut self) -> Parsed<Either> {
        let mut one = self.negated()?;
        while self.word("and") {
            let other = self.negated()?;
            one = Either::Truth(Truth::And(Box::new(self.needs(one)?), Box::new(self.needs(other)?)));
        }
        Ok(one)
    }

    fn needs(&self, either: Either) -> Parsed<Truth> {
        match either {
            Either::Truth(truth) => Ok(truth),
            Either::Number(_) => Err(self.refuse("comparisons on both sides of `and` and `or`, and after `not`")),
        }
    }

    fn negated(&mut self) -> Parsed<Either> {
        if self.word("not") {
            let of = self.deeper(Self::negated)?;
            return Ok(Either::Truth(Truth::Not(Box::new(self.needs(of)?))));
        }
        self.compared()
    }

    fn compared(&mut self) -> Parsed<Either> {
        let one = self.sum()?;
        let comparison = match self.peek() {
            Some(Token::Sign("<")) => Comparison::Less,
            Some(Token::Sign("<=")) => Comparison::AtMost,
            Some(Token::Sign(">")) => Comparison::Greater,
            Some(Token::Sign(">=")) => Comparison::AtLeast,
            Some(Token::Sign("==")) => Comparison::Equal,
            Some(Token::Sign("!=")) => Comparison::Unequal,
            _ => return Ok(one),
        };
        let one = self.number(one)?;
        self.at += 1;
        let other = self.sum()?;
        let other = self.number(other)?;
        Ok(Either::Truth(Truth::Compare(one, comparison, other)))
    }

    fn number(&self, either: Either) -> Parsed<Number> {
        match either {
            Either::Number(number) => Ok(number),
            Either::Truth(_) => Err(self.refuse("numbers on both sides of a sign")),
        }
    }

    fn sum(&mut self) -> Parsed<Either> {
        self.chain([("+", Operation::Add), ("-", Operation::Subtract)], Self::product)
    }

    fn product(&mut self) -> Parsed<Either> {
        self.chain([("*", Operation::Multiply), ("/", Operation::Divide)], Self::single)
    }

    fn chain(&mut self, signs: [(&str, Operation); 2], next: impl Fn(&mut Self) -> Parsed<Either>) -> Parsed<Either> {
        let mut one = next(self)?;
        while let Some(operation) = signs.iter().find_map(|(sign, operation)| self.sign(sign).then_some(*operation)) {
            let left = self.number(one)?;
            let right = next(self)?;
            one = Either::Number(Number::Of(Box::new(left), operation, Box::new(self.number(right)?)));
        }
        Ok(one)
    }

    fn single(&mut self) -> Parsed<Either> {
        if self.sign("-") {
            let of = self.deeper(Self::single)?;
            let of = self.number(of)?;
            return Ok(Either::Number(Number::Of(Box::new(Number::Value(0.0)), Operation::Subtract, Box::new(of))));
        }
        if self.sign("(") {
            let inside = self.deeper(Self::either)?;
            self.close()?;
            return Ok(inside);
        }
        if let Some(Token::Number(value)) = self.peek() {
            let value = *value;
            self.at += 1;
            return Ok(Either::Number(Number::Value(value)));
        }
        self.figure().map(|figure| Either::Number(Number::Figure(figure)))
    }

    fn figure(&mut self) -> Parsed<Figure> {
        if self.word("share") || self.word("count") {
            let share = matches!(&self.tokens[self.at - 1].1, Token::Word(word) if word == "share");
            if !self.sign("(") {
                return Err(self.refuse("`(`"));
            }
            let condition = self.condition()?;
            let among = if share && self.word("among") { Some(self.condition()?) } else { None };
            self.close()?;
            return Ok(if share { Figure::Share(condition, among) } else { Figure::Count(condition) });
        }
        let expected =
            format!("a number, {}, share(…), count(…), {}(feature)", NAMES.join(", "), OF_FEATURES.join("(feature), "));
        let Some(Token::Word(name)) = self.peek().cloned() else { return Err(self.refuse(&expected)) };
        if OF_FEATURES.contains(&name.as_str()) {
            self.at += 1;
            if !self.sign("(") {
                return Err(self.refuse("`(`"));
            }
            let feature = match self.peek() {
                Some(Token::Word(feature)) if FEATURES.contains(&feature.as_str()) => feature.clone(),
                _ => return Err(self.refuse(&format!("a feature: {}", FEATURES.join(", ")))),
            };
            self.at += 1;
            self.close()?;
            return Ok(Figure::Named(format!("{name}({feature})")));
        }
        if !NAMES.contains(&name.as_str()) {
            return Err(self.refuse(&expected));
        }
        self.at += 1;
        Ok(Figure::Named(name))
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let mut tests = vec![self.test()?];
        while self.word("and") {
            tests.push(self.test()?);
        }
        Ok(Condition(tests))
    }

    fn test(&mut self) -> Parsed<Test> {
        const EXPECTED: &str = "class \"…\", contains \"…\", or longer and a number of characters";
        let not = self.word("not");
        let Some(Token::Word(word)) = self.peek().cloned() else { return Err(self.refuse(EXPECTED)) };
        if !["class", "contains", "longer"].contains(&word.as_str()) {
            return Err(self.refuse(EXPECTED));
        }
        self.at += 1;
        let test = match (word.as_str(), self.peek()) {
            ("class", Some(Token::Text(class))) => Test::Class(class.clone(), not),
            ("contains", Some(Token::Text(words))) if !words.trim().is_empty() => {
                Test::Contains(words.split_whitespace().map(str::to_string).collect(), not)
            }
            ("longer", Some(Token::Number(length))) if length.fract() == 0.0 => Test::Longer(*length as u64, not),
            _ => return Err(self.refuse(EXPECTED)),
        };
        self.at += 1;
        Ok(test)
    }
}
