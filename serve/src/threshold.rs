//! Where the line between two classes is drawn, when it is not at one half: mistakes of one kind may cost more.

use model::Prediction;

/// The probability of the second of two classes from which on it is predicted, above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold(f64);

impl std::str::FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(from) if from > 0.0 && from < 1.0 => Ok(Self(from)),
            _ => Err("expected a probability above 0 and below 1".into()),
        }
    }
}

impl Threshold {
    /// The prediction with the class that is on its side of the line; of other than two classes as it is.
    pub fn applied(self, mut prediction: Prediction) -> Prediction {
        if let [_, second] = prediction.probabilities[..] {
            prediction.class = usize::from(second >= self.0);
        }
        prediction
    }
}
