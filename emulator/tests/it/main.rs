//! The emulator from outside, a module a subject.

mod alarms;
mod autoscaling;
mod capture;
mod containers;
mod endpoints;
mod faults;
mod lab;
mod logs;
mod processing;
mod regions;
mod registry;
mod resources;
mod rollout;
mod s3;
mod schedules;
mod shadow;
mod state;
mod topics;
mod training;
mod transform;
mod tuning;
