//! A folder with data, settings and state of its own, and the executable in it.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

/// A project in a temporary folder.
pub struct Project {
    folder: TempDir,
}

/// What a command came to.
pub struct Done {
    command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Fails the test, showing everything, if the exit code is another.
    #[track_caller]
    pub fn exit(self, code: i32) -> Self {
        let Done { command, stdout, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "\n$ orchestrator {command}\n-- stdout\n{stdout}\n-- stderr\n{stderr}");
        self
    }

    /// The result of `--json`.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}\n{}", self.stdout, self.stderr))
    }
}

impl Project {
    /// With a small data set that is easily learned.
    pub fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        project.write("data/train.csv", reviews(40, 0));
        project.write("data/test.csv", reviews(12, 40));
        project.write("pipeline.toml", "project = \"story\"\n");
        project
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The executable, to be started in the folder, with nothing of the caller's environment that it would heed.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchestrator"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in
            ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_SHA", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION"]
        {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Done {
        done(args, self.command(args).output().unwrap())
    }

    /// Every file below the folder with its length: what a refused command must not change.
    pub fn listing(&self) -> BTreeMap<PathBuf, u64> {
        let mut all = BTreeMap::new();
        walk(self.folder.path(), &mut all);
        all
    }

    /// An emulator in a process of its own, and where it answers.
    pub fn emulator(&self) -> Emulator {
        self.emulator_with(|_| {})
    }

    /// The same, with further arguments or variables.
    pub fn emulator_with(&self, change: impl FnOnce(&mut Command)) -> Emulator {
        let mut command = self.command(&["emulator", "--json"]);
        change(&mut command);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        while !said.trim_end().ends_with('}') {
            assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "the emulator ended: {said}");
        }
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        Emulator { url: said["url"].as_str().unwrap().to_owned(), child }
    }

    /// Processes that have this folder on their command line.
    pub fn processes(&self) -> Vec<String> {
        self.running().into_iter().map(|(_, line)| line).collect()
    }

    /// The process among them whose command line has this too.
    pub fn process(&self, words: &str) -> Option<u32> {
        self.running().into_iter().find(|(_, line)| line.contains(words)).map(|(id, _)| id)
    }

    fn running(&self) -> Vec<(u32, String)> {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            // A process may end while it is looked at; then it is none.
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok())
                && line.contains(&folder)
            {
                found.push((id, line));
            }
        }
        found
    }
}

/// A running `orchestrator emulator`; ended when dropped.
pub struct Emulator {
    pub url: String,
    child: Child,
}

impl Emulator {
    /// Asks it to stop and gives back its exit code.
    pub fn stop(mut self) -> Option<i32> {
        signal(self.child.id(), "TERM");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // After `stop` there is nothing left to end.
        if let Ok(None) = self.child.try_wait() {
            signal(self.child.id(), "TERM");
            let _ = self.child.wait();
        }
    }
}

/// Sends a signal by name.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

pub fn done(args: &[&str], output: Output) -> Done {
    Done {
        command: args.join(" "),
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn walk(folder: &Path, all: &mut BTreeMap<PathBuf, u64>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.insert(path.clone(), 0);
            walk(&path, all);
        } else {
            all.insert(path.clone(), path.metadata().unwrap().len());
        }
    }
}

/// `rows` reviews, half of each class, no two alike; `from` keeps two files apart.
pub fn reviews(rows: usize, from: usize) -> String {
    const THINGS: [&str; 7] = ["kettle", "lamp", "train ride", "haircut", "router", "rain coat", "lunch"];
    const GOOD: [&str; 4] =
        ["excellent, I love it", "great and easy to use", "perfect, very happy", "lovely, would recommend"];
    const BAD: [&str; 4] =
        ["terrible, it broke", "a waste of money", "useless, I want a refund", "awful, very disappointed"];
    let mut csv = String::from("review_text,sentiment\n");
    for row in from..from + rows {
        let (words, label) = if row % 2 == 0 { (GOOD, 1) } else { (BAD, 0) };
        let (thing, opinion) = (THINGS[row / 2 % THINGS.len()], words[row / 2 % words.len()]);
        csv.push_str(&format!("\"The {thing}, number {row}: {opinion}.\",{label}\n"));
    }
    csv
}
