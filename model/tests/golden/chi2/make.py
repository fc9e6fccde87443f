"""Records scikit-learn's chi2 on random sparse records: python make.py > expected.json (scikit-learn 1.9.1)."""

import json
import sys

import numpy as np
import sklearn
from scipy.sparse import random as random_records
from sklearn.feature_selection import chi2

RNG = np.random.default_rng(5)


def case(rows, terms, classes):
    records = random_records(rows, terms, 0.3, "csr", random_state=RNG)
    records.sort_indices()
    targets = np.concatenate([np.arange(classes), RNG.integers(0, classes, rows - classes)])
    statistics, _ = chi2(records, targets)
    return {
        "columns": terms,
        "rows": [
            [records.indices[a:b].tolist(), records.data[a:b].tolist()]
            for a, b in zip(records.indptr, records.indptr[1:])
        ],
        "targets": targets.tolist(),
        "classes": classes,
        # A column of zeros is 0 / 0.
        "chi2": np.nan_to_num(statistics).tolist(),
    }


json.dump(
    {"scikit-learn": sklearn.__version__, "cases": [case(40, 15, 2), case(30, 20, 5), case(8, 30, 3)]},
    sys.stdout,
    separators=(",", ":"),
)
print()
