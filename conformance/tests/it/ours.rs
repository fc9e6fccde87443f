//! Our own programs pass.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use conformance::{Program, Request, Subject, Verdict};

use crate::lab::{Lab, csv, example, failed, write};

fn rows() -> String {
    let mut rows = "review_text,sentiment\n".to_owned();
    for n in 0..20 {
        let _ = writeln!(rows, "\"works well, very happy with number {n}\",1");
        let _ = writeln!(rows, "\"broke at once, number {n} was a waste\",0");
    }
    rows
}

/// What `monitor` makes a baseline of: the artifact of `train`, and its file.
fn baseline(folder: &Path) {
    write(&folder.join("input/data/train/train.csv"), &rows());
    let arguments = ["--ml-root".into(), folder.as_os_str().to_owned()];
    assert_eq!(trainer::main(arguments), ExitCode::SUCCESS);
    let input = folder.join("processing");
    std::fs::create_dir_all(&input).expect("a folder");
    std::fs::rename(folder.join("model"), input.join("model")).expect("the artifact");
    write(&input.join("input/train/train.csv"), &rows());
}

#[tokio::test]
async fn our_programs_pass_everything() {
    let mut lab = Lab::new(&[]);
    let root = lab.path().to_path_buf();
    baseline(&root.join("baseline"));
    write(&root.join("reviews/train/train.csv"), &rows());
    write(&root.join("reviews/test/test.csv"), &rows());
    let plan = &mut lab.plan;
    plan.training.data = Some(root.join("reviews"));
    plan.training.hyperparameters =
        [("algorithm".to_owned(), "logistic".to_owned()), ("C".to_owned(), "0.5".to_owned())].into();
    plan.hosting.model = None; // what the training job left
    let json = |body: &str| Request {
        content_type: "application/json".to_owned(),
        accept: Some("application/json".to_owned()),
        body: Some(body.to_owned()),
        file: None,
        given: true,
    };
    plan.hosting.request =
        vec![csv("\"Works, and well.\"\n"), json(r#"{"text": "Works."}"#), json(r#"["One.", "Two."]"#)];
    plan.processing.input = Some(root.join("baseline/processing"));
    plan.processing.environment = [
        ("dataset_format", r#"{"csv":{"header":true}}"#),
        ("dataset_source", "/opt/ml/processing/input/train"),
        ("output_path", "/opt/ml/processing/baseline"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();

    let programs = example("programs");
    let mut program =
        Program::one(&format!("{} {{argument}} --ml-root {{ml_root}}", programs.display())).expect("a command");
    let monitor = format!("{} monitor --ml-root {{ml_root}}", programs.display());
    program.process = conformance::Template::parse(&monitor).ok();
    plan.hosting.bind_to_port = Some(true);
    let report = lab.judge(&Subject::Program(program)).await;
    assert_eq!(failed(&report), Default::default(), "{report}");
    let left = |id: &str| matches!(report.verdict(id), Some(Verdict::NotApplicable { .. }));
    let left: Vec<&str> = report.findings.iter().map(|finding| finding.check.id).filter(|id| left(id)).collect();
    let fair = |id: &&str| !id.starts_with("image.") && !id.ends_with("network-isolation");
    assert_eq!(left.into_iter().filter(fair).collect::<Vec<_>>(), Vec::<&str>::new(), "{report}");
}
