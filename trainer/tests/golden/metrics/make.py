#!/usr/bin/env python3
"""Writes expected.json: outcomes and what scikit-learn measures of them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn && /tmp/venv/bin/python make.py
"""

import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.filterwarnings("ignore")  # figures of classes that never occur are 0, as here
random = np.random.default_rng(7)


def outcomes(rows, shares, skill, digits):
    """Actual classes drawn by `shares`; probabilities that lean to them by `skill`, rounded to make ties."""
    actual = random.choice(len(shares), size=rows, p=shares)
    scores = random.normal(size=(rows, len(shares)))
    scores[np.arange(rows), actual] += skill
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    probabilities = np.round(probabilities, digits)
    probabilities[:, -1] = 1 - probabilities[:, :-1].sum(axis=1)
    return actual, np.clip(probabilities, 0, 1)


def case(name, actual, probabilities):
    classes = list(range(probabilities.shape[1]))
    predicted = probabilities.argmax(axis=1)
    average = "binary" if len(classes) == 2 else "macro"
    each = metrics.precision_recall_fscore_support(actual, predicted, labels=classes, zero_division=0)
    options = {"zero_division": 0, "average": average} | ({} if len(classes) == 2 else {"labels": classes})
    headline = metrics.precision_recall_fscore_support(actual, predicted, **options)
    both = len(classes) == 2 and len(set(actual.tolist())) == 2
    # scikit-learn clips to the smallest step of a double; the clip of ours is 1e-15, so it is done beforehand.
    clipped = np.clip(probabilities[np.arange(len(actual)), actual], 1e-15, 1)
    if probabilities.min() > 1e-12:
        assert abs(metrics.log_loss(actual, probabilities, labels=classes) + np.log(clipped).mean()) < 1e-9
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
            "log_loss": -np.log(clipped).mean(),
            "roc_auc": metrics.roc_auc_score(actual, probabilities[:, 1]) if both else None,
            "per_class": [list(figures) for figures in zip(*(part.tolist() for part in each))],
            "confusion": metrics.confusion_matrix(actual, predicted, labels=classes).tolist(),
        },
    }


cases = [
    case("two classes", *outcomes(150, [0.5, 0.5], 1.0, 4)),
    case("two classes, many ties", *outcomes(200, [0.7, 0.3], 0.8, 1)),
    case("two classes, no skill", *outcomes(60, [0.5, 0.5], 0.0, 3)),
    case("two classes, certain and wrong", np.array([0, 1, 1, 0]), np.array([[1, 0], [1, 0], [0, 1], [0.25, 0.75]])),
    case("one class alone", np.array([1, 1, 1]), np.array([[0.4, 0.6], [0.8, 0.2], [0.1, 0.9]])),
    case("never predicted", np.array([0, 1, 0]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])),
    case("three classes", *outcomes(120, [0.5, 0.3, 0.2], 1.0, 3)),
    case("six classes, one rare", *outcomes(200, [0.3, 0.25, 0.2, 0.15, 0.09, 0.01], 1.5, 3)),
    case("three classes, one absent", *outcomes(40, [0.5, 0.5, 0.0], 1.0, 3)),
]
expected = {"scikit_learn": sklearn.__version__, "cases": cases}
pathlib.Path(__file__).with_name("expected.json").write_text(json.dumps(expected) + "\n")
