"""A workflow's jobs, in the order of `needs`, and their steps as the file has them.

Shell steps run in bash as GitHub runs them; actions have stand-ins (actions.py). What this does not know of the syntax is an
error, and what is not run is told at the end: nothing is passed over in silence.
"""

import itertools
import os
import pathlib
import platform
import re
import subprocess
import tempfile

import yaml
from actions import STAND_INS, Failed, git
from expression import condition, hash_files, substitute, text

JOB = {"concurrency", "defaults", "env", "environment", "if", "name", "needs", "outputs", "permissions", "runs-on", "steps"}
JOB |= {"strategy", "timeout-minutes"}
STEP = {"continue-on-error", "env", "id", "if", "name", "run", "shell", "uses", "with", "working-directory"}
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}


DID = {name: did.__doc__ for name, did in STAND_INS.items()}
DID["environment"] = "reviewers, if there are any, are not asked; the job gets its variables."


class Unknown(Exception):
    """Syntax that is not known here."""


def load(path):
    """The file's YAML; `on` is a word there, and no truth value."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.yaml_implicit_resolvers = {
        first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:bool"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
    return yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506 (a SafeLoader)


class Run:
    """One run of a workflow."""

    def __init__(self, given):
        self.repository = given.repository.resolve()
        self.file = load(given.file)
        self.label = given.file.name
        self.name, self.id = "example/reviews", given.run_id
        self.ref = given.ref
        self.sha = git(self.repository, "rev-parse", "HEAD")
        self.emulator = given.emulator or ""
        self.work = given.work.resolve()
        self.artifacts = self.work / "artifacts"
        self.workspace = (given.workspace or self.work / "workspace").resolve()
        self.vars, self.given, self.replaced = given.vars, given.outputs, dict(given.replaced)
        self.event_name, self.event = given.event, self._event(given)
        self.results, self.told, self.stood_in, self.used = {}, [], {}, set()
        self.recording, self.calls = given.calls or (None, None)

    def _event(self, given):
        if given.event != "pull_request":
            return {}
        head = {"sha": self.sha, "repo": {"full_name": self.name}}
        return {"pull_request": {"number": 1, "head": head, "base": {"sha": git(self.repository, "rev-parse", given.base)}}}

    def github(self, job, workspace):
        return {
            "event": self.event,
            "event_name": self.event_name,
            "job": job,
            "ref": self.ref,
            "ref_name": self.ref.rpartition("/")[2],
            "repository": self.name,
            "run_id": self.id,
            "server_url": "https://github.com",
            "sha": self.sha,
            "token": "stand-in",
            "workspace": str(workspace),
        }

    def tell(self, line):
        print(line, flush=True)

    def note(self, line):
        """What a reader must know at the end."""
        self.told.append(line)
        self.tell(f"   ~ {line}")

    def execute(self):
        """Runs all; whether none failed."""
        jobs = self.file["jobs"]
        done = set()
        while len(done) < len(jobs):
            ready = [n for n, job in jobs.items() if n not in done and set(listed(job.get("needs"))) <= done]
            if not ready:
                raise Unknown(f"{self.label}: jobs need one another: {sorted(set(jobs) - done)}")
            self.results[ready[0]] = self.job(ready[0], jobs[ready[0]])
            done.add(ready[0])
        if left := [name for name in self.replaced if name not in self.used]:
            raise Unknown(f"no such steps to replace: {left}")
        return all(result["result"] != "failure" for result in self.results.values())

    def job(self, name, what):
        if unknown := set(what) - JOB:
            raise Unknown(f"{self.label}, job {name}: {sorted(unknown)} are not known here")
        needs = {need: self.results[need] for need in listed(what.get("needs"))}
        ok = all(need["result"] == "success" for need in needs.values())
        status = statuses(ok)
        contexts = {"github": self.github(name, self.work), "needs": needs, "vars": self.variables(None), "inputs": {}}
        self.tell(f"\n== {self.label}, job {name}")
        if not condition(what.get("if"), contexts, status):
            self.note(f"job {name} is skipped: {what.get('if') or 'what it needs has not come to its end'}")
            return {"result": "skipped", "outputs": {}}
        if name in self.given:
            shown = ", ".join(f"{key}={value}" for key, value in self.given[name].items())
            self.note(f"job {name} is not run here; its outputs are given: {shown}")
            return {"result": "success", "outputs": self.given[name]}
        outputs, result = {}, "success"
        for leg in legs(what.get("strategy")):
            job = Job(self, name, what, needs, leg)
            if "arm" in job.machine and platform.machine() != "aarch64":
                self.note(f"job {name}, leg {leg}: not run, there is no {job.machine} here")
                continue
            if not job.execute():
                result = "failure"
            outputs |= {key: value for key, value in job.outputs().items() if value}
        self.tell(f"   {name}: {result}")
        return {"result": result, "outputs": outputs}

    def recorded(self):
        """How far the emulator's recording has come."""
        return pathlib.Path(self.recording).stat().st_size if self.recording else 0

    def deal(self, before, role):
        """Puts the calls that were recorded since to those of the role that the job has taken on."""
        if not self.recording or self.recorded() == before:
            return
        if role is None:
            raise Unknown("a job without credentials has called the emulator")
        with open(self.recording, "rb") as all_calls, open(pathlib.Path(self.calls) / f"{role}.jsonl", "ab") as own:
            all_calls.seek(before)
            own.write(all_calls.read())

    def summary(self):
        """What a reader of the run must know of it."""
        self.tell(f"\n== {self.label}: what stood in for GitHub, and what was not run")
        for name, jobs in sorted(self.stood_in.items()):
            self.tell(f"   ~ {name}, {len(jobs)} times: {DID[name]}")
        for line in self.told:
            self.tell(f"   ~ {line}")
        self.tell("   " + ", ".join(f"{name}: {result['result']}" for name, result in self.results.items()))

    def variables(self, environment):
        """Variables of the repository, and the environment's over them."""
        return self.vars.get("", {}) | (self.vars.get(environment, {}) if environment else {})


