"""What one client sees beside a load: requests sent on a schedule, each timed from when it was due."""

import socket
import statistics
import threading
import time

PING = b"GET /ping HTTP/1.1\r\nHost: bench\r\n\r\n"


def post(body, kind="application/json"):
    head = f"POST /invocations HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def exchange(stream, request):
    stream.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += stream.recv(1 << 16)
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"bench: beside a load: {head[:200]!r}")
    length = next(int(line[16:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: "))
    while len(body) < length:
        body += stream.recv(1 << 16)


class Client(threading.Thread):
    """Sends `request` every so many seconds until it is ended; 0: without a pause."""

    def __init__(self, port, request, every):
        super().__init__()
        self.port, self.request, self.every, self.times, self.running = port, request, every, [], True
        self.start()

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as stream:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            due = time.perf_counter()
            while self.running:
                exchange(stream, self.request)
                now = time.perf_counter()
                self.times.append(now - due)
                due = due + self.every if self.every else now
                time.sleep(max(0, due - time.perf_counter()))

    def end(self):
        """Milliseconds: median, 99th percentile, longest, and how many."""
        self.running = False
        self.join()
        times = sorted(self.times)
        p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
        ms = [seconds * 1000 for seconds in (statistics.median(times), p99, times[-1])]
        return {"p50": ms[0], "p99": ms[1], "max": ms[2], "count": len(times)}


def pings(server, load, rate):
    """Pings every 5 ms: alone, at nine tenths of the load that it takes, and at all of it."""
    seen = {}
    for share in (0, 0.9, 1):
        client = Client(server.port, PING, 0.005)
        if share == 0:
            time.sleep(3)
            seen[share] = client.end() | {"rate": 0}
        else:
            # Milliseconds that each of 64 connections waits, so that all of them ask at that rate.
            pause = 64_000 / (rate * share) if share < 1 else 0
            if pause:
                # An answer takes its time too, and wrk's clock ticks: what that adds, as it is seen, is taken off.
                pause = max(0.05, pause - (64_000 / load(pause)["rate"] - pause))
                client.times.clear()
            measured = load(pause)
            seen[share] = client.end() | {"rate": measured["rate"]}
    return seen


def huge(server, sentence, seconds):
    """Sentences every 4 ms, alone and while documents of 25 MB are answered one after the other."""
    seen = {}
    request = post(b"A wonderful film with a number of other words in it. " * (25_000_000 // 53), "text/plain")
    for documents in (0, 1):
        client = Client(server.port, post(sentence), 0.004)
        load = Client(server.port, request, 0) if documents else None
        time.sleep(seconds)
        seen[documents] = client.end() | {"documents": load.end() if load else None}
    return seen
