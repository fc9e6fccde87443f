//! S3 over a versioned file store.
//!
//! [`Store`] is the store itself, which the emulator's other services read and write directly; [`service()`] is S3's
//! protocol over it for any client. Any credentials are accepted, signed or not: `front` takes signatures off and
//! decodes bodies framed as `aws-chunked`, the crate `s3s` speaks the protocol, and the `service` folder answers.

mod access;
mod bucket;
mod checksum;
mod chunked;
mod error;
mod front;
mod index;
mod journal;
mod key;
mod listing;
mod multipart;
mod object;
mod service;
mod staging;
mod store;

pub use error::StoreError;
pub use front::{Service, service};
pub use object::ObjectInfo;
pub use store::Store;
