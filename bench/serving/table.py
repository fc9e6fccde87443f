"""Measurements of serving to Markdown."""

import datetime
import os

from about import machine, said, versions
from names import BATCH, CONNECTIONS, ECHO, FASTAPI, FLASK, OURS

MB = 1e6
PEERS = ("scikit-learn", "flask", "gunicorn", "gevent", "fastapi", "uvicorn", "uvloop")


def figures(measured):
    p50, p99 = measured["p50"] / 1000, measured["p99"] / 1000
    return f"{measured['rate']:,.0f} requests/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms, {measured['cpu']:.4f} CPU ms a request"


def session():
    """How nice the session is, where the kernel weighs sessions against each other."""
    try:
        with open("/proc/self/autogroup", encoding="utf8") as file:
            return int(file.read().split()[-1])
    except (OSError, ValueError):
        return 0


def tools():
    return f"wrk {said('wrk', '-v').split()[1]}", f"nginx {said('nginx', '-v').rpartition('/')[2]}"


def loads(result, kind):
    about, runs = result["kinds"][kind], result["runs"]
    name = {"sentence": "One sentence", "review": "A review"}[kind]
    yield f"## {name}: {about['words']:.0f} words, {about['characters']:.0f} characters (means of {about['texts']} texts in turn)"
    yield from ("", "| connections | server | requests/s | p50 ms | p99 ms | CPU ms a request | serve's requests ÷ |", "|--:|---|--:|--:|--:|--:|--:|")
    for connections in CONNECTIONS:
        ours = runs[kind, connections, OURS]
        for server in (ECHO, OURS, FLASK, FASTAPI):
            of = runs[kind, connections, server]
            cells = [f"{of['rate']:,.0f}", f"{of['p50'] / 1000:.3f}", f"{of['p99'] / 1000:.3f}", f"{of['cpu']:.4f}"]
            ratio = ours["rate"] / of["rate"]
            yield f"| {connections} | {server} | {' | '.join(cells)} | {ratio:.{2 if server == ECHO else 1}f} |"
    yield ""


def starts(result):
    yield from ("## Start and memory at rest", "", "| server | start to the first 200 on `/ping`, ms | resident MB |", "|---|--:|--:|")
    for server, of in result["servers"].items():
        # What workers share is counted once.
        yield f"| {server} | {of['start'] * 1000:,.1f} | {of['pss'] / MB:,.1f} |"
    yield ""
    for name, of in result["starts"].items():
        beyond = (of["rss"] - of["artifact"]) / MB
        yield (
            f"- `serve` with {name}, {of['artifact'] / MB:.1f} MB: {of['start'] * 1000:.1f} ms (median of 9; the longest {of['longest'] * 1000:.1f}), at rest "
            f"{of['rss'] / MB:.1f} MB resident: the artifact and {beyond:.1f} MB."
        )
    yield ""


def batch(result):
    of = result["batch"]
    alone = 1000 / of["library"]
    yield from (
        f"## {BATCH:,} reviews in one request",
        "",
        f"{of['rate']:,.0f} reviews a second on one connection; the model library alone, on one thread that only scores the same "
        f"texts, {alone:,.0f} ({of['rate'] / alone:.0%}). A review takes {of['cpu']:.4f} CPU ms, of which the library {of['library']:.4f}.",
        "",
    )


def others(result):
    yield from (
        "## Beside a load",
        "",
        "`/ping` every 5 ms on one connection, timed from when it is due by a client in Python that gets its turn beside the load, which "
        "is reviews over 64 connections from the same machine, both cores of it in use:",
        "",
        "| load | reviews/s | pings | p50 ms | p99 ms | longest ms |",
        "|---|--:|--:|--:|--:|--:|",
    )
    for share, of in result["pings"].items():
        name = {0: "none", 1: "all that it takes"}.get(share, f"{of['rate'] / result['pings'][1]['rate']:.0%} of that")
        yield f"| {name} | {of['rate']:,.0f} | {of['count']:,} | {of['p50']:.2f} | {of['p99']:.2f} | {of['max']:.2f} |"
    yield from ("", "A sentence every 4 ms, likewise, and documents of 25 MB one after the other on another connection:", "")
    yield from ("| documents of 25 MB | sentences | p50 ms | p99 ms | longest ms |", "|---|--:|--:|--:|--:|")
    for of in result["huge"].values():
        huge = of["documents"]
        name = f"{huge['count']}, {huge['p50']:,.0f} ms each" if huge else "none"
        yield f"| {name} | {of['count']:,} | {of['p50']:.2f} | {of['p99']:.2f} | {of['max']:.2f} |"
    yield from ("", "## What the log and the metrics cost", "", "Sentences over 64 connections, a server each:", "")
    yield from ("| server | requests/s | CPU ms a request |", "|---|--:|--:|")
    names = {"default": "as it comes: one of 1000 in the log", "no sample": "`--log-sample 0`", "metrics": "with `--metrics-namespace`"}
    for name, of in result["quiet"].items():
        yield f"| {names[name]} | {of['rate']:,.0f} | {of['cpu']:.4f} |"
    yield ""


