"""Measurements to Markdown."""

import datetime
import os

from about import machine, versions

PEERS = ("scikit-learn", "numpy", "vowpalwabbit")


def figures(measured):
    accuracy = f", accuracy {100 * measured['accuracy']:.2f} %" if "accuracy" in measured else ""
    return f"{measured['cpu']:.2f} CPU s, {measured['wall']:.2f} s, {measured['rss_mb']:.0f} MB{accuracy}"


def rows(measured):
    """A line a program, with its ratios to scikit-learn: how many times less it needs."""
    base = measured["scikit-learn"]
    yield "| program | CPU s | s | peak MB | accuracy | CPU ÷ | clock ÷ | memory ÷ |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for who, of in measured.items():
        accuracy = f"{100 * of['accuracy']:.2f}" if "accuracy" in of else ""
        ratios = " | ".join(f"{base[unit] / of[unit]:.1f}" for unit in ("cpu", "wall", "rss_mb"))
        yield f"| {who} | {of['cpu']:.2f} | {of['wall']:.2f} | {of['rss_mb']:.0f} | {accuracy} | {ratios} |"


def case(result):
    fits, scores, sizes = result["fits"], result["scores"], result["sizes"]
    name = "imdb, 25,000 reviews" if result["name"] == "imdb" else f"{int(result['name']):,} synthetic rows"
    yield from (f"## {name}", "", "Fit, from the file of text to the model on disk:", "")
    yield from rows({who: of | {"accuracy": scores[who]["accuracy"]} for who, of in fits.items()})
    yield from ("", "Scoring 25,000 texts with the model from disk:", "")
    yield from rows(scores)
    one, two = fits["ours, cores: 1"], fits["ours, cores: 2"]
    vw = fits["Vowpal Wabbit, passes: 1"]
    ours, theirs = sizes["ours"] / 1e6, sizes["scikit-learn"] / 1e6
    ours_open, theirs_open = scores["ours, cores: 1"]["open_ms"], scores["scikit-learn"]["open_ms"]
    yield from (
        "",
        f"Two cores are {one['wall'] / two['wall']:.2f} × as fast as one to fit. One pass of Vowpal Wabbit over its "
        f"prepared words takes {vw['cpu']:.2f} CPU s, our fit from the raw file {one['cpu'] / vw['cpu']:.2f} × that.",
        "",
        f"On disk: artifact {ours:.1f} MB, scikit-learn's pickle {theirs:.1f} MB ({theirs / ours:.1f} ×). "
        f"To open: {ours_open:.2f} ms and {theirs_open:.0f} ms.",
        "",
        f"How far from the limit: one pass over the {result['text_bytes'] / 1e6:.1f} MB of text in memory takes "
        f"{result['pass'] * 1000:.1f} ms ({result['text_bytes'] / result['pass'] / 1e9:.1f} GB/s); the fit on one core "
        f"is {one['cpu'] / result['pass']:.0f} such passes. Seconds on one core and on two: {stages(one, two)}.",
        "",
    )


STAGES = {
    "channel": "reading, checks, words and their numbers",
    "counted": "n-grams and their counts",
    "weighted": "weights",
    "solver": "the solver",
    "artifact": "the artifact",
}


def stages(one, two):
    return ", ".join(f"{name} {one[f'stage {key}']:.2f} and {two[f'stage {key}']:.2f}" for key, name in STAGES.items())


def growth(results):
    """How the fit grows from one number of synthetic rows to the next."""
    rows = [result for result in results if result["name"] != "imdb"]
    for less, more in zip(rows, rows[1:]):
        times = int(more["name"]) / int(less["name"])
        a, b = less["fits"]["ours, cores: 2"], more["fits"]["ours, cores: 2"]
        yield (
            f"{times:.0f} × the rows take {b['wall'] / a['wall']:.1f} × the time, {b['cpu'] / a['cpu']:.1f} × the CPU seconds and "
            f"{b['rss_mb'] / a['rss_mb']:.1f} × the memory ({int(less['name']):,} to {int(more['name']):,} rows, two cores)."
        )
        yield ""


def document(results, asked):
    extra = (" --million" if asked.million else "") + (f" --runs {asked.runs}" if asked.runs != 3 else "")
    extra += f" --cases {asked.cases}" if asked.cases != "imdb,100000" else ""
    extra += f" --profile {asked.profile}" if asked.profile != "release" else ""
    lines = [
        "# Benchmarks",
        "",
        f"`bench/run --data DIR{extra}` wrote this page on {datetime.date.today()}; it is not edited by hand.",
        "",
        f"- {machine()}; load average at the end {os.getloadavg()[0]:.1f}",
        f"- {versions(PEERS)}",
        f"- medians of {asked.runs}, every program in turn on the same files; CPU seconds are the kernel's, of all threads;",
        "  `OPENBLAS_NUM_THREADS=1`",
        "- word 1-2-grams, `min_df` 2, sublinear TF-IDF, logistic regression, C 10. Of the Python programs the start of the",
        "  interpreter and the imports are left out, of Vowpal Wabbit (`--ngram 2 -b 24`, hashed) also the cutting of text",
        "  into its format. Ours is the whole program `train`, and an example that reads, scores and compares.",
        "- ours on one core: `--threads 1`, and held to one processor; a ratio says how many times less than scikit-learn",
        "- where the time goes: text is lowercased, cut and looked up word by word (a cache miss for each rarer word), n-grams",
        "  are looked up twice (once counted, once numbered), and the solver reads all values 20 to 30 times, there and back;",
        "  each of these is bound by the latency of the nearer caches, not by the memory's bandwidth",
        "",
    ]
    for result in results:
        lines.extend(case(result))
    lines.extend(growth(results))
    return "\n".join(lines).rstrip() + "\n"
