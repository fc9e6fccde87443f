//! The processing container that watches captured traffic: the program monitor and its library
