"""What capture costs a request: off, on, and with a folder that takes nothing. Called by main.py, `bench/serve --capture`."""

import shutil
import statistics
import sys

from servers import Server, free_port

OFF = "off"


def quiet(runs, key):
    return statistics.quantiles((run[key] for run in runs), n=4, method="inclusive")[0]


def measure(asked, command, load):
    """Rounds, each server in turn. Rates are medians; latencies the lower quartile of the rounds, those that others on the
    machine disturbed the least."""
    folder = asked.work / "capture"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "file").touch()
    (folder / "full").mkdir()
    # A disk of 64 KiB in a namespace of its own.
    full = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=64k none "{folder}/full" && exec "$@"', "sh"]
    kinds = {
        OFF: ([], {}),
        "on": ([], {"DIR": folder / "on"}),
        "on, 10 %": ([], {"DIR": folder / "sampled", "PERCENT": 10}),
        "on, personal data left out": ([], {"DIR": folder / "redacted", "REDACT": "all", "REDACT_PATTERN": r"ORD-\d+"}),
        "no such folder can be": ([], {"DIR": folder / "file" / "captures"}),
        "the disk is full": (full, {"DIR": folder / "full"}),
    }
    servers = {}
    for name, (prefix, settings) in kinds.items():
        port = free_port()
        # Files of a day are more than a bench should leave.
        variables = {f"SAGEBRUSH_CAPTURE_{key}": str(value) for key, value in ({"DISK_BYTES": 64 << 20} | settings).items()}
        servers[name] = Server(name, port, [[*prefix, *command(port)]], folder / f"{len(servers)}.log", variables)
    try:
        for server in servers.values():
            server.start()
        runs = {(name, pause): [] for name in servers for pause in (0, 1)}
        # With a millisecond between two requests of a connection, for what one waits; then all that it takes.
        for pause, rounds in ((1, 4 * asked.rounds), (0, asked.rounds)):
            for number in range(rounds + 1):
                # Each is the first in its turn; the first round warms up and is not counted.
                for name in [*servers][number % len(servers) :] + [*servers][: number % len(servers)]:
                    measured = load(servers[name], pause)
                    if number:
                        runs[name, pause].append(measured)
    finally:
        for server in servers.values():
            server.stop()
    print("| capture | requests/s | CPU ms a request | paced: p50 ms | p99 ms | p99 ÷ off |")
    print("| --- | --: | --: | --: | --: | --: |")
    for name in servers:
        rate, cpu = (statistics.median(run[key] for run in runs[name, 0]) for key in ("rate", "cpu"))
        p50, p99 = (quiet(runs[name, 1], key) for key in ("p50", "p99"))
        ratio = p99 / quiet(runs[OFF, 1], "p99")
        print(f"| {name} | {rate:,.0f} | {cpu:.4f} | {p50 / 1000:.3f} | {p99 / 1000:.3f} | {ratio:.2f} |")
    for server in servers.values():
        told = [line for line in server.log.read_text().splitlines() if "capture:" in line]
        print(f"{server.name}: {' / '.join(told)}", file=sys.stderr)
