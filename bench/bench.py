"""The benchmark; start it by bench/run, which makes its environment. Figures come from runs, here and now, alone."""

import json
import pathlib
import shutil
import subprocess
import sys

import about
import measure
import table

SETTINGS = {
    "tune": "none", "algorithm": "logistic", "solver": "sparse", "C": "10", "ngram_range": "1,2", "min_df": "2",
    "sublinear_tf": "true", "calibration": "none",
}  # fmt: skip


def arguments():
    parser = about.parser("bench/run", "train beside scikit-learn and Vowpal Wabbit", "imdb/ and synthesize.py", "docs/benchmarks.md")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program; the median is told (3)")
    parser.add_argument("--million", action="store_true", help="1,000,000 synthetic rows too (about 10 minutes a run)")
    parser.add_argument("--cases", default="imdb,100000", help="what to run: imdb, or a number of synthetic rows")
    asked = about.parsed(parser)
    if asked.runs < 3:
        print(f"bench: {asked.runs} runs; a median wants three", file=sys.stderr)
    return asked


def build(asked):
    """Our two programs: train, and the example that scores a file with an artifact."""
    cargo = ["cargo", "build", "--locked", "--quiet", "--profile", asked.profile]
    subprocess.run([*cargo, "-p", "trainer", "--bin", "train"], check=True)
    subprocess.run([*cargo, "-p", "model", "--example", "score"], check=True)
    built = asked.target / ("debug" if asked.profile == "dev" else asked.profile)
    return built / "train", built / "examples" / "score"


def synthetic(asked, rows, seed):
    path = asked.work / f"synthetic-{rows}-{seed}.csv"
    if not path.exists():
        aside = path.with_suffix(".part")
        command = [sys.executable, asked.data / "synthesize.py", "--rows", str(rows), "--seed", str(seed)]
        subprocess.run([*command, "--out", aside, "--model", asked.data / "imdb" / "train.csv"], check=True)
        aside.rename(path)
    return path


def root(work, train):
    """An ml-root of its own, with nothing in it but what the fit reads."""
    shutil.rmtree(work / "root", ignore_errors=True)
    (work / "root/input/config").mkdir(parents=True)
    (work / "root/input/data/train").mkdir(parents=True)
    (work / "root/input/config/hyperparameters.json").write_text(json.dumps(SETTINGS))
    shutil.copyfile(train, work / "root/input/data/train/train.csv")
    return work / "root"


def case(asked, programs, name, train, test):
    """Every program on the same files, in turn, so that a busy minute falls on all of them."""
    work, (trainer, score) = asked.work, programs
    log = work / f"{name}.log"
    log.unlink(missing_ok=True)
    vw = {part: work / f"{name}-{part}.vw" for part in ("train", "test")}
    for part, source in (("train", train), ("test", test)):
        measure.peer("vw_prepare", source, vw[part], log=log)
    fits, scores, sizes = {}, {}, {}

    def add(into, who, measured):
        into.setdefault(who, []).append(measured)
        print(f"{name} {'fit' if into is fits else 'score'} {who}: " + table.figures(measured), file=sys.stderr)

    for _ in range(asked.runs):
        pickle = work / f"{name}.pickle"
        add(fits, "scikit-learn", measure.peer("sklearn_fit", train, pickle, log=log))
        add(scores, "scikit-learn", measure.peer("sklearn_score", pickle, test, log=log))
        for passes in (1, 10):
            who, model = f"Vowpal Wabbit, passes: {passes}", work / f"{name}-{passes}.model"
            add(fits, who, measure.peer("vw_fit", vw["train"], model, passes, log=log))
            add(scores, who, measure.peer("vw_score", model, vw["test"], log=log))
        for cores in (1, 2):
            # Held to one core, since reading has threads of its own however many compute.
            folder, who = root(work, train), f"ours, cores: {cores}"
            add(fits, who, measure.run([str(trainer), "--ml-root", str(folder), "--threads", str(cores)], log, cores))
            add(scores, who, measure.run([str(score), str(folder / "model"), str(test), str(cores)], log, cores))
        sizes["scikit-learn"] = pickle.stat().st_size
        sizes["ours"] = sum(file.stat().st_size for file in (folder / "model").rglob("*") if file.is_file())
    medians = [{who: measure.median(runs) for who, runs in of.items()} for of in (fits, scores)]
    seconds, size = measure.one_pass(train)
    return {"name": name, "fits": medians[0], "scores": medians[1], "sizes": sizes, "pass": seconds, "text_bytes": size}


def main():
    asked = arguments()
    programs = build(asked)
    names = asked.cases.split(",") + (["1000000"] if asked.million else [])
    results = []
    for name in names:
        if name == "imdb":
            files = [asked.data / "imdb" / f"{part}.csv" for part in ("train", "test")]
        else:
            files = [synthetic(asked, int(name), 1), synthetic(asked, 25_000, 2)]
        results.append(case(asked, programs, name, *files))
    text = table.document(results, asked)
    pathlib.Path(asked.out).write_text(text, encoding="utf8")
    print(text)


main()
