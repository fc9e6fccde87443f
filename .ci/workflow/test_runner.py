"""The runner on small workflows in a repository of their own."""

import argparse
import contextlib
import io
import pathlib
import subprocess
import tempfile
import unittest
import unittest.mock

import runner

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"


class Workflows(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name, "repository")
        self.root.mkdir()
        self.root.joinpath("file.txt").write_text("committed\n")
        self.action("runs:\n  using: composite\n  steps: []\n")
        for command in (
            ["init", "--quiet", "--initial-branch", "main"],
            ["add", "--all"],
            ["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message", "m"],
        ):
            subprocess.run(["git", *command], cwd=self.root, check=True)

    def action(self, text):
        folder = self.root / ".github/actions/own"
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("action.yml").write_text(text)

    def run_(self, jobs, **given):
        """(whether it went well, the runner, what it printed)"""
        file = pathlib.Path(self.folder.name, "w.yml")
        file.write_text("on: push\njobs:\n" + jobs)
        options = {"file": file, "repository": self.root, "work": pathlib.Path(self.folder.name, "work"), "workspace": None}
        options |= {"emulator": None, "event": "push", "ref": "refs/heads/main", "base": "HEAD", "run_id": "1", "vars": {}}
        options |= {"outputs": {}, "replaced": [], "calls": None} | given
        options["work"].mkdir(exist_ok=True)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            run = runner.Run(argparse.Namespace(**options))
            ok = run.execute()
            run.summary()
        return ok, run, said.getvalue()

    def test_outputs_env_and_path_go_from_step_to_step_and_job_to_job(self):
        ok, run, said = self.run_("""
  second:
    needs: first
    runs-on: x
    steps:
      - run: test "$ONE" = "1 of it"
        env: {ONE: "${{ needs.first.outputs.one }} of it"}
  first:
    runs-on: x
    outputs: {one: "${{ steps.a.outputs.one }}"}
    steps:
      - id: a
        run: |
          echo one=1 >>"$GITHUB_OUTPUT"
          printf 'TEXT<<END\\na=b\\nc\\nEND\\n' >>"$GITHUB_ENV"
          echo "$RUNNER_TEMP/bin" >>"$GITHUB_PATH"
          mkdir "$RUNNER_TEMP/bin" && printf '#!/bin/sh\\necho tool' >"$RUNNER_TEMP/bin/tool" && chmod +x "$RUNNER_TEMP/bin/tool"
      - run: |
          test "$TEXT" = "$(printf 'a=b\\nc')"
          tool
          echo '## told' >>"$GITHUB_STEP_SUMMARY"
""")
        self.assertTrue(ok, said)
        self.assertIn("| tool", said)
        self.assertIn("# ## told", said)
        self.assertLess(said.index("job first"), said.index("job second"))

    def test_what_fails_ends_its_job_and_skips_what_needs_it(self):
        ok, run, said = self.run_("""
  bad:
    runs-on: x
    steps:
      - run: echo before; false; echo behind
      - run: echo never
      - if: always()
        run: echo still
  after: {needs: bad, runs-on: x, steps: [{run: echo nor this}]}
  anyway: {needs: bad, if: "${{ !cancelled() }}", runs-on: x, steps: [{run: 'echo "${{ needs.bad.result }}"'}]}
""")
        self.assertFalse(ok)
        for line, there in [("before", 1), ("behind", 0), ("never", 0), ("still", 1), ("nor this", 0), ("failure", 1)]:
            self.assertEqual(f"   | {line}" in said, bool(there), (line, said))
        self.assertEqual({name: one["result"] for name, one in run.results.items()}["after"], "skipped")
        self.assertIn("~ job after is skipped", said)

    def test_pipes_fail_where_the_shell_is_bash_and_only_there(self):
        ok, _, _ = self.run_("  a: {runs-on: x, steps: [{run: false | true}]}\n")
        self.assertTrue(ok)
        ok, _, _ = self.run_("  a: {runs-on: x, steps: [{run: false | true, shell: bash}]}\n")
        self.assertFalse(ok)

    def test_artifacts_lie_as_github_lays_them(self):
        ok, run, said = self.run_(f"""
  a:
    runs-on: x
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false}}
      - run: mkdir -p d/e .h && echo 1 >d/e/f && echo 2 >.h/g && chmod +x d/e/f
      - uses: {UPLOAD}
        with: {{name: folder, path: d/}}
      - uses: {UPLOAD}
        with: {{name: one, path: d/e/f}}
      - uses: {UPLOAD}
        with: {{name: hidden, path: ".h/"}}
      - uses: {UPLOAD}
        with: {{name: none, path: nothing, if-no-files-found: ignore}}
  b:
    needs: a
    runs-on: x
    steps:
      - uses: {DOWNLOAD}
        with: {{name: folder, path: in}}
      - uses: {DOWNLOAD}
        with: {{name: one}}
      - run: test -s in/e/f && test ! -x in/e/f && test -s f && test ! -e file.txt
  c: {{needs: a, runs-on: x, steps: [{{uses: {DOWNLOAD}, with: {{name: none}}}}]}}
""")
        results = {name: one["result"] for name, one in run.results.items()}
        self.assertEqual(results, {"a": "success", "b": "success", "c": "failure"}, said)

    def test_every_job_begins_with_a_clean_clone(self):
        job = f"""
    runs-on: x
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false}}
      - run: test ! -e left && grep committed file.txt && echo changed >file.txt && touch left
"""
        ok, _, said = self.run_(f"  a:{job}  b:{job}")
        self.assertTrue(ok, said)

    def test_a_composite_action_has_inputs_and_its_own_steps(self):
        self.action("""
inputs:
  word: {required: true}
  other: {default: "${{ github.run_id }}"}
runs:
  using: composite
  steps:
    - if: inputs.word != ''
      shell: bash
      run: echo "$WORD-$OTHER"
      env: {WORD: "${{ inputs.word }}", OTHER: "${{ inputs.other }}"}
""")
        ok, _, said = self.run_("  a: {runs-on: x, steps: [{uses: $/.github/actions/own, with: {word: w}}]}\n")
        self.assertTrue(ok, said)
        self.assertIn("| w-1", said)
        for given in ["", ", with: {wrod: w}"]:
            ok, _, said = self.run_("  a: {runs-on: x, steps: [{uses: $/.github/actions/own%s}]}\n" % given)
            self.assertFalse(ok, said)

    def test_a_matrix_runs_the_legs_that_this_machine_can(self):
        ok, run, said = self.run_("""
  a:
    strategy: {matrix: {include: [{on: amd, n: 1}, {on: some-arm, n: 2}]}}
    runs-on: ${{ matrix.on }}
    outputs: {"n1": "${{ steps.s.outputs.n1 }}", "n2": "${{ steps.s.outputs.n2 }}"}
    steps: [{id: s, run: 'echo "n${{ matrix.n }}=x" >>"$GITHUB_OUTPUT"'}]
""")
        self.assertTrue(ok, said)
        if runner.platform.machine() != "aarch64":
            self.assertEqual(run.results["a"]["outputs"], {"n1": "x"})
            self.assertIn("there is no some-arm here", said)

    def test_what_is_given_or_replaced_is_told(self):
        ok, _, said = self.run_(
            """
  a: {runs-on: x, outputs: {o: never}, steps: [{run: exit 1}]}
  b: {needs: a, runs-on: x, steps: [{name: S, run: exit 1}, {run: 'test "${{ needs.a.outputs.o }}" = v'}]}
""",
            outputs={"a": {"o": "v"}},
            replaced=[("b/S", "echo instead")],
        )
        self.assertTrue(ok, said)
        self.assertIn("~ job a is not run here; its outputs are given: o=v", said)
        self.assertIn("~ b/S: replaced by: echo instead", said)

    def test_nobodys_credentials_reach_a_step(self):
        with unittest.mock.patch.dict("os.environ", {"AWS_SECRET_ACCESS_KEY": "TELLTALE", "AWS_PROFILE": "me"}):
            ok, _, said = self.run_("  a: {runs-on: x, steps: [{run: env}]}\n")
        self.assertTrue(ok)
        self.assertNotIn("TELLTALE", said)
        self.assertIn("AWS_CONFIG_FILE=/dev/null", said)

    def test_an_action_that_is_not_pinned_fails(self):
        ok, _, said = self.run_("  a: {runs-on: x, steps: [{uses: actions/checkout@v7}]}\n")
        self.assertFalse(ok)
        self.assertIn("is not pinned by its commit", said)

    def test_what_is_not_known_is_an_error(self):
        for job in [
            "{runs-on: x, steps: [{uses: other/action@%s}]}" % ("0" * 40),
            "{runs-on: x, services: {}, steps: []}",
            "{runs-on: x, steps: [{run: x, timeout: 1}]}",
            "{runs-on: x, steps: [{run: x, shell: pwsh}]}",
            "{needs: a, runs-on: x, steps: []}",
            "{runs-on: x, strategy: {matrix: {n: [1], exclude: []}}, steps: []}",
        ]:
            with self.assertRaises(runner.Unknown, msg=job):
                self.run_(f"  a: {job}\n")
        with self.assertRaises(runner.Unknown):
            self.run_("  a: {runs-on: x, steps: []}\n", replaced=[("a/None", "true")])


if __name__ == "__main__":
    unittest.main()
