//! Statistics against scipy's and statsmodels', rules against evidence made by hand.

mod evidence;
mod rules;
mod stats;
