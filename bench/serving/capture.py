"""What capture costs a request: off, on, and with a folder that takes nothing. Called by main.py, `bench/serve --capture`."""

import shutil
import statistics
import sys

from servers import Server, free_port

OFF = "off"
# The same again: how far apart two are between which there is no difference.
AGAIN = "off, another process"


def measure(asked, command, load):
    """Rounds, each server in turn and started anew: where a process has its memory tells in its latencies. Medians of the
    rounds, and what each latency is of that of the same round without capture."""
    folder = asked.work / "capture"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "file").touch()
    (folder / "full").mkdir()
    # A disk of 64 KiB in a namespace of its own.
    full = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=64k none "{folder}/full" && exec "$@"', "sh"]
    kinds = {
        OFF: ([], {}),
        AGAIN: ([], {}),
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
    runs = {(name, pause): [] for name in servers for pause in (0, 1)}
    # With a millisecond between two requests of a connection, for what one waits; then all that it takes.
    for pause, rounds in ((1, 8 * asked.rounds), (0, asked.rounds)):
        for number in range(rounds):
            # Each is the first in its turn.
            for name in [*servers][number % len(servers) :] + [*servers][: number % len(servers)]:
                server = servers[name]
                try:
                    server.start()
                    load(server, pause)
                    runs[name, pause].append(load(server, pause))
                finally:
                    server.stop()
    print("| capture | requests/s | CPU ms a request | paced: p50 ms | p99 ms | p50 ÷ off | p99 ÷ off | half of the rounds |")
    print("| --- | --: | --: | --: | --: | --: | --: | --: |")
    for name in servers:
        rate, cpu = (statistics.median(run[key] for run in runs[name, 0]) for key in ("rate", "cpu"))
        p50, p99 = (statistics.median(run[key] for run in runs[name, 1]) for key in ("p50", "p99"))
        of_off = lambda key: [run[key] / off[key] for run, off in zip(runs[name, 1], runs[OFF, 1])]  # noqa: B023, E731
        low, middle, high = statistics.quantiles(of_off("p99"), n=4, method="inclusive")
        shares = f"{statistics.median(of_off('p50')):.2f} | {middle:.2f} | {low:.2f} to {high:.2f}"
        print(f"| {name} | {rate:,.0f} | {cpu:.4f} | {p50 / 1000:.3f} | {p99 / 1000:.3f} | {shares} |")
    for server in servers.values():
        told = [line for line in server.log.read_text().splitlines() if "capture:" in line]
        print(f"{server.name}: {told[-1] if told else 'nothing'}", file=sys.stderr)
