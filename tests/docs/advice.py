#!/usr/bin/python3
"""Writes client/advice.inc from docs/guides/troubleshooting.md: tests/docs/advice.py >client/advice.inc"""
import re

import outcomes

GUIDE = outcomes.HEADER.parents[2] / "docs" / "guides" / "troubleshooting.md"
HEAD = """/* Made from docs/guides/troubleshooting.md by tests/docs/advice.py: what each outcome means, and what to do. */
/* clang-format off */
"""


def plain(cell):
    """A cell of the guide as text for a terminal."""
    cell = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cell).replace("`", "").replace("\\|", "|")
    return cell.replace("\\", "\\\\").replace('"', '\\"')


def advice():
    """(symbol, meaning, what to do) for each row of the guide, in the order of the outcomes."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", GUIDE.read_text(), re.M)
    explained = {tag: (plain(means), plain(todo)) for tag, means, todo in rows}
    return [(one["symbol"], *explained[one["tag"]]) for one in outcomes.outcomes() if one["tag"] in explained]


def text():
    return HEAD + "".join('{%s, "%s", "%s"},\n' % row for row in advice()) + "/* clang-format on */\n"


if __name__ == "__main__":
    print(text(), end="")
