//! The text classifier as a library: analyzer, TF-IDF, sparse records, classifiers, explanation, the artifact on disk
