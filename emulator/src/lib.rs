//! SageMaker, its runtime and S3 on loopback, doing the work for real
