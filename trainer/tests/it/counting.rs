//! From files to counts: the format leaves no trace, and a bound on the memory is kept to by pruning that is told.

use std::fmt::Write;

use crate::job::Job;

/// Rows that each have a class, and words of which some stand in two rows, some in many.
fn rows() -> Vec<(String, usize)> {
    (0..400usize)
        .map(|row| {
            let class = row % 2;
            let mut text = format!("c{class}lass, \"row\" ");
            for word in 0..20 {
                let _ = write!(text, "w{} r{} ", (row * 7 + word * word) % 97, (row * 20 + word) % 4000);
            }
            (text, class)
        })
        .collect()
}

fn csv(rows: &[(String, usize)]) -> String {
    let mut file = String::from("review_text,sentiment\n");
    for (text, class) in rows {
        let _ = writeln!(file, "\"{}\",{class}", text.replace('"', "\"\""));
    }
    file
}

fn json_lines(rows: &[(String, usize)]) -> String {
    rows.iter()
        .map(|(text, class)| {
            format!("{}\n", serde_json::json!({ "review_text": text, "sentiment": class.to_string() }))
        })
        .collect()
}

/// The files but the manifest, which names the files it was trained on.
fn learned(job: &Job) -> Vec<(String, Vec<u8>)> {
    job.artifact().into_iter().filter(|(name, _)| name != "manifest.json").collect()
}

#[test]
fn the_same_rows_in_any_format_leave_the_same_model() {
    let rows = rows();
    let (csv, lines) = (csv(&rows), json_lines(&rows));
    let asked = [("tune", "none"), ("ngram_range", "1,2"), ("min_df", "2"), ("sublinear_tf", "true"), ("C", "10")];
    let trained = |file: &str, content: &str, gzip: bool| {
        let job = Job::with(&[]);
        let path = format!("input/data/train/{file}");
        match gzip {
            true => job.put_gzip(&path, content.as_bytes()),
            false => job.put(&path, content.as_bytes()),
        }
        job.ask(&asked);
        job.train();
        learned(&job)
    };
    let wanted = trained("train.csv", &csv, false);
    assert_eq!(wanted.len(), 2, "tensors and vocabulary");
    for (file, content, gzip) in
        [("train.csv.gz", &csv, true), ("train.jsonl", &lines, false), ("train.jsonl.gz", &lines, true)]
    {
        assert!(trained(file, content, gzip) == wanted, "{file}");
    }
}

#[test]
fn a_bound_on_the_memory_prunes_and_is_told() {
    let job = Job::with(&[("input/data/train/train.csv", &csv(&rows()))]);
    let terms = |bound: Option<&str>| {
        let mut asked = vec![("tune", "none"), ("ngram_range", "1,2"), ("min_df", "1")];
        asked.extend(bound.map(|bound| ("max_memory", bound)));
        job.ask(&asked);
        let ran = job.train();
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(job.path("model/manifest.json")).unwrap()).unwrap();
        (manifest["terms"].as_u64().unwrap(), ran.stdout)
    };
    let (all, told) = terms(None);
    assert!(!told.contains("pruned"), "{told}");
    let (left, told) = terms(Some("400000"));
    assert!(told.contains("memory: n-grams of 2 words in fewer than"), "{told}");
    assert!(told.contains("were pruned to keep within 400000 bytes (max_memory)"), "{told}");
    assert!(0 < left && left < all, "{left} of {all} terms");
}
