//! The hosting container: the program serve and its library