def memory(result):
    yield from ("## How far scoring is from memory", "")
    for name, of in result["reach"].items():
        looks = of["words"] + of["pairs"] + of["terms"]
        floor = of["lines"] * of["ns_together"]
        yield (
            f"- {name}: a review has {of['words']:.0f} words, {of['pairs']:.0f} pairs and {of['terms']:.0f} terms, which lead to {of['lines']:.0f} "
            f"lines of cache ({of['lines'] * 64 / 1000:.0f} kB). It is scored in {of['ns_a_text'] / 1000:.1f} µs, {of['ns_a_text'] / looks:.1f} ns for "
            f"each of them. A random read in as much memory takes {of['ns_waiting']:.1f} ns where each waits for the one before, "
            f"{of['ns_together']:.1f} ns where none does: the lines alone would take {floor / 1000:.1f} µs, {floor / of['ns_a_text']:.0%} of the time."
        )
    yield ""


def bounds(result):
    cores, rate = os.cpu_count(), lambda kind, connections, server: result["runs"][kind, connections, server]["rate"]
    yield from ("## What bounds it", "")
    yield (
        f"All {cores} cores are in use where 64 connections ask, by server and `wrk` together. A request of the echo takes them so long, "
        "and ours the time of scoring more, taken here from the library alone on one thread: more than this share of the echo's requests cannot "
        "be had while scoring takes what it takes, and less is what reading JSON, writing numbers and colder caches cost."
    )
    yield from ("", "| | the echo's request, µs of all cores | scoring, µs | share at most | measured |", "|---|--:|--:|--:|--:|")
    for kind, scored in result["scored"].items():
        echo, scored = cores * 1e6 / rate(kind, 64, ECHO), scored / 1000
        share = rate(kind, 64, OURS) / rate(kind, 64, ECHO)
        yield f"| {kind} | {echo:.1f} | {scored:.1f} | {echo / (echo + scored):.2f} | {share:.2f} |"
    best = lambda kind: min(rate(kind, 8, ECHO) / rate(kind, 8, server) for server in (FLASK, FASTAPI))
    yield from ("", f"At 8 connections the echo, which computes nothing, has {best('sentence'):.0f} times the better Python server's requests with "
                f"sentences and {best('review'):.0f} times with reviews: a factor above that is out of reach of any server on it.")
    taken = lambda kind, server: result["runs"][kind, 8, server]["cpu"]
    cpu = lambda kind: min(taken(kind, FLASK), taken(kind, FASTAPI)) / taken(kind, OURS)
    yield ("Requests a second count what `wrk` costs too, about as much as a request of ours and nothing beside one of Python's. Of the server's own "
           f"processors, which an endpoint is paid for, the better Python server takes {cpu('sentence'):.0f} times what ours does for a sentence "
           f"and {cpu('review'):.0f} times for a review.")
    yield ""