class Job:
    """One job, or one leg of its matrix."""

    def __init__(self, run, name, what, needs, matrix):
        self.run, self.name, self.what, self.needs, self.matrix = run, name, what, needs, matrix
        self.steps, self.failed, self.role = {}, False, None
        # Without a checkout the workspace is empty; with one it is the same folder for every job, as it is there.
        uses = [step.get("uses", "") for step in what["steps"]]
        checked_out = any(use.startswith("actions/checkout@") for use in uses)
        self.workspace = run.workspace if checked_out else pathlib.Path(tempfile.mkdtemp(dir=run.work))
        self.workspace.mkdir(exist_ok=True)
        self.temp = tempfile.mkdtemp(dir=run.work)
        self.permissions = what.get("permissions", run.file.get("permissions", {}))
        environment = what.get("environment")
        self.environment = environment.get("name") if isinstance(environment, dict) else environment
        self.env = {}
        self.machine = self.put(what["runs-on"])
        self.env = {key: text(value) for key, value in self.put({**run.file.get("env", {}), **what.get("env", {})}).items()}
        self.path = []

    def contexts(self, steps=None, inputs=None):
        return {
            "env": self.env,
            "github": self.run.github(self.name, self.workspace),
            "inputs": inputs or {},
            "job": {"status": "failure" if self.failed else "success"},
            "matrix": self.matrix,
            "needs": self.needs,
            "runner": {"os": "Linux", "arch": "X64", "temp": self.temp},
            "steps": self.steps if steps is None else steps,
            "vars": self.run.variables(self.environment),
        }

    def functions(self):
        return {**statuses(not self.failed), "hashFiles": lambda *patterns: hash_files(self.workspace, *patterns)}

    def put(self, value, **more):
        return substitute(value, self.contexts(**more), self.functions())

    def outputs(self):
        return {key: text(self.put(value)) for key, value in self.what.get("outputs", {}).items()}

    def execute(self):
        if self.environment:
            self.run.tell(f"   ~ environment {self.environment}; its reviewers, if it has any, are not asked here")
            self.run.stood_in.setdefault("environment", []).append(self.name)
        before = self.run.recorded()
        for step in self.what["steps"]:
            self.step(step, self.steps, None)
        self.run.deal(before, self.role)
        return not self.failed

    def step(self, step, steps, inputs):
        """Runs a step of the job, or of a composite action with `inputs`."""
        if unknown := set(step) - STEP:
            raise Unknown(f"{self.run.label}, job {self.name}: {sorted(unknown)} are not known here")
        title = step.get("name") or step.get("uses") or step["run"].splitlines()[0]
        more = {"steps": steps, "inputs": inputs}
        if not condition(step.get("if"), self.contexts(**more), self.functions()):
            if not self.failed:
                self.run.note(f"{self.name}/{title}: its `if` does not hold: {step['if']}")
            outcome = "skipped"
            steps[step.get("id", "")] = {"outputs": {}, "outcome": outcome, "conclusion": outcome}
            return
        self.run.tell(f" - {title}")
        outputs, ok = {}, True
        try:
            if "uses" in step:
                outputs = self.use(step["uses"], self.put(step.get("with", {}), **more))
            else:
                outputs = self.shell(step, title, more)
        except (Failed, subprocess.CalledProcessError) as error:
            self.run.tell(f"   ! {error}")
            ok = False
        outcome = "success" if ok else "failure"
        lenient = text(self.put(step.get("continue-on-error", False), **more)) == "true"
        if step.get("id"):
            steps[step["id"]] = {"outputs": outputs, "outcome": outcome, "conclusion": "success" if lenient else outcome}
        self.failed = self.failed or not (ok or lenient)

    def use(self, action, given):
        if action.startswith(("./", "$/")):
            return self.composite(self.run.repository / action[2:] / "action.yml", given)
        name, _, version = action.partition("@")
        if not re.fullmatch("[0-9a-f]{40}", version):
            raise Failed(f"{action} is not pinned by its commit")
        if name not in STAND_INS:
            raise Unknown(f"{action} has no stand-in")
        did = STAND_INS[name](self, given)
        if given:
            raise Unknown(f"{name}: {sorted(given)} are not known here")
        self.run.tell(f"   ~ {did}")
        self.run.stood_in.setdefault(name, []).append(self.name)
        return {}

    def composite(self, path, given):
        """A composite action of this repository."""
        action = load(path)
        declared = action.get("inputs", {})
        if unknown := set(given) - set(declared):
            raise Failed(f"{path.parent.name} has no inputs {sorted(unknown)}")
        for name, what in declared.items():
            if name not in given and text(what.get("required")) == "true":
                raise Failed(f"{path.parent.name} needs {name}")
        inputs = {name: given.get(name, self.put(what.get("default", ""))) for name, what in declared.items()}
        steps = {}
        for step in action["runs"]["steps"]:
            self.step(step, steps, inputs)
            if self.failed:
                raise Failed(f"{path.parent.name} failed")
        return {}

    def shell(self, step, title, more):
        run = self.run
        replaced = run.replaced.get(f"{self.name}/{title}")
        if replaced is not None:
            run.used.add(f"{self.name}/{title}")
            run.note(f"{self.name}/{title}: replaced by: {replaced}")
        script = self.put(step["run"], **more) if replaced is None else replaced
        shell = step.get("shell") or run.file.get("defaults", {}).get("run", {}).get("shell")
        if shell not in SHELLS:
            raise Unknown(f"shell {shell} is not known here")
        own_files = pathlib.Path(tempfile.mkdtemp(dir=self.temp))
        files = {name: own_files / name for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY")}
        for path in files.values():
            path.touch()
        file = own_files / "step.sh"
        file.write_text(script, encoding="utf-8")
        own = {key: text(value) for key, value in self.put(step.get("env", {}), **more).items()}
        folder = self.workspace / text(self.put(step.get("working-directory", "."), **more))
        with subprocess.Popen(
            [*SHELLS[shell], str(file)],
            cwd=folder,
            env={**self.process_env(), **{f"GITHUB_{name}": str(path) for name, path in files.items()}, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout:
                run.tell(f"   | {line.rstrip()}")
        if process.returncode:
            raise Failed(f"exit code {process.returncode}")
        self.env |= assignments(files["ENV"])
        self.path += files["PATH"].read_text().split()
        for line in files["STEP_SUMMARY"].read_text().splitlines():
            run.tell(f"   # {line}")
        return assignments(files["OUTPUT"])

    def process_env(self):
        """This machine's environment without anybody's credentials, and what GitHub adds."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "GITHUB_", "RUNNER_"))}
        # Nothing but what the credentials' stand-in says may lead to an account.
        kept |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
        github = self.run.github(self.name, self.workspace)
        names = ("event_name", "ref", "ref_name", "repository", "run_id", "server_url", "sha", "workspace")
        told = {f"GITHUB_{name.upper()}": github[name] for name in names}
        ours = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "octocat", "RUNNER_OS": "Linux", "RUNNER_TEMP": self.temp}
        path = os.pathsep.join([*reversed(self.path), os.environ["PATH"]])
        return {**kept, **told, **ours, **self.env, "PATH": path}


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def legs(strategy):
    """The matrix's combinations."""
    matrix = dict((strategy or {}).get("matrix") or {})
    include = matrix.pop("include", [])
    if "exclude" in matrix or (matrix and include):
        raise Unknown("a matrix of values and include, or with exclude, is not known here")
    return include or [dict(zip(matrix, values)) for values in itertools.product(*matrix.values())]


def statuses(ok):
    return {"success": lambda: ok, "failure": lambda: not ok, "always": lambda: True, "cancelled": lambda: False}


def assignments(path):
    """`name=value` and `name<<END` of a command file."""
    found, lines = {}, iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if not line:
            continue
        name, equals, value = line.partition("=")
        if "<<" in name or not equals:
            name, mark, end = line.partition("<<")
            if not mark:
                raise Failed(f"{line!r}: neither name=value nor name<<END")
            value = "\n".join(itertools.takewhile(lambda one: one != end, lines))  # noqa: B023 (used at once)
        found[name] = value
    return found
