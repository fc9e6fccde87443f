//! SIGTERM and SIGINT, really sent.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::job::{Job, Ran};

/// Rows that a solver takes many steps for, twice as many as words: they can just about be told apart. Words are drawn by a
/// small generator, labels by their sum.
fn slow(rows: usize) -> String {
    let mut state = 1u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut text = String::from("review_text,sentiment\n");
    for _ in 0..rows {
        let words: Vec<u64> = (0..40).map(|_| draw(rows as u64 / 2)).collect();
        let label = words.iter().filter(|&&word| word % 3 == 0).count() % 2;
        text.extend(words.iter().map(|word| format!("w{word} ")));
        text.push_str(&format!(",{label}\n"));
    }
    text
}

fn start(job: &Job) -> Child {
    Command::new(env!("CARGO_BIN_EXE_train"))
        .args(["--ml-root".as_ref(), job.path("").as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Sends `signal` when a line of the log begins with `after`, and waits for the end.
fn interrupted(job: &Job, signal: &str, after: &str) -> Ran {
    let mut child = start(job);
    let mut log = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    loop {
        let before = stdout.len();
        assert_ne!(log.read_line(&mut stdout).unwrap(), 0, "ended before {after:?}:\n{stdout}");
        if stdout[before..].starts_with(after) {
            break;
        }
    }
    send(signal, &child);
    log.read_to_string(&mut stdout).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran { code: output.status.code(), stdout, stderr: String::from_utf8(output.stderr).unwrap() }
}

/// So small a tolerance that the solver is at work for long.
const ASKED: &[(&str, &str)] = &[
    ("tune", "none"),
    ("solver", "sparse"),
    ("C", "10000"),
    ("tol", "1e-11"),
    ("max_iter", "100000"),
    ("ngram_range", "1,1"),
];

#[test]
fn a_terminated_fit_leaves_what_it_reached_and_is_taken_up() {
    let rows = slow(20_000);
    let job = Job::with(&[("input/data/train/a.csv", &rows), ("input/data/test/a.csv", &rows)]);
    job.ask(ASKED);
    let ran = interrupted(&job, "-TERM", "weighted: ");
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("SIGTERM: stopping at the next step of the solver"), "{ran:#?}");
    assert!(ran.stdout.contains("SIGTERM: stopped; the artifact is of a solver that has not converged"), "{ran:#?}");
    assert!(!job.path("output/data/evaluation.json").exists(), "what is not done is not evaluated");
    let partial = model::Artifact::open(&job.path("model")).unwrap();
    assert_eq!(partial.manifest().provenance.settings["converged"], "false");
    assert!(job.path("checkpoints/fit.checkpoint").exists());
    drop(partial);

    let ran = job.train();
    assert!(ran.stdout.contains("checkpoint: an interrupted fit of this job is taken up"), "{ran:#?}");
    assert!(!job.path("checkpoints/fit.checkpoint").exists(), "the next run starts afresh");
    let taken_up = job.evaluation();
    job.train();
    let afresh = job.evaluation();
    assert!((taken_up.metrics.log_loss - afresh.metrics.log_loss).abs() < 1e-6);
    for (one, other) in taken_up.golden.iter().zip(&afresh.golden) {
        assert!((one.score - other.score).abs() < 1e-5, "{one:?} {other:?}");
    }
}

#[test]
fn a_checkpoint_of_another_job_is_passed_over() {
    let job = Job::with(&[("input/data/train/a.csv", &slow(20_000))]);
    job.ask(ASKED);
    let ran = interrupted(&job, "-TERM", "weighted: ");
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    let mut other = ASKED.to_vec();
    other[2] = ("C", "1");
    other[3] = ("tol", "1e-4");
    job.ask(&other);
    let ran = job.train();
    assert!(ran.stdout.contains("is of other data, hyperparameters or another version: it is passed over"), "{ran:#?}");
    fs::create_dir_all(job.path("checkpoints")).unwrap();
    job.put("checkpoints/fit.checkpoint", b"{}");
    assert!(job.train().stdout.contains("is damaged: "));
}

#[test]
fn before_there_is_anything_to_keep_the_program_ends_at_once() {
    for (signal, name, code) in [("-TERM", "SIGTERM", 143), ("-INT", "SIGINT", 130)] {
        let job = Job::with(&[]);
        job.put("input/config/inputdataconfig.json", br#"{"train": {"TrainingInputMode": "Pipe"}}"#);
        fs::create_dir_all(job.path("input/data")).unwrap();
        let made = Command::new("mkfifo").arg(job.path("input/data/train_0")).status().unwrap();
        assert!(made.success());
        // Nobody ever writes to the FIFO: the program waits there.
        let mut child = start(&job);
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        send(signal, &child);
        log.read_to_string(&mut line).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{line}");
        let reason = fs::read_to_string(job.path("output/failure")).unwrap();
        assert_eq!(reason, format!("stopped by {name} (reading); nothing was fitted"));
        assert!(!job.path("model").exists());
    }
}
