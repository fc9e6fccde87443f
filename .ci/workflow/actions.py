"""What stands here for the actions that only GitHub can run. Each says what it did instead."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from expression import text

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "infra/privilege"))


class Failed(Exception):
    """The step fails, as it would there."""


def git(folder, *command):
    return subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def checkout(job, given):
    """A clone of the local repository, at the commit that is asked for."""
    workspace = pathlib.Path(job.workspace)
    folder = workspace / given.pop("path", ".")
    ref = given.pop("ref", "") or job.run.sha
    if given.pop("persist-credentials", True) is not False:
        raise Failed("persist-credentials is not false: the token would lie in the workspace")
    if not (folder / ".git").exists():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "clone", "--quiet", "--no-hardlinks", "--no-checkout", str(job.run.repository), ".")
    git(folder, "checkout", "--quiet", "--force", "--detach", ref)
    git(folder, "clean", "-fdxq", *(("--exclude", "/base") if folder == workspace else ()))
    return f"{folder} is a clone of the local repository at {ref[:12]}"


def upload(job, given):
    """Files copied into the run's folder of artifacts; like there, no file keeps its executable bit."""
    patterns = [line.strip() for line in given.pop("path").splitlines() if line.strip()]
    hidden = text(given.pop("include-hidden-files", False)) == "true"
    missing = given.pop("if-no-files-found", "warn")
    name = given.pop("name")
    workspace = pathlib.Path(job.workspace)
    roots = [pathlib.Path(os.path.normpath(workspace / pattern)) for pattern in patterns]
    found = [file for root in roots for file in ([root] if root.is_file() else sorted(root.rglob("*"))) if file.is_file()]
    top = pathlib.Path(os.path.commonpath([root if root.is_dir() else root.parent for root in roots]))
    inside = [(file, file.relative_to(top)) for file in found]
    # The searched folder itself may be hidden; what lies in it may not.
    inside = [(file, at) for file, at in inside if hidden or not any(part.startswith(".") for part in at.parts)]
    if not inside:
        if missing == "error":
            raise Failed(f"no files below {patterns}")
        return f"no files below {patterns}: nothing kept"
    to = job.run.artifacts / job.run.id / name
    if to.exists():
        raise Failed(f"artifact {name} exists already in this run")
    for file, at in inside:
        (to / at).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to / at)
    return f"artifact {name}: {len(inside)} file(s)"


def download(job, given):
    """Files copied from a run's folder of artifacts."""
    run = given.pop("run-id", "") or job.run.id
    folder = job.run.artifacts / text(run)
    token = given.pop("github-token", "")
    if token and job.permissions.get("actions") not in ("read", "write"):
        raise Failed("with a token the API is asked, which takes the permission actions: read")
    if text(run) != job.run.id and not token:
        raise Failed("another run's artifacts take github-token")
    if pattern := given.pop("pattern", ""):
        names = sorted(path.name for path in folder.glob(pattern))
        if given.pop("merge-multiple", False) is not True:
            raise Failed("several artifacts without merge-multiple are not known here")
    else:
        names = [given.pop("name")]
    to = pathlib.Path(job.workspace) / given.pop("path", ".")
    for name in names:
        if not (folder / name).is_dir():
            raise Failed(f"run {run} has no artifact {name}; it has {sorted(p.name for p in folder.glob('*'))}")
        shutil.copytree(folder / name, to, dirs_exist_ok=True)
    return f"artifact {', '.join(names)} of run {run}"


def cache(job, given):
    """Nothing was kept, so nothing is restored."""
    given.clear()
    return "restores nothing and keeps nothing"


def credentials(job, given):
    """Any credentials, for the emulator; but only if stack.yaml would give this job its role."""
    from evaluator import Request, allowed
    from template import Stack

    arn, seconds = given.pop("role-to-assume"), int(given.pop("role-duration-seconds", 3600))
    region = given.pop("aws-region")
    given.pop("role-session-name", None)
    if job.permissions.get("id-token") != "write":
        raise Failed("without the permission id-token: write GitHub gives no token")
    account, role = arn.split(":")[4], arn.rpartition("/")[2]
    run = job.run
    stack = Stack(run.repository / "infra/stack.yaml", account, region, GitHubRepository=run.name)
    named = {stack.resources[name]["Properties"]["RoleName"]: name for name in stack.roles()}
    if role not in named:
        raise Failed(f"infra/stack.yaml makes no role {role}; it makes {sorted(named)}")
    subject = f"repo:{run.name}:environment:{job.environment}" if job.environment else f"repo:{run.name}:ref:{run.ref}"
    issuer = "token.actions.githubusercontent.com"
    token = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}
    provider = ("Federated", f"arn:aws:iam::{account}:oidc-provider/{issuer}")
    if not allowed(stack.role(named[role])[0], Request("sts:AssumeRoleWithWebIdentity", "*", token, provider)):
        raise Failed(f"{role} does not trust {subject}")
    longest = stack.resources[named[role]]["Properties"].get("MaxSessionDuration", 3600)
    if seconds > longest:
        raise Failed(f"{role} gives {longest} s, not {seconds}")
    job.role = named[role]
    job.env |= {"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_SESSION_TOKEN": "stand-in"}
    job.env |= {"AWS_ACCESS_KEY_ID": "stand-in", "AWS_SECRET_ACCESS_KEY": "stand-in", "AWS_ENDPOINT_URL": run.emulator}
    return f"{role} trusts {subject}; credentials that the emulator at {run.emulator} takes"


def provenance(job, given):
    """Nothing is signed; what would be is named."""
    for permission in ("id-token", "attestations"):
        if job.permissions.get(permission) != "write":
            raise Failed(f"signing takes the permission {permission}: write")
    pattern = given.pop("subject-path")
    files = sorted(path for path in pathlib.Path(job.workspace).glob(pattern) if path.is_file())
    if not files:
        raise Failed(f"no files at {pattern}")
    return "not signed: " + ", ".join(f"{p.name} {hashlib.sha256(p.read_bytes()).hexdigest()[:12]}" for p in files)


STAND_INS = {
    "actions/attest-build-provenance": provenance,
    "actions/cache": cache,
    "actions/checkout": checkout,
    "actions/download-artifact": download,
    "actions/upload-artifact": upload,
    "aws-actions/configure-aws-credentials": credentials,
}
