//! The training container: the program train and its library
