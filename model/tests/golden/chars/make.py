"""Records how Python sees every character: python make.py > expected.json (any Python 3; its Unicode version is kept)."""

import json
import re
import sys
import unicodedata

CHARACTERS = [chr(c) for c in range(sys.maxunicode + 1) if not 0xD800 <= c <= 0xDFFF]


def ranges(test):
    found = []
    for c in CHARACTERS:
        if test(c):
            if found and found[-1][1] == ord(c) - 1:
                found[-1][1] = ord(c)
            else:
                found.append([ord(c), ord(c)])
    return found


def assigned(c):
    return unicodedata.category(c) != "Cn"


json.dump(
    {
        "python": sys.version.split()[0],
        "unicode": unicodedata.unidata_version,
        "assigned": ranges(assigned),
        "word": ranges(re.compile(r"\w").match),
        "space": ranges(re.compile(r"\s").match),
        "lower": {c: c.lower() for c in CHARACTERS if c.lower() != c},
    },
    sys.stdout,
    separators=(",", ":"),
)
print()
