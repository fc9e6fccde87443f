"""Records scikit-learn's _SigmoidCalibration on random scores: python make.py > expected.json (scikit-learn 1.9.1)."""

import json
import sys

import numpy as np
import sklearn
from sklearn.calibration import _SigmoidCalibration

RNG = np.random.default_rng(11)


def case(name, rows, slope, offset, scale=1.0, share=None):
    scores = RNG.normal(size=rows) * 2
    p = 1 / (1 + np.exp(-(slope * scores + offset)))
    targets = (RNG.random(rows) < p).astype(int)
    if share is not None:
        targets = (np.arange(rows) < share).astype(int)
    scores = np.round(scores, 6) * scale
    fitted = _SigmoidCalibration().fit(scores, targets)
    return {
        "name": name,
        "scores": scores.tolist(),
        "targets": targets.tolist(),
        # scikit-learn's is 1 / (1 + exp(a s + b)).
        "a": -fitted.a_,
        "b": -fitted.b_,
        "probabilities": fitted.predict(scores).tolist(),
    }


json.dump(
    {
        "scikit-learn": sklearn.__version__,
        "cases": [
            case("steep", 120, 3.0, 0.0),
            case("flat", 120, 0.4, 0.2),
            case("shifted", 120, 1.0, -2.0),
            case("few rows", 9, 2.0, 0.0),
            case("large scores", 100, 1.0, 0.5, scale=1e5),
            case("small scores", 100, 1.0, 0.5, scale=1e-3),
        ],
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
