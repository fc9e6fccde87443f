#!/usr/bin/env python3
"""Writes expected.json: what scipy and statsmodels say of tables of counts, and Tango's interval from its definition.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install scipy statsmodels && /tmp/venv/bin/python make.py
"""

import json
import pathlib

import numpy as np
import scipy
import statsmodels
from scipy import optimize, special, stats
from statsmodels.stats import multitest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

random = np.random.default_rng(11)


def tango(won, lost, rows, level):
    """Both ends, from the definition: the score statistic with the nuisance share by numerical maximum likelihood."""

    def share(difference):
        # q21 = P(lost); P(won) = q21 + difference; likelihood of the three counts.
        low, high = max(0.0, -difference), (1 - difference) / 2
        both = rows - won - lost
        def minus_log(q):
            parts = special.xlogy(won, q + difference) + special.xlogy(lost, q) + special.xlogy(both, 1 - 2 * q - difference)
            return -parts
        return optimize.minimize_scalar(minus_log, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x

    def score(difference):
        variance = rows * (2 * share(difference) + difference * (1 - difference))
        return (won - lost - rows * difference) / np.sqrt(max(variance, 1e-300))

    z = stats.norm.ppf((1 + level) / 2)
    point = (won - lost) / rows
    low = optimize.brentq(lambda d: score(d) - z, -1 + 1e-9, point - 1e-9, xtol=1e-12)
    high = optimize.brentq(lambda d: score(d) + z, point + 1e-9, 1 - 1e-9, xtol=1e-12)
    return [low, high]


def main():
    shares = [(0, 1), (1, 1), (0, 30), (30, 30), (28, 30), (27, 30), (1, 2), (1490, 1821), (86_000, 100_000), (3, 1_000_000)]
    shares += [(int(k), int(n)) for n in random.integers(1, 5000, 20) for k in [random.integers(0, n + 1)]]
    clopper = []
    for right, rows in shares:
        exact = proportion_confint(right, rows, 0.05, "beta")
        exact = [0.0 if np.isnan(exact[0]) or right == 0 else exact[0], 1.0 if right == rows else exact[1]]
        clopper.append({"right": right, "rows": rows, "exact": exact, "wilson": list(proportion_confint(right, rows, 0.05, "wilson"))})
    pairs = [(0, 0), (0, 1), (1, 0), (5, 5), (10, 2), (2, 10), (153, 754), (40, 25)]
    pairs += [tuple(map(int, random.integers(0, 60, 2))) for _ in range(10)]
    paired = []
    for won, lost in pairs:
        rows = won + lost + int(random.integers(20, 500))
        two = float(mcnemar([[0, won], [lost, 0]], exact=True).pvalue) if won + lost else 1.0
        better = float(stats.binomtest(won, won + lost, 0.5, "greater").pvalue) if won + lost else 1.0
        paired.append({"won": won, "lost": lost, "rows": rows, "two_sided": two, "better": better, "tango": tango(won, lost, rows, 0.95)})
    tables = [(3, 10, 7, 12), (0, 5, 5, 5), (0, 4, 0, 9), (15, 15, 1, 2), (120, 400, 160, 410), (900, 1000, 850, 1000)]
    tables += [(int(random.integers(0, n + 1)), n, int(random.integers(0, m + 1)), m) for n, m in random.integers(1, 80, (12, 2)).tolist()]
    two = []
    for a, n, b, m in tables:
        newcombe = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff", alpha=0.05)
        two.append({"table": [a, n, b, m], "fisher": float(stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue), "newcombe": list(newcombe)})
    p_values = [0.0001, 0.04, 0.03, 0.01, 0.2, 0.03, 0.9]
    beta = [(0.5, 0.5, 0.3), (1, 1, 0.25), (2, 5, 0.1), (30, 1, 0.9), (1491, 331, 0.83), (50_001, 50_000, 0.5), (3, 999_998, 1e-6)]
    expected = {
        "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__},
        "shares": clopper,
        "paired": paired,
        "two": two,
        "holm": {"p_values": p_values, "adjusted": multitest.multipletests(p_values, method="holm")[1].tolist()},
        "beta": [{"a": a, "b": b, "x": x, "value": float(special.betainc(a, b, x))} for a, b, x in beta],
        "normal": [{"share": s, "quantile": float(stats.norm.ppf(s))} for s in [1e-6, 0.025, 0.05, 0.5, 0.9, 0.975]],
    }
    pathlib.Path(__file__).with_name("expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
