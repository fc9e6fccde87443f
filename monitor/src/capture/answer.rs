//! The predictions of a captured answer, as `serve` writes them.

use serde::Deserialize;

use super::record::essence;

/// One prediction as it was answered.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Answered {
    /// The predicted class.
    pub label: String,
    /// Its probability.
    pub score: f64,
}

#[derive(Deserialize)]
struct Body {
    predictions: Vec<Either>,
}

/// The answer to a record.
#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Prediction(Answered),
    /// What is wrong with it.
    Refusal {
        #[serde(rename = "error")]
        _error: String,
    },
}

impl From<Either> for Option<Answered> {
    fn from(either: Either) -> Self {
        match either {
            Either::Prediction(answered) => Some(answered),
            Either::Refusal { .. } => None,
        }
    }
}

/// At least one answer, `None` where a record was answered with an error; or why there is none.
pub fn read(content_type: &str, body: &str) -> Result<Vec<Option<Answered>>, String> {
    let (essence, _) = essence(content_type);
    let answers: Vec<Option<Answered>> = match essence.as_str() {
        "application/json" => {
            let body: Body = serde_json::from_str(body).map_err(|e| e.to_string())?;
            body.predictions.into_iter().map(Option::from).collect()
        }
        "application/jsonlines" | "application/x-jsonlines" | "application/jsonl" => body
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str::<Either>(line).map(Option::from).map_err(|e| e.to_string()))
            .collect::<Result<_, _>>()?,
        "text/csv" => csv(body)?.into_iter().map(Some).collect(),
        other => return Err(format!("content type `{other}` is none of those that are answered")),
    };
    match answers.iter().flatten().find(|a| !(0.0..=1.0).contains(&a.score)) {
        Some(answer) => Err(format!("score {} is no probability", answer.score)),
        None if answers.is_empty() => Err("it is empty".into()),
        None => Ok(answers),
    }
}

fn csv(body: &str) -> Result<Vec<Answered>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body.as_bytes());
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| e.to_string())?;
            let (Some(label), Some(score), 2) = (record.get(0), record.get(1), record.len()) else {
                return Err(format!("{} columns in a record, expected label,score", record.len()));
            };
            let score = score.trim().parse().map_err(|_| format!("score `{score}` is no number"))?;
            Ok(Answered { label: label.to_string(), score })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(pairs: &[(&str, f64)]) -> Result<Vec<Option<Answered>>, String> {
        Ok(pairs.iter().map(|(label, score)| Some(Answered { label: label.to_string(), score: *score })).collect())
    }

    #[test]
    fn a_refused_record_has_its_place() {
        let (one, refused) = (r#"{"label": "1", "score": 0.98}"#, r#"{"error": "line 2: it is no document"}"#);
        for (content_type, body) in [
            ("application/json", format!(r#"{{"predictions": [{one}, {refused}, {one}]}}"#)),
            ("application/jsonlines", format!("{one}\n{refused}\n{one}\n")),
        ] {
            let found = read(content_type, &body).unwrap();
            assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true], "{content_type}");
        }
    }

    #[test]
    fn every_format() {
        let one = r#"{"label": "1", "score": 0.98, "probabilities": {"0": 0.02, "1": 0.98}, "explanation": {}}"#;
        for (content_type, body, want) in [
            ("application/json", format!(r#"{{"predictions": [{one}]}}"#), vec![("1", 0.98)]),
            ("application/jsonlines", format!("{one}\n{one}\n"), vec![("1", 0.98), ("1", 0.98)]),
            ("text/csv; charset=utf-8", "1,0.98\n\"a, b\",0.5\n".into(), vec![("1", 0.98), ("a, b", 0.5)]),
        ] {
            assert_eq!(read(content_type, &body), answered(&want), "{content_type} {body}");
        }
    }

    #[test]
    fn what_is_no_prediction_is_refused() {
        for (content_type, body) in [
            ("application/json", r#"{"error": "the body holds no document"}"#),
            ("application/json", r#"{"predictions": []}"#),
            ("application/json", r#"{"predictions": [{"label": "1", "score": 1.5}]}"#),
            ("text/csv", "1\n"),
            ("text/csv", "1,high\n"),
            ("text/csv", "1,NaN\n"),
            ("text/plain", "x"),
        ] {
            assert!(read(content_type, body).is_err(), "{content_type} {body}");
        }
    }
}
