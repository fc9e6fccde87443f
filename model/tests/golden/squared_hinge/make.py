"""Records scikit-learn's LinearSVC on random sparse records: python make.py > expected.json (scikit-learn 1.9.1)."""

import json
import sys
import warnings

import numpy as np
import sklearn
from scipy.sparse import random as random_records
from sklearn.svm import LinearSVC

warnings.simplefilter("error")
RNG = np.random.default_rng(11)


def case(name, rows, terms, classes, shares=None, **params):
    records = random_records(rows, terms, 0.2, "csr", random_state=RNG)
    records.sort_indices()
    weights = RNG.normal(size=(terms, classes)) * 3
    scores = records @ weights + RNG.gumbel(size=(rows, classes)) + np.log(shares or [1] * classes)
    targets = scores.argmax(1)
    assert len(set(targets)) == classes
    params = {"C": 1.0, "class_weight": None} | params
    fitted = LinearSVC(tol=1e-9, max_iter=10_000_000, random_state=0, **params).fit(records, targets)
    return {
        "name": name,
        "params": params,
        "columns": terms,
        "rows": [
            [records.indices[a:b].tolist(), records.data[a:b].tolist()]
            for a, b in zip(records.indptr, records.indptr[1:])
        ],
        "targets": targets.tolist(),
        "classes": classes,
        "coefficients": fitted.coef_.tolist(),
        "intercept": fitted.intercept_.tolist(),
    }


json.dump(
    {
        "scikit-learn": sklearn.__version__,
        "cases": [
            case("binary", 60, 12, 2),
            case("binary, strongly regularised", 60, 12, 2, C=0.05),
            case("binary, weakly regularised", 60, 12, 2, C=30.0),
            case("binary, balanced", 60, 12, 2, [8, 1], class_weight="balanced"),
            case("more terms than rows", 20, 60, 2, C=10.0),
            case("three classes", 60, 12, 3),
            case("three classes, balanced", 60, 12, 3, [6, 2, 1], class_weight="balanced", C=5.0),
        ],
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
