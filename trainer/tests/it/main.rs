//! The trainer from outside: the library over recorded figures, the program over folders as SageMaker lays them out.

mod calibration;
mod contract;
mod counting;
mod data;
mod datasets;
mod job;
mod metrics;
mod quality;
mod reading;
mod refusals;
mod signals;
mod training;
mod tune;
