"""What capture costs a request: off, on, and with a folder that takes nothing. Called by main.py, `bench/serve --capture`."""

import shutil
import statistics
import sys

from servers import Server, free_port

OFF = "off"


def measure(asked, command, load):
    """`asked.rounds` rounds, each server in turn; each figure is the median, each ratio the median of those in a round."""
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
        runs = {name: [] for name in servers}
        for number in range(asked.rounds + 1):
            # Each is the first in its turn; the first round warms up and is not counted.
            order = [*servers][number % len(servers) :] + [*servers][: number % len(servers)]
            for name in order:
                measured = load(servers[name])
                if number:
                    runs[name].append(measured)
    finally:
        for server in servers.values():
            server.stop()
    print("| capture | requests/s | p50 ms | p99 ms | p99 ÷ off | CPU ms a request |")
    print("| --- | --: | --: | --: | --: | --: |")
    for name, measured in runs.items():
        rate, p50, p99, cpu = (statistics.median(run[key] for run in measured) for key in ("rate", "p50", "p99", "cpu"))
        ratio = statistics.median(run["p99"] / off["p99"] for run, off in zip(measured, runs[OFF]))
        print(f"| {name} | {rate:,.0f} | {p50 / 1000:.3f} | {p99 / 1000:.3f} | {ratio:.3f} | {cpu:.4f} |")
    for server in servers.values():
        told = [line for line in server.log.read_text().splitlines() if "capture:" in line]
        print(f"{server.name}: {' / '.join(told)}", file=sys.stderr)
