//! Subjects and what they are given.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use conformance::{Contract, Limits, Plan, Program, Report, Request, Subject, Template, Verdict};
use tempfile::TempDir;

/// An example of this crate: cargo builds them beside the tests.
pub fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let path = test.with_file_name("../examples").join(name);
    assert!(path.exists(), "{} is built by `cargo test`; build it with `cargo build --examples`", path.display());
    path
}

/// The container of the tests, told its port by its command line.
pub fn container() -> Subject {
    let example = example("subject");
    let template = |rest: &str| Template::parse(&format!("{} {rest} --ml-root {{ml_root}}", example.display()));
    Subject::Program(Program {
        train: template("train").ok(),
        serve: template("serve --port {port}").ok(),
        process: template("process").ok(),
    })
}

/// The same, told its port by the variable.
pub fn container_bound_by_variable() -> Subject {
    Subject::Program(
        Program::one(&format!("{} {{argument}} --ml-root {{ml_root}}", example("subject").display()))
            .expect("a command"),
    )
}

/// Everything that the container needs to be judged in full.
pub struct Lab {
    folder: TempDir,
    pub plan: Plan,
}

impl Lab {
    pub fn new(contracts: &[Contract]) -> Lab {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |below: &str, text: &str| write(&folder.path().join(below), text);
        write("data/train/a.csv", "1,2\n");
        write("data/test/a.csv", "1,2\n");
        write("model/name", "a model");
        write("input/input/in.txt", "some text");
        fs::create_dir_all(folder.path().join("bad")).expect("a folder");
        let path = |below: &str| Some(folder.path().join(below));
        let record = "a record as long as a short review, so that six megabytes are not too many of them\n".to_owned();
        let mut plan = Plan { contracts: contracts.iter().copied().collect(), ..Plan::default() };
        plan.training.data = path("data");
        plan.training.hyperparameters =
            [("mode".to_owned(), "fast".to_owned()), ("rounds".to_owned(), "3".to_owned())].into();
        plan.hosting.model = path("model");
        plan.hosting.multi_model = Some(true);
        plan.hosting.request = vec![csv(&record), csv(&record.repeat(2))];
        plan.processing.input = path("input");
        plan.processing.bad_input = path("bad");
        // A container that does not answer or end is waited for no longer than this.
        plan.limits = Limits {
            startup_seconds: 60,
            ping_seconds: 5,
            invocation_seconds: 60,
            serve_stop_seconds: 2,
            train_stop_seconds: 1,
            job_seconds: 60,
        };
        Lab { folder, plan }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn with_defect(mut self, defect: &str) -> Lab {
        let Plan { training, hosting, processing, .. } = &mut self.plan;
        for environment in [&mut training.environment, &mut hosting.environment, &mut processing.environment] {
            environment.insert("DEFECT".to_owned(), defect.to_owned());
        }
        self
    }

    pub async fn judge(&self, subject: &Subject) -> Report {
        conformance::run(subject, &self.plan, &|_| {}).await.expect("the kit does its work")
    }
}

pub fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("a file");
}

pub fn csv(body: &str) -> Request {
    Request {
        content_type: "text/csv".to_owned(),
        accept: Some("text/csv".to_owned()),
        body: Some(body.to_owned()),
        file: None,
        given: true,
    }
}

/// The names of the checks that failed.
pub fn failed(report: &Report) -> BTreeSet<&str> {
    let failed = report.findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Fail { .. }));
    failed.map(|finding| finding.check.id).collect()
}
