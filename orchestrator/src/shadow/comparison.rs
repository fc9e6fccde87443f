//! Two deployments' answers to the same requests, added up.

use std::{collections::BTreeMap, time::Duration};

use monitor::stats::interval::wilson;

use super::{
    part::{Example, ShadowPart},
    replay::Request,
};
use crate::{
    endpoint::{Predictions, Record},
    latency::Latency,
    settings::Shadow,
};

/// Examples that are kept.
const EXAMPLES: usize = 5;
/// Characters of a request that are shown, where they are.
const SHOWN: usize = 200;

/// What a deployment said to a request: predictions, or that it failed and how.
pub type Answer = Result<Predictions<Record>, String>;

/// Answers, pair by pair.
#[derive(Debug, Default)]
pub struct Comparison {
    requests: u64,
    documents: u64,
    changed: u64,
    sum: f64,
    largest: f64,
    errors: u64,
    live_errors: u64,
    examples: Vec<Example>,
    took: (Vec<Duration>, Vec<Duration>),
}

impl Comparison {
    /// One request's two answers.
    pub fn add(&mut self, request: &Request, live: (Answer, Duration), candidate: (Answer, Duration)) {
        self.requests += 1;
        for (answered, took) in [(&live, &mut self.took.0), (&candidate, &mut self.took.1)] {
            if answered.0.is_ok() {
                took.push(answered.1);
            }
        }
        let (live, candidate) = (live.0.map(|said| said.predictions), candidate.0.map(|said| said.predictions));
        let live = match live {
            Ok(live) => live,
            Err(_) => return self.live_errors += 1,
        };
        let candidate = match candidate {
            Ok(candidate) if candidate.len() == live.len() => candidate,
            Ok(candidate) => {
                let told = format!("{} predictions", candidate.len());
                return self.failed(request, format!("{} predictions", live.len()), told);
            }
            Err(why) => return self.failed(request, "an answer".into(), why),
        };
        for (place, pair) in live.iter().zip(&candidate).enumerate() {
            self.documents += 1;
            let apart = difference(pair.0, pair.1);
            self.sum += apart;
            self.largest = self.largest.max(apart);
            if class(pair.0) != class(pair.1) {
                self.changed += 1;
                self.example(request, place as u64 + 1, told(pair.0), told(pair.1));
            }
        }
    }

    fn failed(&mut self, request: &Request, live: String, candidate: String) {
        self.errors += 1;
        self.example(request, 1, live, candidate);
    }

    fn example(&mut self, request: &Request, document: u64, live: String, candidate: String) {
        if self.examples.len() < EXAMPLES {
            let text = String::from_utf8_lossy(&request.body).chars().take(SHOWN).collect();
            self.examples.push(Example { request: request.id.clone(), document, live, candidate, text });
        }
    }

    /// The figures, and what of them is beyond its bound.
    pub fn part(self, live: &str, candidate: &str, at: String, bounds: &Shadow) -> ShadowPart {
        let part = ShadowPart {
            live: live.to_owned(),
            candidate: candidate.to_owned(),
            at,
            requests: self.requests,
            documents: self.documents,
            changed: self.changed,
            changed_interval: wilson(self.changed, self.documents),
            mean_difference: self.sum / self.documents.max(1) as f64,
            largest_difference: self.largest,
            errors: self.errors,
            live_errors: self.live_errors,
            live_latency: Latency::of(self.took.0),
            candidate_latency: Latency::of(self.took.1),
            examples: self.examples,
            refusals: Vec::new(),
        };
        ShadowPart { refusals: part.beyond(bounds), ..part }
    }
}

/// The largest difference of a class's probability; of a document that only one refuses, all there can be.
fn difference(live: &Record, candidate: &Record) -> f64 {
    match (live, candidate) {
        (Record::Prediction(live), Record::Prediction(candidate)) => {
            let (live, candidate) = (&live.probabilities, &candidate.probabilities);
            let of = |class: &String| {
                let at = |all: &BTreeMap<String, f64>| all.get(class).copied().unwrap_or_default();
                (at(live) - at(candidate)).abs()
            };
            live.keys().chain(candidate.keys()).map(of).fold(0.0, f64::max)
        }
        (Record::Refusal { .. }, Record::Refusal { .. }) => 0.0,
        _ => 1.0,
    }
}

fn class(record: &Record) -> Option<&str> {
    match record {
        Record::Prediction(prediction) => Some(&prediction.label),
        Record::Refusal { .. } => None,
    }
}

