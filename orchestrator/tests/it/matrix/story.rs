//! What is disturbed: a command over a small project, and what came before it.

use std::sync::OnceLock;

use serde_json::Value;

use super::left::left;
use crate::cli::{Emulator, Project, reviews};

/// A command, and what it leaves where nothing disturbs it.
pub struct Story {
    pub name: &'static str,
    pub command: &'static [&'static str],
    /// Of the command, where all is well.
    pub exit: i32,
    /// Commands that nothing disturbs.
    before: &'static [&'static [&'static str]],
    /// Settings of the disturbed command, beside the project's name.
    settings: &'static str,
    /// How many of a kind there are in the end.
    leaves: &'static [(&'static str, usize)],
    undisturbed: OnceLock<(Value, Vec<String>)>,
}

/// From labelled text to a watched endpoint.
pub static LOOP: Story = Story {
    name: "loop",
    command: &["run"],
    exit: 0,
    before: &[],
    settings: "[gate]\naccuracy = 0.5\n",
    leaves: &[
        ("training jobs", 1),
        ("models", 1),
        ("endpoint configs", 1),
        ("packages", 1),
        ("schedules", 1),
        ("alarms", 6),
    ],
    undisturbed: OnceLock::new(),
};

/// A search, and its best settings on all rows.
pub static SEARCH: Story = Story {
    name: "search",
    command: &["tune"],
    exit: 0,
    before: &[&["data"]],
    settings: "[tune]\nstrategy = \"grid\"\nmax_parallel = 1\n[tune.ranges]\nC = [0.5, 1.0]\n",
    leaves: &[("tuning jobs", 1), ("training jobs", 3)],
    undisturbed: OnceLock::new(),
};

/// Predictions of a file through the approved model.
pub static BATCH: Story = Story {
    name: "batch",
    command: &["transform", "batch/a.jsonl", "--join", "--input-filter", "$.text"],
    exit: 0,
    before: &[&["data"], &["train"], &["evaluate"], &["register"], &["approve", "--reason", "seen"]],
    settings: "[gate]\naccuracy = 0.5\n",
    leaves: &[("transform jobs", 1), ("models", 1), ("training jobs", 1)],
    undisturbed: OnceLock::new(),
};

/// Monitoring that finds a violation, where there were no alarms yet, and somebody to tell.
pub static WATCH: Story = Story {
    name: "watch",
    command: &["monitor"],
    exit: 3,
    before: &[&["run", "--config", "quiet.toml"]],
    settings: "[gate]\naccuracy = 0.5\n[monitor]\nconfig = \"rules.toml\"\n[alarms]\nemail = [\"ops@example.com\"]\n",
    leaves: &[("schedules", 1), ("alarms", 6), ("topics", 1), ("subscriptions", 1)],
    undisturbed: OnceLock::new(),
};

impl Story {
    /// A project and its emulator, as they are before the command.
    pub fn begin(&self, emulator: impl FnOnce(&Project) -> Emulator) -> (Project, Emulator) {
        let project = Project::new();
        project.write("data/test.csv", reviews(6, 40));
        project.write("batch/a.jsonl", "{\"text\": \"excellent, I love it\"}\n{\"text\": \"terrible, it broke\"}\n");
        project.write("rules.toml", "[[rules]]\nname = \"any\"\nwhen = 'documents >= 0'\n");
        project.write("quiet.toml", "project = \"story\"\n[gate]\naccuracy = 0.5\n[alarms]\nenabled = false\n");
        project.write("pipeline.toml", format!("project = \"story\"\n{}", self.settings));
        let emulator = emulator(&project);
        for command in self.before {
            project.run(command).exit(0);
        }
        (project, emulator)
    }

    /// What an undisturbed command leaves, and the operations that it calls, in order.
    pub fn undisturbed(&self) -> &(Value, Vec<String>) {
        self.undisturbed.get_or_init(|| {
            let (project, emulator) = self.begin(|project| {
                let record = project.path("calls.jsonl");
                project.emulator_with(|command| {
                    command.env("SAGEBRUSH_RECORD", record);
                })
            });
            let record = project.path("calls.jsonl");
            let before = std::fs::read_to_string(&record).unwrap_or_default().lines().count();
            project.run(self.command).exit(self.exit);
            let calls = std::fs::read_to_string(&record).unwrap();
            let operation =
                |line: &str| serde_json::from_str::<Value>(line).unwrap()["operation"].as_str().unwrap().to_owned();
            let calls = calls.lines().skip(before).map(operation).collect();
            let left = left(&project, &emulator);
            for (kind, many) in self.leaves {
                assert_eq!(left[kind].as_array().map(Vec::len), Some(*many), "{kind}: {left:#}");
            }
            (left, calls)
        })
    }
}
