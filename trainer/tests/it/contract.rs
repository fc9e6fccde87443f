//! How SageMaker and its Python SDK hand a job over.

use crate::job::{Job, MORE_REVIEWS, REVIEWS};

#[test]
fn values_and_keys_of_the_python_sdk() {
    let job = Job::asking(&[
        ("text_column", "\"review_text\""),
        ("C", "\"2.5\""),
        ("sagemaker_program", "\"train.py\""),
        ("sagemaker_submit_directory", "\"s3://b/x\""),
    ]);
    let ran = job.train();
    assert_eq!(job.evaluation().training.parameters["C"], "2.5");
    assert!(ran.stdout.contains("hyperparameter sagemaker_program is SageMaker's own: passed over"), "{}", ran.stdout);
}

#[test]
fn channels_are_those_of_the_configuration() {
    let job = Job::reviews();
    job.put("input/data/extra/notes.txt", b"not ours");
    job.put(
        "input/config/inputdataconfig.json",
        br#"{"train": {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated",
             "RecordWrapperType": "None"}, "extra": {"TrainingInputMode": "FastFile"}}"#,
    );
    job.put(
        "input/config/resourceconfig.json",
        br#"{"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}"#,
    );
    let ran = job.train();
    assert!(ran.stdout.contains("channel extra: nothing reads it"), "{}", ran.stdout);
    assert!(ran.stdout.contains("no channel `test`"), "the folder is there, the job has no such channel");
}

#[test]
fn the_word_train_is_understood() {
    let job = Job::reviews();
    let root = job.path("");
    let ran = crate::job::run(&["train".as_ref(), "--ml-root".as_ref(), &root]);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
}

#[test]
fn the_library_does_what_the_program_does() {
    let job = Job::with(&[("input/data/train/a.csv", REVIEWS), ("input/data/test/a.csv", MORE_REVIEWS)]);
    let code = trainer::main(["--ml-root".into(), job.path("").into_os_string()]);
    assert_eq!(format!("{code:?}"), format!("{:?}", std::process::ExitCode::SUCCESS));
    assert_eq!(job.evaluation().rows, 6);
}
