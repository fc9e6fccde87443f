"""GitHub's expressions, held against what its documentation says of them."""

import pathlib
import tempfile
import unittest

from expression import Expression, Wrong, condition, hash_files, substitute

CONTEXTS = {
    "github": {"ref": "refs/heads/main", "event": {"number": 7.0, "labels": ["bug", "Help"]}},
    "steps": {"push": {"outputs": {"linux-amd64": "a@sha256:0"}}},
    "vars": {},
}


def value(text, ok=True):
    status = {"success": lambda: ok, "failure": lambda: not ok, "always": lambda: True, "cancelled": lambda: False}
    return Expression(text, CONTEXTS, status).value()


class Values(unittest.TestCase):
    def test_values(self):
        for text, want in [
            ("1 == 1", True),
            ("'Main' == 'main'", True),
            ("'1' == 1", True),
            ("null == 0", True),
            ("'' == false", True),
            ("'x' == 0", False),
            ("!true || 'fallback'", "fallback"),
            ("true && 'then' || 'else'", "then"),
            ("false && 'then' || 'else'", "else"),
            ("(1 < 2) && !(2 <= 1)", True),
            ("github.ref", "refs/heads/main"),
            ("github['ref']", "refs/heads/main"),
            ("github.nothing.of.it", None),
            ("steps.push.outputs.linux-amd64", "a@sha256:0"),
            ("github.event.labels[1]", "Help"),
            ("vars.AWS_REGION != ''", False),
            ("contains(github.event.labels, 'help')", True),
            ("contains('Hello', 'ell')", True),
            ("startsWith(github.ref, 'refs/heads/')", True),
            ("endsWith(github.ref, 'x')", False),
            ("format('{0}-{1}', 'a', 2)", "a-2"),
            ("join(github.event.labels, '+')", "bug+Help"),
            ("fromJSON(toJSON(github)).event.number", 7.0),
            ("'it''s'", "it's"),
            ("0xff", 255.0),
        ]:
            self.assertEqual(value(text), want, text)

    def test_what_is_not_understood_is_an_error(self):
        for text in ["nothing", "github.", "1 +", "f(1)", "(1", "'open", "github ref"]:
            with self.assertRaises(Wrong, msg=text):
                value(text)

    def test_substitution(self):
        put = lambda text: substitute(text, CONTEXTS, {})  # noqa: E731
        self.assertEqual(put("on ${{ github.ref }}, ${{ github.event.number }}"), "on refs/heads/main, 7")
        self.assertEqual(put("${{ github.event.labels }}"), ["bug", "Help"])
        self.assertEqual(put({"a": ["${{ vars.x }}", 1]}), {"a": [None, 1]})

    def test_an_if_without_a_status_needs_success(self):
        for text, after_success, after_failure in [
            (None, True, False),
            ("true", True, False),
            ("always()", True, True),
            ("failure()", False, True),
            ("${{ !cancelled() && github.ref == 'refs/heads/main' }}", True, True),
            ("false", False, False),
        ]:
            for ok, want in [(True, after_success), (False, after_failure)]:
                status = {"success": lambda ok=ok: ok, "failure": lambda ok=ok: not ok, "always": lambda: True}
                status["cancelled"] = lambda: False
                self.assertEqual(condition(text, CONTEXTS, status), want, (text, ok))

    def test_files_are_hashed_by_content(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(hash_files(folder, "*.txt"), "")
            pathlib.Path(folder, "a.txt").write_text("1")
            one = hash_files(folder, "*.txt")
            pathlib.Path(folder, "a.txt").write_text("2")
            self.assertEqual((len(one), one != hash_files(folder, "*.txt")), (64, True))


if __name__ == "__main__":
    unittest.main()
