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
    let trained = |bound: Option<&str>| {
        let mut asked = vec![("tune", "none"), ("ngram_range", "1,2"), ("min_df", "1")];
        asked.extend(bound.map(|bound| ("max_memory", bound)));
        job.ask(&asked);
        let ran = job.train();
        let manifest: serde_json::Value =
            serde_json::from_slice(&std::fs::read(job.path("model/manifest.json")).unwrap()).unwrap();
        let pruned = manifest["provenance"]["settings"]["pruned"].as_str().map(str::to_owned);
        (manifest["terms"].as_u64().unwrap(), pruned, ran.stdout)
    };
    let (all, pruned, told) = trained(None);
    assert!(!told.contains("pruned") && pruned.is_none(), "{told}");
    // Longer n-grams go before shorter ones; a bound that nothing can keep to leaves the most frequent.
    let mut last = all;
    for (bound, of) in [("1200000", "2 words"), ("400000", "1 word"), ("1000", "1 word")] {
        let (left, pruned, told) = trained(Some(bound));
        let pruned = pruned.unwrap();
        assert!(pruned.contains(&format!("n-grams of {of} in fewer than ")), "{pruned}");
        assert!(
            pruned.contains(&format!("were pruned to keep within {bound} bytes (max_memory); 1 was asked")),
            "{pruned}"
        );
        for note in pruned.split("; n-grams") {
            assert!(told.contains(note), "the log tells the same: {told}");
        }
        assert!(0 < left && left < last, "{left} of {last} terms within {bound} bytes");
        last = left;
    }
}

/// Rows of so many words, of which there are `vocabulary`; a class each.
fn many_words(rows: usize, words: usize, vocabulary: usize) -> String {
    let mut file = String::from("review_text,sentiment\n");
    let mut random = model::SplitMix64::new(7, 0);
    for row in 0..rows {
        let _ = write!(file, "of{}", row % 2);
        for _ in 1..words {
            let _ = write!(file, " w{}", random.below(vocabulary));
        }
        let _ = writeln!(file, ",{}", row % 2);
    }
    file
}

/// What a fit leaves within a bound and without one, and the bounded one's log.
fn bounded(job: &Job, threads: &str, asked: &[(&str, &str)], bound: &str) -> (bool, String) {
    job.ask(asked);
    job.train();
    let wanted = learned(job);
    let asked = [asked, &[("max_memory", bound)]].concat();
    job.ask(&asked);
    let ran = job.run_on(threads);
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    (learned(job) == wanted, ran.stdout)
}

const PLAIN: [(&str, &str); 5] =
    [("tune", "none"), ("calibration", "none"), ("ngram_range", "1,2"), ("min_df", "2"), ("C", "1")];

#[test]
fn what_lies_on_the_disk_leaves_the_same_model() {
    let job = Job::with(&[("input/data/train/train.csv", &many_words(3_000, 120, 30))]);
    // Of three words nearly none stands in 50 documents, but their places are many.
    let trigrams = [("ngram_range", "1,3"), ("min_df", "50")];
    for (asked, bound) in [(PLAIN.to_vec(), "2800000"), ([&PLAIN[..2], &trigrams].concat(), "3600000")] {
        let (same, told) = bounded(&job, "2", &asked, bound);
        assert!(told.contains(" bytes of words and counts were laid aside on the disk of "), "{told}");
        assert!(same && !told.contains("pruned"), "{told}");
    }
    let left: Vec<_> = std::fs::read_dir(job.path("output")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "data"), "nothing of it is left: {left:?}");
}

#[test]
#[ignore = "takes minutes; several files of each kind on the disk: cargo test -p trainer --test it counting -- --ignored"]
fn much_on_the_disk_leaves_the_same_model() {
    let job = Job::with(&[("input/data/train/train.csv", &many_words(500_000, 80, 900))]);
    for threads in ["1", "4"] {
        let (same, told) = bounded(&job, threads, &PLAIN, "400MB");
        assert!(told.contains(" bytes of words and counts were laid aside on the disk of "), "{told}");
        assert!(same && !told.contains("pruned"), "{told}");
    }
}

#[test]
fn a_search_keeps_to_the_bound_too() {
    let job = Job::with(&[("input/data/train/train.csv", &csv(&rows()))]);
    job.ask(&[("tune", "cv"), ("max_memory", "3MB")]);
    let ran = job.train();
    assert!(ran.stdout.contains("were pruned to keep within 3000000 bytes (max_memory)"), "{}", ran.stdout);
}
