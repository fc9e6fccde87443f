"""Our model beside scikit-learn's of the same files; start it by bench/agree. What is compared is the artifact on disk and
the predictions of the program, not anything that was kept in memory: weights are read from it as docs/artifact.md tells."""

import csv
import json
import pathlib
import shutil
import subprocess
import sys

import about
import numpy as np
import sklearn
from scipy.special import logsumexp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

csv.field_size_limit(1 << 24)
# Name, C; imdb's are the settings of the benchmark.
SETS = [("imdb", 10.0), ("sst2", 1.0), ("trec6", 10.0)]
# Above scikit-learn's objective, relative; of imdb's test rows (issue 4, point 1).
MOST_OBJECTIVE, LEAST_SAME = 1e-4, 0.999


def arguments():
    parser = about.parser("bench/agree", "train beside scikit-learn, figure by figure", "imdb/, trec6/, …", "docs/agreement.md")
    parser.add_argument("--sets", default=",".join(name for name, _ in SETS), help="which of them")
    return about.parsed(parser)


def read(path):
    with open(path, encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["review_text"] for row in rows], np.array([row["sentiment"] for row in rows])


def tensors(path):
    raw, types = path.read_bytes(), {"U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "F32": "<f4"}
    start = 8 + int.from_bytes(raw[:8], "little")
    layout = json.loads(raw[8:start])
    return {n: np.frombuffer(raw[start:][slice(*t["data_offsets"])], types[t["dtype"]]).reshape(t["shape"]) for n, t in layout.items()}


def terms(model):
    """Words and pairs of words, in the order of their rows."""
    v = tensors(model / "vocabulary.bin")
    words = [bytes(word).decode() for word in np.split(v["words.text"], np.cumsum(v["words.lengths"])[:-1])]
    # As docs/artifact.md tells it.
    bits, buckets = max(len(words) ** 2, 8).bit_length(), len(v["words.2.starts"]) - 1
    undo = lambda mixed: mixed * np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64)) & np.uint64(2**bits - 1)
    bucket = np.repeat(np.arange(buckets, dtype="u8"), np.diff(v["words.2.starts"]))
    mixed = undo(bucket * np.uint64(2**bits // buckets) + v["words.2.rests"])
    numbers = undo(mixed ^ mixed >> np.uint64((bits + 1) // 2)).tolist()
    pairs = [f"{words[n // len(words)]} {words[n % len(words)]}" for n in numbers]
    kept = lambda n, grams: [g for g, k in zip(grams, np.diff(v[f"words.{n}.rows"])) if k] if f"words.{n}.rows" in v else grams
    return kept(1, words) + kept(2, pairs)


def train(asked, program, name, c):
    root = asked.work / "agree"
    shutil.rmtree(root, ignore_errors=True)
    for channel in ("train", "test"):
        (root / "input/data" / channel).mkdir(parents=True)
        shutil.copyfile(asked.data / name / f"{channel}.csv", root / "input/data" / channel / "a.csv")
    (root / "input/config").mkdir()
    settings = {"tune": "none", "solver": "sparse", "C": str(c), "ngram_range": "1,2", "min_df": "2", "calibration": "none"}
    (root / "input/config/hyperparameters.json").write_text(json.dumps(settings))
    subprocess.run([program, "--ml-root", root], check=True, stdout=subprocess.DEVNULL)
    return root


def objective(records, targets, coefficients, intercept, c):
    scores = records @ coefficients.T + intercept
    if scores.shape[1] == 1:
        losses = np.logaddexp(0, np.where(targets == 1, -scores[:, 0], scores[:, 0]))
    else:
        losses = logsumexp(scores, axis=1) - scores[np.arange(len(targets)), targets]
    return c * losses.sum() + (coefficients**2).sum() / 2


def compare(asked, programs, name, c):
    trainer, score = programs
    (texts, labels), (unseen, truth) = (read(asked.data / name / f"{part}.csv") for part in ("train", "test"))
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    records = vectorizer.fit_transform(texts)
    root = train(asked, trainer, name, c)
    found = asked.work / "agree" / "found"
    subprocess.run([score, root / "model", root / "input/data/test/a.csv", "2", found], check=True, stdout=subprocess.DEVNULL)
    ours = np.array(found.read_text(encoding="utf8").split("\n")[:-1])
    names, t = terms(root / "model"), tensors(root / "model" / "tensors.safetensors")
    assert set(names) == set(vectorizer.vocabulary_), f"{name}: the vocabularies differ"
    columns = np.array([vectorizer.vocabulary_[term] for term in names])
    idf = np.abs(t["terms"][:, 0] / vectorizer.idf_[columns] - 1).max()
    coefficients = np.empty((t["terms"].shape[1] - 1, len(names)))
    coefficients[:, columns] = t["terms"][:, 1:].T
    row = {"set": name, "C": c, "terms": len(names), "idf": idf}
    for tol, key in ((1e-4, "default"), (1e-8, "converged")):
        fitted = LogisticRegression(C=c, tol=tol, max_iter=10_000).fit(records, labels)
        targets = np.searchsorted(fitted.classes_, labels)
        theirs = objective(records, targets, fitted.coef_, fitted.intercept_, c)
        row[f"{key} objective"] = objective(records, targets, coefficients, t["intercept"].astype(float), c) / theirs - 1
        predicted = fitted.predict(vectorizer.transform(unseen))
        row[f"{key} same"] = (predicted == ours).mean()
    row["accuracy"], row["theirs"] = (ours == truth).mean(), (predicted == truth).mean()
    print(json.dumps(row), file=sys.stderr)
    return row


def document(rows, profile):
    command = "bench/agree --data DIR" + ("" if profile == "release" else f" --profile {profile}")
    lines = [
        "# What scikit-learn says of the same files", "",
        f"`{command}` wrote this page; it is not edited by hand. scikit-learn {sklearn.__version__}, numpy {np.__version__}.", "",
        "Words and pairs of words in two documents at least, sublinear TF-IDF, logistic regression (softmax over more than two",
        "classes), no calibration, each side's default tolerance. Our weights and scales are read from the artifact, in 32 bits;",
        "predictions are the program's on the test file. The objective `C · Σ loss + ½ |w|²` of our weights is computed on",
        "scikit-learn's own records and given relative to its own, with `tol` 1e-4 (its default) and 1e-8 (converged); below 0 is better.", "",
        "| set | C | terms, the same on both sides | idf apart, at most | objective, beside the default's | beside the converged | same predictions as the default's | as the converged | accuracy | scikit-learn's |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for r in rows:
        lines.append(
            f"| {r['set']} | {r['C']:g} | {r['terms']:,} | {r['idf']:.0e} | {r['default objective']:+.1e} | "
            f"{r['converged objective']:+.1e} | {100 * r['default same']:.3f} % | {100 * r['converged same']:.3f} % | "
            f"{100 * r['accuracy']:.2f} | {100 * r['theirs']:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main():
    asked = arguments()
    cargo = ["cargo", "build", "--locked", "--quiet", "--profile", asked.profile]
    subprocess.run([*cargo, "-p", "trainer", "--bin", "train"], check=True)
    subprocess.run([*cargo, "-p", "model", "--example", "score"], check=True)
    built = asked.target / ("debug" if asked.profile == "dev" else asked.profile)
    programs = built / "train", built / "examples" / "score"
    rows = [compare(asked, programs, name, c) for name, c in SETS if name in asked.sets.split(",")]
    text = document(rows, asked.profile)
    pathlib.Path(asked.out).write_text(text, encoding="utf8")
    print(text)
    for r in rows:
        # The converged one's: with its default tolerance scikit-learn ends 1.4 % above the least on imdb.
        if r["converged objective"] > MOST_OBJECTIVE or (r["set"] == "imdb" and r["converged same"] < LEAST_SAME):
            sys.exit(f"agree: {r['set']} is further from scikit-learn than issue 4 allows")


main()
