"""A program's processor seconds (of all its threads), seconds of the clock and peak memory, from the kernel's account of it."""

import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def run(command, log, cores=None):
    """Runs to the end, on so many cores (all); what it measured, the seconds of stages that it tells in lines `stage … (1.23 s)`, and
    the JSON of its last line on stdout where there is one."""
    # BLAS threads spin while they wait and would inflate the peers' processor time.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with open(log, "a+", encoding="utf8") as streams:
        start, clock = streams.seek(0, os.SEEK_END), time.monotonic()
        held = None if cores is None else lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
        child = subprocess.Popen(command, stdout=streams, stderr=streams, env=environment, preexec_fn=held)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - clock
        child.returncode = os.waitstatus_to_exitcode(status)
        streams.seek(start)
        said = streams.read()
    if child.returncode != 0:
        sys.exit(f"bench: `{' '.join(command)}` ended with {child.returncode}:\n{said}")
    measured = {"cpu": usage.ru_utime + usage.ru_stime, "wall": wall, "rss_mb": usage.ru_maxrss / 1024}
    stages = re.findall(r"^(\w+)\b.*\(.*?([\d.]+) s\)$", said, re.MULTILINE)
    measured |= {f"stage {stage}": float(seconds) for stage, seconds in stages}
    last = (said.strip().splitlines() or [""])[-1]
    if last.startswith("{"):
        measured |= json.loads(last)
        measured["cpu"] -= measured.pop("import_cpu", 0)
        measured["wall"] -= measured.pop("import_wall", 0)
    return measured


def peer(step, *arguments, log):
    """One step of peers.py."""
    # The interpreter's start counts as an import.
    return run([sys.executable, os.path.join(HERE, "peers.py"), repr(time.monotonic()), step, *map(str, arguments)], log)


def median(runs):
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def one_pass(path):
    """Seconds to look at every byte of a file that is in memory, once: the least that any program needs."""
    with open(path, "rb") as file:
        text = file.read()

    def seconds():
        clock = time.process_time()
        text.count(b"\x00")
        return time.process_time() - clock

    return statistics.median(seconds() for _ in range(9)), len(text)
