"""The benchmark of serving; start it by bench/serve, which makes its environment. Figures come from runs, here and now."""

import csv
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import about
import beside
import capture
import table
from names import BATCH, CONNECTIONS, ECHO, FASTAPI, FLASK, OURS
from servers import Server, free_port

HERE = pathlib.Path(__file__).parent
SETTINGS = {
    "tune": "none", "algorithm": "logistic", "solver": "sparse", "C": "10", "ngram_range": "1,2", "min_df": "2",
    "sublinear_tf": "true", "calibration": "none",
}  # fmt: skip
BIG = SETTINGS | {"ngram_range": "1,3", "min_df": "1"}


def arguments():
    described = "serve beside an axum echo and Python servers"
    parser = about.parser("bench/serve", described, "imdb/{train,test}.csv", "docs/serving-benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="one round of 1 s a measurement, without the big model")
    parser.add_argument("--capture", action="store_true", help="only what capture costs; prints a table")
    parser.add_argument("--rounds", type=int, help="rounds; the median is told (3)")
    parser.add_argument("--seconds", type=int, help="of each measurement (3)")
    parser.add_argument("--built", type=pathlib.Path, help="folder of our programs, built already (cargo builds them)")
    asked = about.parsed(parser)
    asked.work, asked.target = asked.work.resolve(), asked.target.resolve()
    asked.rounds = asked.rounds or (1 if asked.quick else 3)
    asked.seconds = asked.seconds or (1 if asked.quick else 3)
    return asked


def build(asked):
    if asked.built:
        return asked.built.resolve()
    cargo = ["cargo", "build", "--locked", "--quiet", "--profile", asked.profile]
    subprocess.run([*cargo, "-p", "trainer", "-p", "serve", "--bins"], check=True)
    subprocess.run([*cargo, "-p", "serve", "--example", "echo"], check=True)
    subprocess.run([*cargo, "-p", "model", "--example", "rate", "--example", "reach"], check=True)
    return asked.target / ("debug" if asked.profile == "dev" else asked.profile)


def fitted(asked, built, name, settings):
    """An ml-root with our model of imdb; made once for each program and settings."""
    root, key = asked.work / name, json.dumps([settings, (built / "train").stat().st_mtime_ns])
    if not (root / "key").exists() or (root / "key").read_text() != key:
        shutil.rmtree(root, ignore_errors=True)
        (root / "input/config").mkdir(parents=True)
        (root / "input/data/train").mkdir(parents=True)
        (root / "input/config/hyperparameters.json").write_text(json.dumps(settings))
        (root / "input/data/train/train.csv").symlink_to((asked.data / "imdb/train.csv").resolve())
        subprocess.run([built / "train", "--ml-root", root], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (root / "key").write_text(key)
    return root


def pickled(asked):
    """The peers' model of imdb; made once."""
    pickle = asked.work / "model.pickle"
    if not pickle.exists():
        aside = pickle.with_suffix(".part")
        subprocess.run([sys.executable, HERE / "peers.py", asked.data / "imdb/train.csv", aside], check=True)
        aside.rename(pickle)
    return pickle


def bodies(asked):
    """Files of bodies, one a line: 256 sentences, 256 reviews of about 230 words, and one of BATCH reviews."""
    csv.field_size_limit(1 << 24)
    with open(asked.data / "imdb/test.csv", encoding="utf8", newline="") as file:
        texts = [row["review_text"] for row in csv.DictReader(file)]
    first = (re.split(r"(?<=[.!?]) ", text)[0] for text in texts)
    kinds = {
        "sentence": [text for text in first if 12 <= len(text.split()) <= 22][:256],
        "review": [text for text in texts if 225 <= len(text.split()) <= 235][:256],
    }
    files = {}
    for name, chosen in kinds.items():
        files[name] = asked.work / f"{name}.jsonl"
        lines = [json.dumps({"text": text}, ensure_ascii=False) for text in chosen]
        files[name].write_text("".join(line + "\n" for line in lines), encoding="utf8")
        words, size = (statistics.mean(map(of, chosen)) for of in (lambda text: len(text.split()), len))
        kinds[name] = {"texts": len(chosen), "words": words, "characters": size}
    chosen = texts[:BATCH]
    files["batch"], files["batch_texts"] = asked.work / "batch.jsonl", asked.work / "batch-texts.jsonl"
    files["batch"].write_text(json.dumps({"instances": chosen}, ensure_ascii=False) + "\n", encoding="utf8")
    files["batch_texts"].write_text("".join(json.dumps({"text": text}) + "\n" for text in chosen), encoding="utf8")
    return files, kinds


def wrk(port, connections, seconds, file, pause=0):
    threads = min(connections, os.cpu_count())
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", HERE / "post.lua", f"http://127.0.0.1:{port}"]
    said = subprocess.run([*map(str, command), "--", str(file), str(pause)], check=True, capture_output=True, text=True).stdout
    return json.loads(said.strip().splitlines()[-1])


def load(server, connections, seconds, file, pause=0):
    before = server.cpu()
    measured = wrk(server.port, connections, seconds, file, pause)
    if measured["failed"]:
        raise SystemExit(f"bench: {server.name}: {measured['failed']} of {measured['requests']} requests failed; see {server.log}")
    cpu = (server.cpu() - before) * 1000 / max(measured["requests"], 1)
    rate = measured["requests"] / measured["seconds"]
    return {"rate": rate, "p50": measured["p50_us"], "p99": measured["p99_us"], "cpu": cpu}


def median(runs):
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def servers(asked, built, root, pickle):
    work, cores = asked.work, str(os.cpu_count())
    ports = {name: free_port() for name in (ECHO, OURS, FLASK, FASTAPI)}
    config = (HERE / "nginx.conf").read_text().replace("WORK", str(work)).replace("PORT", str(ports[FLASK]))
    (work / "nginx.conf").write_text(config)
    python, peer = pathlib.Path(sys.executable).parent, {"MODEL": str(pickle), "PYTHONPATH": str(HERE)}
    gunicorn = [python / "gunicorn", "-k", "gevent", "-w", cores, "-b", f"unix:{work}/gunicorn.sock", "flask_app:app"]
    nginx = ["nginx", "-p", work, "-e", "stderr", "-c", work / "nginx.conf"]
    uvicorn = [python / "uvicorn", "--workers", cores, "--no-access-log", "--port", ports[FASTAPI], "fastapi_app:app"]
    commands = {
        ECHO: ([[built / "examples/echo", ports[ECHO]]], {}),
        OURS: ([serve(built, root, ports[OURS])], {}),
        FLASK: ([gunicorn, nginx], peer),
        FASTAPI: ([uvicorn], peer),
    }
    log = work / "servers.log"
    return {name: Server(name, ports[name], command, log, extra) for name, (command, extra) in commands.items()}


def serve(built, root, port):
    return [built / "serve", "--ml-root", root, "--host", "127.0.0.1", "--port", port]


def started(server, times):
    """The median start, and memory at rest after the last."""
    seconds = []
    for _ in range(times):
        server.stop()
        seconds.append(server.start())
    return {"start": statistics.median(seconds), "longest": max(seconds), "rss": server.memory("Rss"), "pss": server.memory("Pss")}


def artifact_bytes(root):
    return sum(file.stat().st_size for file in (root / "model").iterdir())


def start_of(asked, built, root, times):
    """Ours alone with this model: start, memory at rest, size of the artifact."""
    server = Server(OURS, port := free_port(), [serve(built, root, port)], asked.work / "servers.log")
    try:
        measured = started(server, times)
        # What is verified after the start is in memory then.
        while (rest := server.memory("Rss")) > measured["rss"] and server.ready():
            measured["rss"] = rest
        return measured | {"artifact": artifact_bytes(root)}
    finally:
        server.stop()


def batch(asked, built, root, server, files):
    """Reviews a second in requests of BATCH, and by the model library alone on one thread."""
    command = [built / "examples/rate", root / "model", files["batch_texts"]]
    library = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    # A second holds few of these requests.
    runs = [load(server, 1, max(3, asked.seconds), files["batch"]) for _ in range(asked.rounds)]
    measured = median(runs)
    return {"rate": measured["rate"] * BATCH, "cpu": measured["cpu"] / BATCH, "library": library["ns_a_text"] / 1e6}


def quiet(asked, built, root, files):
    """Reviews a second at 64 connections, without the log's sample, and with metrics, each beside the default."""
    runs = {}
    for name, extra in {"default": [], "no sample": ["--log-sample", "0"], "metrics": ["--metrics-namespace", "Bench"]}.items():
        server = Server(OURS, port := free_port(), [[*serve(built, root, port), *extra]], asked.work / "servers.log")
        server.start()
        try:
            load(server, 64, 1, files["sentence"])
            runs[name] = median([load(server, 64, asked.seconds, files["sentence"]) for _ in range(asked.rounds)])
        finally:
            server.stop()
    return runs


def reach(built, root, file):
    command = [built / "examples/reach", root / "model", file]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    asked = arguments()
    built = build(asked)
    root = fitted(asked, built, "imdb", SETTINGS)
    files, kinds = bodies(asked)
    if asked.capture:
        sentences = files["sentence"]
        busy = lambda server, pause: load(server, 16, asked.seconds, sentences, pause)  # noqa: E731
        capture.measure(asked, lambda port: serve(built, root, port), busy)
        return
    pickle = pickled(asked)
    result = {"kinds": kinds, "starts": {"imdb, words and pairs": start_of(asked, built, root, 9)}}
    reaches = {kind: reach(built, root, files[kind]) for kind in kinds}
    result["reach"] = {"imdb, words and pairs": reaches["review"]}
    result["scored"] = {kind: of["ns_a_text"] for kind, of in reaches.items()}
    if not asked.quick:
        result["starts"]["imdb, 1-3-grams, min_df 1"] = start_of(asked, built, fitted(asked, built, "big", BIG), 9)
    every = servers(asked, built, root, pickle)
    try:
        result["servers"] = {name: started(server, 1) for name, server in every.items()}
        first = files["review"].read_text(encoding="utf8").split("\n")[0].encode()
        labels = {json.loads(every[name].post(first))["predictions"][0]["label"] for name in (OURS, FLASK, FASTAPI)}
        if len(labels) != 1:
            raise SystemExit(f"bench: the servers do not agree on a review: {labels}")
        runs = {}
        for _ in range(asked.rounds):
            for kind in kinds:
                for connections in CONNECTIONS:
                    for name, server in every.items():
                        # In turn, so that a busy minute falls on all of them.
                        measured = load(server, connections, asked.seconds, files[kind])
                        runs.setdefault((kind, connections, name), []).append(measured)
                        print(f"{kind}, {connections} connections, {name}: {table.figures(measured)}", file=sys.stderr)
        result["runs"] = {key: median(measured) for key, measured in runs.items()}
        result["batch"] = batch(asked, built, root, every[OURS], files)
        ours, seconds = every[OURS], max(5, asked.seconds)
        rate = result["runs"]["review", 64, OURS]["rate"]
        result["pings"] = beside.pings(ours, lambda pause: load(ours, 64, seconds, files["review"], pause), rate)
        sentence = files["sentence"].read_bytes().split(b"\n")[0]
        result["huge"] = beside.huge(ours, sentence, seconds)
        result["quiet"] = quiet(asked, built, root, files)
    finally:
        for server in every.values():
            server.stop()
    text = table.document(result, asked)
    pathlib.Path(asked.out).write_text(text, encoding="utf8")
    print(text)


main()
