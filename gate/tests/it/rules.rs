//! Rules as they are written: what is taken, how it reads, what is refused.

use gate::Rule;

#[derive(serde::Deserialize)]
struct File {
    rules: Vec<Rule>,
}

fn parse(rule: &str) -> Result<Rule, String> {
    let file: Result<File, _> = toml::from_str(&format!("[[rules]]\n{rule}\n"));
    file.map(|mut file| file.rules.remove(0)).map_err(|e| e.message().to_owned())
}

#[test]
fn a_rule_reads_as_it_is_meant() {
    for (written, reads) in [
        ("metric = \"accuracy\"\nabove = 0.8", "accuracy > 0.8"),
        ("metric = \"lower(accuracy)\"\nabove = 0.8", "lower(accuracy) > 0.8"),
        ("metric = \"upper(log_loss)\"\nat_most = 0.5", "upper(log_loss) <= 0.5"),
        ("metric = \"recall\"\nclass = \"1\"\nat_least = 0.7", "recall of class 1 >= 0.7"),
        ("metric = \"accuracy\"\nslice = \"country=DE\"\nabove = 0.7", "accuracy where country=DE > 0.7"),
        ("metric = \"disparate_impact\"\nslice = \"gender\"\nat_least = 0.8", "disparate_impact where gender >= 0.8"),
        ("metric = \"f1\"\nagainst = \"champion\"\nat_least = -0.01", "f1 less the champion's >= -0.01"),
        (
            "metric = \"accuracy\"\nagainst = \"champion\"\ntest = \"non_inferior\"\nmargin = 0.02",
            "accuracy not worse than the champion's by 0.02 (level 0.05)",
        ),
        (
            "metric = \"log_loss\"\nagainst = \"champion\"\ntest = \"better\"\nalpha = 0.01",
            "log_loss better than the champion's (level 0.01)",
        ),
    ] {
        assert_eq!(parse(written).unwrap().to_string(), reads, "{written}");
    }
}

#[test]
fn what_means_nothing_is_refused() {
    for (written, want) in [
        ("metric = \"accuracy\"\nabove = nan", "the bound is no number"),
        ("metric = \"accuracy\"\nabove = 0.8\nbelow = 0.9", "needs one of above"),
        ("metric = \"accuracy\"\nabove = 0.8\nalpha = 0.1", "margin and alpha belong to a test"),
        ("metric = \"latency_p99_ms\"\nbelow = 1\nagainst = \"champion\"", "leave `against` out"),
        ("metric = \"artifact_bytes\"\nbelow = 1\nslice = \"a=b\"", "it has no slices"),
        ("metric = \"lower(accuracy)\"\nagainst = \"champion\"\ntest = \"better\"", "a test takes the metric alone"),
        ("metric = \"accuracy\"\nagainst = \"champion\"\ntest = \"better\"\nmargin = 0.1", "`better` has no margin"),
        (
            "metric = \"accuracy\"\nagainst = \"champion\"\ntest = \"better\"\nabove = 0.1",
            "a test has no bound of its own",
        ),
        (
            "metric = \"accuracy\"\nagainst = \"champion\"\ntest = \"better\"\nalpha = 0.7",
            "alpha must be above 0 and below 0.5",
        ),
        ("metric = \"middle(accuracy)\"\nabove = 0.1", "metric \"middle(accuracy)\" is unknown"),
    ] {
        let refused = parse(written).unwrap_err();
        assert!(refused.contains(want), "{refused}");
    }
}
