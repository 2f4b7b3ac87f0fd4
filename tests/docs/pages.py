"""Parses the pages: headings, fenced blocks, tables, links."""
import re
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass
class Block:
    page: str
    heading: str
    language: str
    text: str


def pages():
    """Every page, relative to the top."""
    found = [path for path in TOP.glob("*.md")] + list((TOP / "docs").rglob("*.md"))
    return sorted(str(path.relative_to(TOP)) for path in found)


def read(page):
    return (TOP / page).read_text()


def blocks(page, language=None):
    """The fenced blocks of a page, in order."""
    text = read(page)
    found = []
    for match in FENCE.finditer(text):
        # A "#" in an earlier block is no heading.
        before = FENCE.sub("", text[:match.start()])
        headings = HEADING.findall(before)
        found.append(Block(page, headings[-1] if headings else "", match.group(1), match.group(2)))
    return [block for block in found if language in (None, block.language)]


def block(page, heading, language, number=0):
    """The block under a heading."""
    found = [one for one in blocks(page, language) if one.heading == heading]
    assert len(found) > number, f"{page}: no block {number} of {language} under {heading!r}"
    return found[number].text


def rows(text):
    """The cells of every table row of a text, without lines of dashes."""
    found = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines()
             if line.startswith("|")]
    return [cells for cells in found if not all(re.fullmatch(r"-+", cell) for cell in cells)]
