//! A folder laid out as `/opt/ml`, and the program run over it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use report::Evaluation;

/// A training job's folder, gone when dropped.
pub struct Job(tempfile::TempDir);

/// What the program did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Thirty rows that a word decides: `review_text,sentiment`.
pub const REVIEWS: &str = "review_text,sentiment\n\
    a great kettle,1\nawful kettle and slow,0\ngreat sound,1\nthe sound is awful,0\n\
    great boots and warm,1\nboots are awful,0\na great sofa,1\nan awful sofa,0\n\
    \"great, really great\",1\n\"awful, really awful\",0\n";

/// Six rows of the same kind.
pub const MORE_REVIEWS: &str = "review_text,sentiment\n\
    great phone,1\nawful phone,0\nthe tent is great,1\nthe tent is awful,0\ngreat,1\nawful,0\n";

impl Job {
    /// With these files, paths below the root.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let job = Self(tempfile::tempdir().unwrap());
        for (path, content) in files {
            job.put(path, content.as_bytes());
        }
        job
    }

    /// With [`REVIEWS`] to learn from and [`MORE_REVIEWS`] to measure.
    pub fn reviews() -> Self {
        Self::with(&[("input/data/train/train.csv", REVIEWS), ("input/data/test/test.csv", MORE_REVIEWS)])
    }

    /// With [`REVIEWS`] and hyperparameters as SageMaker writes them.
    pub fn asking(hyperparameters: &[(&str, &str)]) -> Self {
        let job = Self::reviews();
        job.ask(hyperparameters);
        job
    }

    /// Writes `hyperparameters.json`.
    pub fn ask(&self, hyperparameters: &[(&str, &str)]) {
        let map: serde_json::Map<String, serde_json::Value> =
            hyperparameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self.put("input/config/hyperparameters.json", &serde_json::to_vec(&map).unwrap());
    }

    pub fn put(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn put_gzip(&self, path: &str, content: &[u8]) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        self.put(path, &encoder.finish().unwrap());
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// Runs the executable over the folder.
    pub fn run(&self) -> Ran {
        run(&["--ml-root".as_ref(), self.0.path()])
    }

    /// Runs the executable on so many threads.
    pub fn run_on(&self, threads: &str) -> Ran {
        run(&["--ml-root".as_ref(), self.0.path(), "--threads".as_ref(), threads.as_ref()])
    }

    /// Runs it, which must succeed.
    pub fn train(&self) -> Ran {
        let ran = self.run();
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        assert!(!self.path("output/failure").exists());
        ran
    }

    /// Runs it, which must fail with one reason on stderr and in `output/failure`, and leave nothing else. The reason
    /// is told with the root's own path taken out.
    pub fn refused(&self) -> String {
        let ran = self.run();
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        let left = fs::read_to_string(self.path("output/failure")).unwrap();
        assert_eq!(left, ran.stderr.trim_end(), "failure and stderr tell the same");
        assert!(!self.path("model").exists(), "nothing is left in model/");
        assert!(!self.path("output/data").exists(), "nothing is left in output/data/");
        left.replace(&self.0.path().display().to_string(), "ROOT")
    }

    pub fn evaluation(&self) -> Evaluation {
        serde_json::from_slice(&fs::read(self.path("output/data/evaluation.json")).unwrap()).unwrap()
    }

    /// Name and bytes of every file in `model/`.
    pub fn artifact(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.path("model"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

/// Runs the executable `train`.
pub fn run(args: &[&Path]) -> Ran {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_train")).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}
