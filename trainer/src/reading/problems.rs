//! What is wrong with the data, collected so that one run names the first ten faults and not only the first.

use std::fmt;

/// How many problems are listed in full.
const LISTED: usize = 10;

/// Faults of the data in the order they were met; shown one a line, the first ten in full.
#[derive(Debug, Default)]
pub struct Problems {
    listed: Vec<String>,
    more: u64,
}

impl Problems {
    /// Notes one fault: where it is, what was found, what was expected.
    pub fn add(&mut self, problem: String) {
        if self.listed.len() < LISTED {
            self.listed.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Notes faults that are not told one by one.
    pub fn add_more(&mut self, more: u64) {
        self.more += more;
    }

    /// Adds all of `other` behind.
    pub fn append(&mut self, other: Self) {
        other.listed.into_iter().for_each(|problem| self.add(problem));
        self.more += other.more;
    }

    /// Whether nothing was noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.more == 0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.listed.join("\n"))?;
        if self.more > 0 {
            write!(f, "\nand {} more", self.more)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ten_are_listed_and_the_rest_counted() {
        let mut problems = Problems::default();
        for n in 1..=12 {
            problems.add(format!("row {n}"));
        }
        let shown = problems.to_string();
        assert_eq!(shown.lines().count(), 11);
        assert!(shown.starts_with("row 1\nrow 2\n"));
        assert!(shown.ends_with("row 10\nand 2 more"));
    }
}
