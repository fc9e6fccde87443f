//! What is said where images are to be run in containers and cannot be. The loop through the real image is in `.ci/run`.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::cli::{Done, Project, done};

/// `orchestrator run` with podman as the runtime and `path` as all that can be found.
fn run(project: &Project, path: &str) -> Done {
    project.write("pipeline.toml", "project = \"story\"\n[local]\nruntime = \"podman\"\nimage = \"mine:7\"\n");
    done(&["run"], project.command(&["run"]).env("PATH", project.path(path)).output().unwrap())
}

#[test]
fn a_missing_engine_is_named_with_the_way_around_it() {
    let project = Project::new();
    let refused = run(&project, "nothing").exit(1);
    for part in [
        "error: the emulator does not start",
        "images cannot be run: `podman` cannot be run (",
        "hint: with runtime = \"process\" below [local]",
    ] {
        assert!(refused.stderr.contains(part), "{part}\n{}", refused.stderr);
    }
}

#[test]
fn a_missing_image_is_named_with_what_builds_it() {
    let project = Project::new();
    // An engine with no image at all.
    let engine = "#!/bin/sh\n[ \"$1\" = version ] && exit 0\necho \"Error: $5: image not known\" >&2\nexit 125\n";
    project.write("bin/podman", engine);
    fs::set_permissions(project.path("bin/podman"), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = run(&project, "bin").exit(1);
    for part in [
        "error: the image cannot be run here",
        "podman has no image `mine:7`, and none is pulled here",
        "hint: build it: image/build --tag mine:7",
    ] {
        assert!(refused.stderr.contains(part), "{part}\n{}", refused.stderr);
    }
    assert!(!project.path("run.json").exists(), "nothing was done");
}
