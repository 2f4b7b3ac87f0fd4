#!/usr/bin/python3
"""Writes docs/outcomes.md from the table in include/interauth/result.h: tests/docs/outcomes.py >docs/outcomes.md"""
import re
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "include" / "interauth" / "result.h"
ROW = re.compile(r'^ +X\((IA_[A-Z0-9_]+), +(-?\d+), "([a-z0-9_]+)", "([a-z0-9_]+)", (\d+), ([A-Z]+), ([A-Z]+), "([^"]*)"\)')

CHALLENGE = {"NONE": "", "FRESH": "WWW-Authenticate", "STALE": "WWW-Authenticate, `stale=true`", "RETRY": "Retry-After"}
LEVEL = {"ROUTINE": "info", "NOTABLE": "warn", "FAULT": "error"}

HEAD = """# Outcomes

Every decision has one of these outcomes. The log contains the **tag**, which is exact. The response contains the **code**, in
a body of type `application/problem+json` (RFC 9457) with `title`, `status`, `code` and sometimes `detail`. The code is less
specific: until a client is authenticated, all outcomes that depend on its identity have the same code. The meaning of tags
and codes does not change, but new ones may be added. [Troubleshooting](guides/troubleshooting.md) explains what to do about
each outcome.

"With" lists what the response contains in addition to the status: a `WWW-Authenticate` field with a nonce, or `Retry-After`.

This table is generated from `include/interauth/result.h` by `tests/docs/outcomes.py`.

| tag | code | status | with | log level | title |
|---|---|---|---|---|---|
"""


def outcomes():
    """The rows of the table: dictionaries."""
    names = ("symbol", "value", "tag", "code", "status", "challenge", "severity", "title")
    found = [dict(zip(names, match.groups())) for match in map(ROW.match, HEADER.read_text().splitlines()) if match]
    assert len(found) == len(re.findall(r"^ +X\(IA_", HEADER.read_text(), re.MULTILINE)), "a row was not understood"
    return found


def page():
    rows = []
    for one in outcomes():
        cells = (f"`{one['tag']}`", f"`{one['code']}`", one["status"], CHALLENGE[one["challenge"]],
                 LEVEL[one["severity"]], one["title"])
        rows.append("| " + " | ".join(cells).replace("|  |", "| |") + " |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(page(), end="")
