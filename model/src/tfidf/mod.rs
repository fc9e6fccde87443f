//! TF-IDF.
mod params;
use crate::{FitError, Records};
pub use params::{AnalyzerKind, Frequency, Norm, StopWords, StripAccents, TfidfParams};
/// Fitted.
#[derive(Debug, Clone)]
pub struct Tfidf {
    params: TfidfParams,
}
impl TfidfParams {
    /// Provisional.
    pub fn fit_transform<D: AsRef<str>>(&self, _documents: &[D]) -> Result<(Tfidf, Records), FitError> {
        unimplemented!()
    }
}
impl Tfidf {
    /// Provisional.
    pub fn transform<D: AsRef<str>>(&self, _documents: &[D]) -> Records {
        unimplemented!()
    }
    /// Number of terms.
    pub fn len(&self) -> usize {
        0
    }
    /// No terms.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Terms in their order.
    pub fn terms(&self) -> impl ExactSizeIterator<Item = &str> {
        [].into_iter()
    }
    /// Inverse document frequencies.
    pub fn idf(&self) -> &[f64] {
        &[]
    }
    /// What it was fitted with.
    pub fn params(&self) -> &TfidfParams {
        &self.params
    }
}
