#!/usr/bin/env python3
"""Writes expected.json: outcomes and what scikit-learn measures of them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn && /tmp/venv/bin/python make.py
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from scipy.stats import rankdata
from sklearn import metrics

warnings.filterwarnings("ignore")  # figures of classes that never occur are 0, as here
random = np.random.default_rng(7)
EPS = np.finfo(float).eps


def outcomes(rows, shares, skill, digits):
    """Actual classes drawn by `shares`; probabilities that lean to them by `skill`, rounded to make ties."""
    actual = random.choice(len(shares), size=rows, p=shares)
    scores = random.normal(size=(rows, len(shares)))
    scores[np.arange(rows), actual] += skill
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    probabilities = np.round(probabilities, digits)
    probabilities[:, -1] = 1 - probabilities[:, :-1].sum(axis=1)
    return actual, np.clip(probabilities, 0, 1)


def averages(actual, predicted, classes, average):
    figures = metrics.precision_recall_fscore_support(
        actual, predicted, labels=classes, zero_division=0, average=average
    )
    return [float(figure) for figure in figures[:3]]


def one_vs_rest(actual, probabilities, classes):
    """ROC AUC and average precision of each class, None where they have no value; and means over those that have one."""
    areas, precisions, support = [], [], []
    for c in classes:
        truth = actual == c
        support.append(truth.sum())
        both = 0 < truth.sum() < len(truth)
        areas.append(metrics.roc_auc_score(truth, probabilities[:, c]) if both else None)
        precisions.append(metrics.average_precision_score(truth, probabilities[:, c]) if truth.any() else None)

    def mean(figures, weights):
        known = [(f, w) for f, w in zip(figures, weights) if f is not None]
        return float(np.average([f for f, _ in known], weights=[w for _, w in known])) if known else None

    ones = np.ones(len(classes))
    means = {
        "roc_auc_macro": mean(areas, ones),
        "roc_auc_weighted": mean(areas, support),
        "average_precision": mean(precisions, ones),
        "average_precision_weighted": mean(precisions, support),
    }
    if min(support) > 0 and len(classes) > 2:  # where scikit-learn has the mean itself, it is the same
        for name, average in (("roc_auc_macro", "macro"), ("roc_auc_weighted", "weighted")):
            theirs = metrics.roc_auc_score(
                actual, probabilities / probabilities.sum(axis=1, keepdims=True), multi_class="ovr", average=average
            )
            assert abs(theirs - means[name]) < 1e-12, (theirs, means[name])
    if len(classes) == 2:
        means |= {"roc_auc_macro": areas[1], "roc_auc_weighted": areas[1], "average_precision": precisions[1]}
    return areas, precisions, means


def calibration_error(actual, predicted, confidence):
    """15 bins of equal width, (k/15, (k+1)/15]: the numpy twin."""
    bins = np.clip(np.ceil(confidence * 15), 1, 15).astype(int) - 1
    total = 0.0
    for b in range(15):
        at = bins == b
        if at.any():
            total += at.sum() * abs((actual[at] == predicted[at]).mean() - confidence[at].mean())
    return total / len(actual)


def intervals(actual, predicted, probabilities, classes, resamples=10_000):
    """Stratified percentile bootstrap, documents copied: the slow twin, with other random numbers."""
    rows = [np.flatnonzero(actual == c) for c in classes if (actual == c).any()]
    own = np.clip(probabilities[np.arange(len(actual)), actual], EPS, 1 - EPS)
    drawn = []
    for _ in range(resamples):
        at = np.concatenate([random.choice(r, size=len(r)) for r in rows])
        a, p = actual[at], predicted[at]
        matrix = np.bincount(a * len(classes) + p, minlength=len(classes) ** 2).reshape(len(classes), -1)
        sums = matrix.sum(axis=0) + matrix.sum(axis=1)
        f1 = np.divide(2 * np.diag(matrix), sums, out=np.zeros(len(classes)), where=sums > 0).mean()
        areas = []
        for c in [1] if len(classes) == 2 else [c for c in classes if (actual == c).any()]:
            score = probabilities[at, c]
            ranks = rankdata(score)
            n = (a == c).sum()
            areas.append((ranks[a == c].sum() - n * (n + 1) / 2) / (n * (len(a) - n)))
        drawn.append([(a == p).mean(), f1, -np.log(own[at]).mean(), np.mean(areas)])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return {n: [lo, hi] for n, lo, hi in zip(["accuracy", "macro_f1", "log_loss", "roc_auc"], low, high)}


def case(name, actual, probabilities, resampled=False):
    classes = list(range(probabilities.shape[1]))
    predicted = probabilities.argmax(axis=1)
    average = "binary" if len(classes) == 2 else "macro"
    each = metrics.precision_recall_fscore_support(actual, predicted, labels=classes, zero_division=0)
    options = {"zero_division": 0, "average": average} | ({} if len(classes) == 2 else {"labels": classes})
    headline = metrics.precision_recall_fscore_support(actual, predicted, **options)
    areas, precisions, means = one_vs_rest(actual, probabilities, classes)
    # The clip is scikit-learn's; its own call divides by the sum of a row, which rounding leaves beside 1.
    own = np.clip(probabilities[np.arange(len(actual)), actual], EPS, 1 - EPS)
    assert abs(metrics.log_loss(actual, probabilities, labels=classes) + np.log(own).mean()) < 1e-9
    if len(classes) == 2:
        brier = metrics.brier_score_loss(actual, probabilities[:, 1], labels=classes)
    else:
        brier = metrics.brier_score_loss(actual, probabilities, labels=classes)
    return {
        "name": name,
        "classes": [str(c) for c in classes],
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": probabilities.tolist(),
        "expected": {
            "accuracy": metrics.accuracy_score(actual, predicted),
            "average": average,
            "precision": headline[0],
            "recall": headline[1],
            "f1": headline[2],
            "log_loss": metrics.log_loss(actual, probabilities, labels=classes),
            "per_class": [list(figures) for figures in zip(*(part.tolist() for part in each), areas, precisions)],
            "confusion": metrics.confusion_matrix(actual, predicted, labels=classes).tolist(),
            "balanced_accuracy": metrics.balanced_accuracy_score(actual, predicted),
            "macro": averages(actual, predicted, classes, "macro"),
            "weighted": averages(actual, predicted, classes, "weighted"),
            "micro": averages(actual, predicted, classes, "micro"),
            "brier": brier,
            "matthews": metrics.matthews_corrcoef(actual, predicted),
            "calibration_error": calibration_error(actual, predicted, probabilities.max(axis=1)),
            **means,
        },
        "intervals": intervals(actual, predicted, probabilities, classes) if resampled else None,
    }


cases = [
    case("two classes", *outcomes(150, [0.5, 0.5], 1.0, 4), resampled=True),
    case("two classes, many ties", *outcomes(200, [0.7, 0.3], 0.8, 1), resampled=True),
    case("two classes, no skill", *outcomes(60, [0.5, 0.5], 0.0, 3)),
    case("two classes, certain and wrong", np.array([0, 1, 1, 0]), np.array([[1, 0], [1, 0], [0, 1], [0.25, 0.75]], float)),
    case("one class alone", np.array([1, 1, 1]), np.array([[0.4, 0.6], [0.8, 0.2], [0.1, 0.9]])),
    case("never predicted", np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])),
    case("three classes", *outcomes(120, [0.5, 0.3, 0.2], 1.0, 3)),
    case("six classes, one rare", *outcomes(200, [0.3, 0.25, 0.2, 0.15, 0.09, 0.01], 1.5, 3), resampled=True),
    case("twenty classes", *outcomes(300, [0.05] * 20, 2.5, 4)),
    case("two classes, 1 % positive", *outcomes(300, [0.99, 0.01], 2.0, 4)),
    case("three classes, one absent", *outcomes(40, [0.5, 0.5, 0.0], 1.0, 3)),
    case("constant prediction", np.array([0, 1, 2, 1]), np.array([[0.2, 0.5, 0.3]] * 4)),
]
expected = {"scikit_learn": sklearn.__version__, "cases": cases}
pathlib.Path(__file__).with_name("expected.json").write_text(json.dumps(expected) + "\n")
