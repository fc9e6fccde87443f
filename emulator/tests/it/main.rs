//! The emulator from outside, a module a subject.

mod s3;
