//! Metric definitions: numbers found in a job's lines.

use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;
use serde_json::Value;

use crate::{sagemaker::Metric, time};

/// Somebody who is told every value as it is said, by its metric's name.
pub(crate) type Heard = Arc<dyn Fn(&str, f64) + Send + Sync>;

/// The metrics of one job; the last value of each counts.
pub(crate) struct Watched {
    definitions: Vec<(String, Regex)>,
    last: Mutex<Vec<Option<Metric>>>,
    heard: Option<Heard>,
}

impl Watched {
    /// From `MetricDefinitions`; the reason where an expression does not compile.
    pub fn new(definitions: &Value) -> Result<Watched, String> {
        let definitions = definitions.as_array().into_iter().flatten().map(|definition| {
            let text = |member: &str| definition[member].as_str().unwrap_or_default();
            let (name, expression) = (text("Name"), text("Regex"));
            let compiled = Regex::new(expression);
            let compiled =
                compiled.map_err(|e| format!("Invalid regular expression '{expression}' of metric {name}: {e}"))?;
            Ok((name.to_owned(), compiled))
        });
        let definitions = definitions.collect::<Result<Vec<_>, String>>()?;
        let last = Mutex::new(vec![None; definitions.len()]);
        Ok(Watched { definitions, last, heard: None })
    }

    /// The same, telling `heard` too.
    pub fn telling(self, heard: Option<Heard>) -> Watched {
        Watched { heard, ..self }
    }

    /// Looks at one line.
    pub fn see(&self, line: &str) {
        for (i, (name, expression)) in self.definitions.iter().enumerate() {
            let found = expression.captures_iter(line).filter_map(|c| c.get(1)?.as_str().parse::<f64>().ok()).last();
            if let Some(value) = found.filter(|value| value.is_finite()) {
                let metric = Metric { name: name.clone(), value, at: time::now() };
                self.last.lock().unwrap_or_else(PoisonError::into_inner)[i] = Some(metric);
                if let Some(heard) = &self.heard {
                    heard(name, value);
                }
            }
        }
    }

    /// The last values, in the order of the definitions.
    pub fn last(&self) -> Vec<Metric> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_number_of_each_metric_counts() {
        let definition = |name: &str| json!({"Name": name, "Regex": format!(r"\b{name}=([-+0-9.eE]+);")});
        let watched = Watched::new(&json!([definition("accuracy"), definition("log_loss")])).expect("definitions");
        for line in ["accuracy=0.5; log_loss=1e-1;", "top_accuracy=9;", "accuracy=0.75; accuracy=0.8;", "log_loss=-;"] {
            watched.see(line);
        }
        let values: Vec<_> = watched.last().into_iter().map(|m| (m.name, m.value)).collect();
        assert_eq!(values, [("accuracy".to_owned(), 0.8), ("log_loss".to_owned(), 0.1)]);
    }

    #[test]
    fn an_expression_that_does_not_compile_is_named() {
        let error = Watched::new(&json!([{"Name": "a", "Regex": "("}])).err().expect("refused");
        assert!(error.contains("'('") && error.contains("metric a"), "{error}");
    }
}
