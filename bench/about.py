"""What every benchmark is asked, and what it says of where it ran."""

import argparse
import importlib.metadata
import os
import pathlib
import platform
import subprocess


def parser(program, description, data, out):
    """The options that all have; `data` says what the folder holds, `out` where the tables go."""
    take = argparse.ArgumentParser(prog=program, description=description)
    take.add_argument("--data", default=os.environ.get("SAGEBRUSH_DATASETS"), help=f"folder of {data}")
    take.add_argument("--profile", default="release", help="cargo's profile of our programs (release)")
    take.add_argument("--out", default=out, help="where the tables go")
    take.add_argument("--work", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    take.add_argument("--target", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    return take


def parsed(take):
    """What was asked; without data there is nothing to measure."""
    asked = take.parse_args()
    if not asked.data:
        take.error("--data DIR (or SAGEBRUSH_DATASETS) names the folder of the data sets")
    asked.data = pathlib.Path(asked.data)
    return asked


def machine():
    with open("/proc/cpuinfo", encoding="utf8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def versions(packages, *tools):
    """Of our sources, of `tools` (as text) and of the peers' packages."""
    commit, rustc = said("git", "rev-parse", "--short", "HEAD"), said("rustc", "--version").split()[1]
    peers = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return ", ".join((f"commit {commit}", f"rustc {rustc}", *tools, f"Python {platform.python_version()}", *peers))