fn told(record: &Record) -> String {
    match record {
        Record::Prediction(prediction) => format!("{} ({:.4})", prediction.label, prediction.score),
        // What is wrong with it may quote it.
        Record::Refusal { .. } => "refused".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str) -> Request {
        Request { id: id.into(), content_type: "application/json".into(), body: b"{\"text\":\"secret\"}".to_vec() }
    }

    /// Predictions of the second class with these probabilities.
    fn answer(of: &[f64]) -> (Answer, Duration) {
        let records = of.iter().map(|p| {
            let (label, score) = if *p >= 0.5 { ("1", *p) } else { ("0", 1.0 - p) };
            serde_json::json!({"label": label, "score": score, "probabilities": {"0": 1.0 - p, "1": p}})
        });
        let body = serde_json::json!({"predictions": records.collect::<Vec<_>>()});
        (Ok(serde_json::from_value(body).unwrap()), Duration::from_millis(2))
    }

    fn failed() -> (Answer, Duration) {
        (Err("ModelError, status 500".into()), Duration::from_millis(9))
    }

    fn compared(bounds: &Shadow) -> ShadowPart {
        let mut all = Comparison::default();
        all.add(&request("same"), answer(&[0.9, 0.2]), answer(&[0.8, 0.2]));
        all.add(&request("other"), answer(&[0.6]), answer(&[0.3]));
        all.add(&request("fails"), answer(&[0.6]), failed());
        all.add(&request("fewer"), answer(&[0.6, 0.6]), answer(&[0.6]));
        all.add(&request("down"), failed(), failed());
        all.part("old", "new", "2026-11-30T00:00:00Z".into(), bounds)
    }

    #[test]
    fn figures_are_of_what_both_answered() {
        let part = compared(&Shadow::default());
        assert_eq!((part.requests, part.documents, part.changed), (5, 3, 1));
        assert_eq!((part.errors, part.live_errors), (2, 1));
        assert!((part.mean_difference - 0.4 / 3.0).abs() < 1e-12 && (part.largest_difference - 0.3).abs() < 1e-12);
        assert_eq!(part.changed_interval, wilson(1, 3));
        let [live, candidate] = [part.live_latency, part.candidate_latency].map(Option::unwrap);
        assert_eq!((live.calls, live.p99_ms, candidate.calls, candidate.p99_ms), (4, 2.0, 3, 2.0));
        let ids: Vec<&str> = part.examples.iter().map(|example| example.request.as_str()).collect();
        assert_eq!(ids, ["other", "fails", "fewer"]);
        assert_eq!(part.examples[0].candidate, "0 (0.7000)");
        assert!(!part.to_string().contains("secret") && !serde_json::to_string(&part).unwrap().contains("secret"));
    }

    #[test]
    fn each_bound_has_its_sentence() {
        let wide = Shadow { max_changed: 0.5, max_errors: 2, ..Shadow::default() };
        for (bounds, want) in [
            (wide.clone(), vec![]),
            (
                Shadow { max_changed: 0.33, ..wide.clone() },
                vec!["1 of 3 predictions changed, endpoint.shadow.max_changed is 0.33"],
            ),
            (Shadow { max_errors: 1, ..wide.clone() }, vec!["2 requests failed, endpoint.shadow.max_errors is 1"]),
            (
                Shadow { latency_p99_ms: Some(1.5), ..wide },
                vec!["p99 is 2.0 ms, endpoint.shadow.latency_p99_ms is 1.5"],
            ),
        ] {
            assert_eq!(compared(&bounds).refusals, want, "{bounds:?}");
        }
        let nothing = Comparison::default().part("old", "new", String::new(), &Shadow::default());
        assert_eq!(nothing.refusals, ["no document was answered by both; the live one failed 0 requests"]);
    }

    #[test]
    fn a_refused_document_is_another_prediction() {
        let refusal = |body: &str| (Ok(serde_json::from_str(body).unwrap()), Duration::ZERO);
        let mut all = Comparison::default();
        all.add(&request("a"), answer(&[0.6]), refusal(r#"{"predictions": [{"error": "secret is no document"}]}"#));
        let part = all.part("old", "new", String::new(), &Shadow::default());
        assert_eq!((part.changed, part.largest_difference), (1, 1.0));
        assert_eq!(part.examples[0].candidate, "refused");
    }
}
