"""Writes expected.json: p-values of scipy for the samples that stand in it. Needs scipy (made with the version noted in it).

    python make.py > expected.json

Where values repeat, scipy's ks_2samp takes them for distinct; there the exact value is counted over all orders instead
(scipy.stats.permutation_test, complete enumeration), with ks_2samp's own statistic.
"""

import json
import random

import scipy
from scipy import stats


def ks(baseline, window, alternative):
    d = stats.ks_2samp(baseline, window, alternative=alternative, method="exact")
    return {"baseline": baseline, "window": window, "alternative": alternative,
            "distance": float(d.statistic), "p_value": float(d.pvalue)}


def ks_ties(baseline, window, alternative):
    def statistic(a, b):
        return round(stats.ks_2samp(a, b, alternative=alternative, method="asymp").statistic, 9)

    found = stats.permutation_test((baseline, window), statistic, permutation_type="independent",
                                   alternative="greater", n_resamples=10**6, vectorized=False)
    return {"baseline": baseline, "window": window, "alternative": alternative,
            "distance": float(found.statistic), "p_value": float(found.pvalue)}


def mix(counts):
    table = [[b for b, _ in counts], [w for _, w in counts]]
    p = stats.fisher_exact(table)[1] if len(counts) == 2 else stats.chi2_contingency(table, correction=False)[1]
    return {"counts": counts, "p_value": float(p)}


def main():
    draw = random.Random(42)
    distinct = []
    for m, n, shift in [(5, 4, 0.0), (30, 20, 0.3), (100, 30, 0.0), (100, 30, 1.0), (200, 150, 0.25), (400, 300, 0.6)]:
        baseline = [round(draw.gauss(0, 1), 12) for _ in range(m)]
        window = [round(draw.gauss(shift, 1), 12) for _ in range(n)]
        distinct += [ks(baseline, window, alternative) for alternative in ("two-sided", "greater")]
    tied = []
    for m, n, top, shift in [(6, 5, 3, 0), (8, 6, 2, 1), (9, 6, 4, 1), (10, 5, 5, 2)]:
        baseline = [float(draw.randint(0, top)) for _ in range(m)]
        window = [float(draw.randint(0, top) + shift) for _ in range(n)]
        tied += [ks_ties(baseline, window, alternative) for alternative in ("two-sided", "greater")]
    mixes = [mix(counts) for counts in [
        [[50, 15], [50, 15]], [[50, 25], [50, 5]], [[436, 40], [436, 60]], [[10, 0], [2, 7]], [[900, 500], [911, 500]],
        [[100, 30], [80, 20], [60, 40]], [[500, 10], [300, 40], [200, 30], [90, 30]],
        [[1000, 100], [1000, 101], [1000, 99], [500, 52], [250, 23], [100, 12]],
    ]]
    parts = [f' "scipy": {json.dumps(scipy.__version__)}']
    for name, cases in [("distinct", distinct), ("tied", tied), ("mixes", mixes)]:
        rows = ",\n".join("  " + json.dumps(case) for case in cases)
        parts.append(f' "{name}": [\n{rows}\n ]')
    print("{\n" + ",\n".join(parts) + "\n}")


main()
