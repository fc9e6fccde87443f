//! Ctrl-C in the middle: nothing is left running, and the next run goes on.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::cli::{Project, reviews, signal};

/// Stops `run` with `name` as soon as `until` is said on stderr.
fn interrupt(project: &Project, until: &str, name: &str) -> (Option<i32>, String) {
    let mut child = project.command(&["run"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while stderr.read_line(&mut said).unwrap() > 0 {
        if said.lines().last().is_some_and(|line| line.starts_with(until)) {
            signal(child.id(), name);
        }
    }
    (child.wait().unwrap().code(), said)
}

#[test]
fn after_an_interrupt_the_next_run_goes_on() {
    let project = Project::new();
    // Enough rows that every stage is still under way when the signal comes.
    project.write("data/train.csv", reviews(4000, 0));
    project.write("data/test.csv", reviews(400, 4000));
    for (until, name) in [("data", "INT"), ("train", "TERM"), ("register", "INT"), ("deploy", "INT")] {
        let (code, said) = interrupt(&project, until, name);
        assert_eq!(code, Some(130), "{until}: {said}");
        assert!(said.contains("\ninterrupted: ") && said.contains("hint: repeat the command"), "{said}");
        assert_eq!(project.processes(), Vec::<String>::new(), "{until}: nothing is left running");
    }
    project.run(&["run"]).exit(0);
    assert_eq!(project.processes(), Vec::<String>::new());
}
