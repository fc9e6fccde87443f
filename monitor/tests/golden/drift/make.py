"""Writes expected.json: what scipy and scikit-learn say of the samples that stand in it.

    python make.py > expected.json

Needs scipy and scikit-learn (made with the versions noted in it).
"""

import json
import random

import scipy
import sklearn
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import roc_auc_score


def rates(baseline, window):
    (a, m), (b, n) = baseline, window
    table = [[a, b], [m - a, n - b]]
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return {"baseline": baseline, "window": window, "g": float(g[0]), "g_p": float(g[1]),
            "exact_p": float(stats.fisher_exact(table)[1])}


def main():
    draw = random.Random(42)
    cases = [([100, 7000], [12, 500]), ([100, 7000], [40, 500]), ([5, 100], [9, 35]), ([0, 7000], [11, 500]),
             ([3000, 7000], [150, 500]), ([9000, 25000], [1400, 4000]), ([2, 200], [3, 100])]
    p_values = [round(draw.random() ** 4, 12) for _ in range(60)]
    samples = []
    for m, n, shift, digits in [(20, 15, 0.8, 12), (100, 60, 0.2, 12), (40, 50, 1.0, 0)]:
        positive = [round(draw.gauss(shift, 1), digits) for _ in range(m)]
        negative = [round(draw.gauss(0, 1), digits) for _ in range(n)]
        area = roc_auc_score([1] * m + [0] * n, positive + negative)
        samples.append({"positive": positive, "negative": negative, "area": float(area)})
    mixes = [[[0.2, 0.3], [0.3, 0.3], [0.5, 0.4]], [[0.5, 0.0], [0.5, 0.2], [0.0, 0.8]], [[1.0, 0.0], [0.0, 1.0]]]
    means = []
    for m, n, shift in [(300, 200, 0.0), (300, 200, 0.3), (1000, 50, -1.0)]:
        baseline = [round(draw.gauss(0, 1), 6) for _ in range(m)]
        window = [round(draw.gauss(shift, 2), 6) for _ in range(n)]
        statistic = float(stats.ttest_ind(window, baseline, equal_var=False).statistic)
        means.append({"baseline": baseline, "window": window, "z": statistic,
                      "p_value": float(2 * stats.norm.sf(abs(statistic)))})
    wilson = []
    for right, total in [(0, 10), (7, 10), (93, 100), (1000, 1000), (3, 7)]:
        low, high = stats.binomtest(right, total).proportion_ci(method="wilson")
        wilson.append({"right": right, "all": total, "low": float(low), "high": float(high)})
    print(json.dumps({
        "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
        "rates": [rates(*case) for case in cases],
        "adjusted": {"p_values": p_values, "expected": [float(p) for p in stats.false_discovery_control(p_values)]},
        "areas": samples,
        "mixes": [{"shares": mix, "jensen_shannon": float(jensenshannon(*zip(*mix), base=2) ** 2)} for mix in mixes],
        "means": means,
        "wilson": wilson,
    }, indent=1))


main()
