"""The peers, one step a process: python peers.py STEP FILE... ; the last line on stdout is what it says of itself, as JSON.

`import_cpu` and `import_wall` (seconds) are the interpreter's and the packages' start, which the table leaves out.
"""

import csv
import json
import pickle
import re
import sys
import time

csv.field_size_limit(1 << 24)


def started():
    return {"import_cpu": time.process_time(), "import_wall": time.monotonic() - BORN}


def read(path):
    with open(path, encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["review_text"] for row in rows], [row["sentiment"] for row in rows]


def sklearn_fit(train, model):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    said = started()
    texts, labels = read(train)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    records = vectorizer.fit_transform(texts)
    said["terms"] = records.shape[1]
    classifier = LogisticRegression(C=10, max_iter=1000).fit(records, labels)
    with open(model, "wb") as file:
        pickle.dump((vectorizer, classifier), file)
    return said


def sklearn_score(model, test):
    import sklearn.feature_extraction.text
    import sklearn.linear_model  # noqa: F401, what the pickle names

    said = started()
    clock = time.monotonic()
    with open(model, "rb") as file:
        vectorizer, classifier = pickle.load(file)
    said["open_ms"] = (time.monotonic() - clock) * 1000
    texts, labels = read(test)
    found = classifier.classes_[classifier.predict_proba(vectorizer.transform(texts)).argmax(1)]
    said["accuracy"] = sum(a == b for a, b in zip(found, labels)) / len(labels)
    return said


def vw_prepare(source, target):
    """Vowpal Wabbit's own format, words cut as scikit-learn does. Not in the table: its command line starts from this."""
    word = re.compile(r"\b\w\w+\b")
    with open(target, "w", encoding="utf8") as file:
        for text, label in zip(*read(source)):
            file.write(f"{'1' if label == '1' else '-1'} | {' '.join(word.findall(text.lower()))}\n")
    return started()


def vw_fit(train, model, passes):
    from vowpalwabbit import Workspace

    said = started()
    again = f"--passes {passes} --cache_file {model}.cache -k --holdout_off" if passes != "1" else ""
    workspace = Workspace(f"--quiet -d {train} -f {model} --loss_function logistic --ngram 2 -b 24 {again}")
    workspace.finish()
    return said


def vw_score(model, test):
    from vowpalwabbit import Workspace

    said = started()
    found = f"{model}.found"
    Workspace(f"--quiet -t -i {model} -d {test} -p {found} --link logistic").finish()
    with open(found) as scores, open(test, encoding="utf8") as rows:
        right = [(float(score) > 0.5) == row.startswith("1 ") for score, row in zip(scores, rows)]
    said["accuracy"] = sum(right) / len(right)
    return said


if __name__ == "__main__":
    BORN = float(sys.argv[1])
    step = {f.__name__: f for f in (sklearn_fit, sklearn_score, vw_prepare, vw_fit, vw_score)}[sys.argv[2]]
    print(json.dumps(step(*sys.argv[3:])))
