//! One disturbance of one command, and what came of it.

use std::{
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

use super::{left::left, story::Story};
use crate::{
    cli::{Done, Emulator, done, signal},
    faults::{faults, fired},
};

/// One disturbance of one command.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Kills the orchestrator where the answer hangs; else lets it run to its end.
    kill: bool,
    /// The rule in the emulator.
    pub rule: Value,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
    /// The disturbed command ended well by itself.
    Through,
    /// It said why it could not, with exit code 1.
    Failed(String),
    /// It was killed.
    Killed,
    /// The call was not reached: polls are not always as many.
    NotReached,
}

impl Cell {
    /// The `nth` call of an operation, in one of the ways: an effect of the emulator's rules, or `kill`.
    pub fn new(way: &str, operation: &str, nth: usize) -> Cell {
        let (kill, effect) = if way == "kill" { (true, "hang") } else { (false, way) };
        Cell { kill, rule: json!({ "operation": operation, "nth": nth, "effect": effect, "delay_ms": 200 }) }
    }

    /// Runs the command with the disturbance, then without.
    pub fn disturb(&self, story: &Story) -> Result<Came, String> {
        let (project, emulator) = story.begin(|project| project.emulator());
        faults(&emulator, "POST", &self.rule);
        let child = project.command(story.command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let came = if self.kill { kill_at_hang(story, child, &emulator) } else { end(story, child, &emulator) };
        faults(&emulator, "DELETE", &Value::Null);
        if let Came::Failed(said) = &came
            && !said.contains("error: ")
        {
            return Err(format!("{self:?}: ended without a word: {said}"));
        }
        let Done { code, stderr, .. } = project.run(story.command);
        if code != Some(story.exit) {
            return Err(format!("{self:?} {came:?}: the next run ends with {code:?}: {stderr}"));
        }
        let (found, (wanted, _)) = (left(&project, &emulator), story.undisturbed());
        if found != *wanted {
            let other = wanted.as_object().unwrap().iter().filter(|(part, what)| found[part.as_str()] != **what);
            let other: Vec<_> =
                other.map(|(part, what)| format!("{part}: {} instead of {what}", found[part.as_str()])).collect();
            return Err(format!("{self:?} {came:?}:\n  {}", other.join("\n  ")));
        }
        Ok(came)
    }
}

fn kill_at_hang(story: &Story, mut child: Child, emulator: &Emulator) -> Came {
    loop {
        if fired(emulator) > 0 {
            signal(child.id(), "KILL");
            child.wait().unwrap();
            return Came::Killed;
        }
        if child.try_wait().unwrap().is_some() {
            return end(story, child, emulator);
        }
        sleep(Duration::from_millis(5));
    }
}

fn end(story: &Story, child: Child, emulator: &Emulator) -> Came {
    let Done { code, stderr, .. } = done(story.command, child.wait_with_output().unwrap());
    match code {
        code if code != Some(story.exit) => Came::Failed(format!("{code:?}: {stderr}")),
        _ if fired(emulator) == 0 => Came::NotReached,
        _ => Came::Through,
    }
}
