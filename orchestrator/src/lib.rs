//! The command line that drives an account
