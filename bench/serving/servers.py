"""Servers: started, asked whether they are ready, and accounted for from what the kernel says of their processes."""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 120


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """One or more programs in a process group of their own, behind one port."""

    def __init__(self, name, port, commands, log, environment=None):
        self.name, self.port, self.commands, self.log = name, port, commands, log
        self.environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"} | (environment or {})
        self.children = []

    def start(self):
        """Seconds from the start of the first process to the first 200 on /ping."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            for command in self.commands:
                child = subprocess.Popen(
                    [*map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environment,
                    process_group=self.children[0].pid if self.children else 0,
                )
                self.children.append(child)
        while not self.ready():
            if time.monotonic() - began > PATIENCE or any(child.poll() is not None for child in self.children):
                self.stop()
                raise SystemExit(f"bench: {self.name} does not answer /ping; see {self.log}")
            time.sleep(0.0002)
        return time.monotonic() - began

    def ready(self):
        try:
            # Without a header more than it takes, and without the client's own slow start.
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as stream:
                stream.sendall(b"GET /ping HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                return stream.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def post(self, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status != 200:
            raise SystemExit(f"bench: {self.name} answers {response.status}: {text[:200]!r}")
        return text

    def processes(self):
        """Of its group, all that live."""
        group = self.children[0].pid
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[2]) == group:
                    yield entry, fields

    def cpu(self):
        """Processor seconds of all its processes."""
        return sum(int(fields[11]) + int(fields[12]) for _, fields in self.processes()) / TICKS

    def memory(self, field):
        """Sum over its processes, in bytes; `Rss`, or `Pss`, which counts what several share once."""
        total = 0
        for entry, _ in self.processes():
            for line in (entry / "smaps_rollup").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        if self.children:
            try:
                os.killpg(self.children[0].pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
            for child in self.children:
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self.children = []