def targets(result):
    runs = result["runs"]
    rate = lambda kind, connections, server: runs[kind, connections, server]["rate"]
    share = lambda kind, of: of(rate(kind, c, OURS) / rate(kind, c, ECHO) for c in CONNECTIONS)
    times = lambda kind: min(rate(kind, 8, OURS) / rate(kind, 8, server) for server in (FLASK, FASTAPI))
    tail = lambda kind: runs[kind, 8, OURS]["p99"] / runs[kind, 8, ECHO]["p99"]
    batch_share = result["batch"]["rate"] * result["batch"]["library"] / 1000
    rows = [
        ("requests/s ÷ the echo's, sentence, lowest of 1, 8, 64 connections", "≥ 0.90", share("sentence", min), 0.90, ">"),
        ("requests/s ÷ the echo's, review, lowest", "≥ 0.60", share("review", min), 0.60, ">"),
        ("p99 ÷ the echo's, 8 connections, sentence", "≤ 1.5", tail("sentence"), 1.5, "<"),
        ("p99 ÷ the echo's, 8 connections, review", "≤ 1.5", tail("review"), 1.5, "<"),
        ("requests/s ÷ the better Python server's, 8 connections, sentence", "≥ 60", times("sentence"), 60, ">"),
        ("requests/s ÷ the better Python server's, 8 connections, review", "≥ 35", times("review"), 35, ">"),
        ("CPU ms a review, 8 connections", "≤ 0.03", runs["review", 8, OURS]["cpu"], 0.03, "<"),
        (f"{BATCH:,} reviews in one request ÷ the library's rate", "≥ 0.80", batch_share, 0.80, ">"),
    ]
    limits = [10, 20]
    for (name, of), limit in zip(result["starts"].items(), limits):
        rows.append((f"start, {name}, ms", f"≤ {limit}", of["start"] * 1000, limit, "<"))
        rows.append((f"at rest beyond the artifact, {name}, MB", "≤ 10", (of["rss"] - of["artifact"]) / MB, 10, "<"))
    for share in (0.9, 1):
        part = result["pings"][share]["rate"] / result["pings"][1]["rate"]
        rows.append((f"`/ping` at {part:.0%} of the load that is taken, p99 ms", "≤ 2", result["pings"][share]["p99"], 2, "<"))
    yield from ("## Beside what was aimed at", "", "| what | aim | measured | |", "|---|--:|--:|---|")
    for what, aim, measured, limit, side in rows:
        met = measured >= limit if side == ">" else measured <= limit
        yield f"| {what} | {aim} | {measured:.{3 if measured < 1 else 1}f} | {'met' if met else '**missed**'} |"
    yield ""


def document(result, asked):
    extra = " --quick" if asked.quick else f" --rounds {asked.rounds} --seconds {asked.seconds}"
    extra += " --built DIR" if asked.built else ""
    lines = [
        "# Serving, measured",
        "",
        f"`bench/serve --data DIR{extra}` wrote this page on {datetime.date.today()}; it is not edited by hand.",
        "",
        f"- {machine()}; load average at the end {os.getloadavg()[0]:.1f}",
        *(["- all of it, servers, clients and load, under `chrt -f 10`: ahead of what else the machine does, and none of them "
           "ahead of another; the system keeps a twentieth of each second for others, up to 50 ms at once, which p99s hold"] if os.sched_getscheduler(0) == os.SCHED_FIFO else []),
        *([f"- all of it in a session of nice {session()}, ahead of what else the machine does (`/proc/self/autogroup`)"] if session() else []),
        *(["- programs as they lay in `--built`, whatever the profile and commit they are of"] if asked.built else []),
        f"- {versions(PEERS, *tools())}",
        f"- {'one round' if asked.rounds == 1 else f'medians of {asked.rounds} rounds'} of {asked.seconds} s, every server in turn, "
        "all of them running; `wrk` on the same machine, with as many threads as cores",
        "- imdb, word 1-2-grams, `min_df` 2, sublinear TF-IDF, logistic regression, C 10, fitted by `train` and by scikit-learn",
        "- the echo (`serve/examples/echo.rs`) is `axum::serve` as it comes, which reads the body and answers a fixed text as long as a",
        "  prediction. Flask is behind gunicorn (gevent workers) behind nginx, as in the SageMaker containers; FastAPI behind",
        "  uvicorn (uvloop, httptools); a worker a core each",
        "- CPU ms are the kernel's, of all processes and threads of a server; memory of several processes counts what they share once",
        "",
    ]
    for kind in result["kinds"]:
        lines.extend(loads(result, kind))
    for part in (batch, memory, bounds, others, starts, targets):
        lines.extend(part(result))
    return "\n".join(lines).rstrip() + "\n"
