//! The text classifier as a library: analyzer, TF-IDF, sparse records, classifiers, explanation, the artifact on disk.
//!
//! Text becomes numbers in [`corpus`] ([`TfidfParams::fit_transform`]), numbers a classifier in [`classifier`]
//! ([`fit_classifier`]), and both together, a [`TextClassifier`], a folder on disk that [`Artifact`] opens by memory map.
//! No network, no environment variables, no SageMaker.

mod analyzer;
pub mod artifact;
pub mod calibration;
pub mod chi2;
pub mod classifier;
pub mod corpus;
pub mod counts;
pub mod error;
pub mod forest;
pub mod language;
pub mod lexicon;
pub mod linear;
mod map;
pub mod personal;
pub mod random;
pub mod records;
mod room;
pub mod settings;
pub mod tfidf;
pub mod threads;
pub mod tree;
mod vocabulary;

pub use artifact::manifest::{DataDigest, Manifest, Provenance};
pub use artifact::{
    Artifact, Contribution, DocumentValues, Explanation, Identity, MOST_SPANS, Prediction, Span, TermsOfClass,
    TextClassifier,
};
pub use calibration::Calibration;
pub use classifier::{
    Classifier, Dataset, FitOptions, Fitted, Forest, Linear, Link, Progress, Tree, Watch, fit_classifier,
    fit_classifier_with,
};
pub use corpus::{CharKind, Corpus, CorpusBuilder, CorpusParams, Featurizer, Fits, Tokenizer, Tokenizers, Tokens};
pub use counts::Counts;
pub use error::{ArtifactError, ExplainError, FitError, NotLinear};
pub use random::SplitMix64;
pub use records::{Block, Records, TermFrequency};
pub use settings::{Algorithm, ClassWeight, Loss, SettingError, Settings, Solver};
pub use tfidf::{AnalyzerKind, Frequency, Norm, StopWords, StripAccents, TfidfParams, TokenPattern, Weighting};
