//! `orchestrator conformance`, of this very executable as the container.

use crate::cli::Project;

#[test]
fn our_own_container_passes_and_what_is_no_server_fails_by_name() {
    let project = Project::new();
    project.write("channels/train/train.csv", crate::cli::reviews(40, 0));
    let program = env!("CARGO_BIN_EXE_orchestrator");
    let command = format!("{program} container {{argument}} --ml-root {{ml_root}}");
    let arguments = ["conformance", &command, "--data", "channels", "--bind-to-port", "--multi-model"];
    let request = ["--body", "Works well.", "--accept", "text/csv", "--json"];
    let done = project.run(&[&arguments[..], &request].concat()).exit(0);
    let report = done.json();
    assert_eq!(report["failed"], 0);
    assert!(report["passed"].as_u64() > Some(35), "{}", done.stdout);

    // The trainer in place of the server ends by itself.
    let command = format!("{program} container train --ml-root {{ml_root}}");
    let done = project.run(&["conformance", "--serve", &command, "--model", "channels", "--bind-to-port"]).exit(1);
    assert!(done.stdout.contains("FAIL hosting.start"), "{}", done.stdout);
    assert!(done.stderr.contains("checks failed"), "{}", done.stderr);
}

#[test]
fn usage_is_exit_2_and_needs_no_settings() {
    let project = Project::new();
    project.write("pipeline.toml", "this is no TOML");
    let done = project.run(&["conformance", "serve --port {port}"]).exit(2);
    assert!(
        done.stderr.starts_with("error: `serve --port {port}` does not say where its folder is"),
        "{}",
        done.stderr
    );
    assert_eq!(done.stdout, "");
}
