"""mandoc finds no fault with the manual pages."""
import glob
import os
import re
import shutil
import subprocess

import pytest

MANUALS = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../docs/man"))
PAGES = sorted(os.path.basename(path) for path in glob.glob(os.path.join(MANUALS, "*.1")))


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_lint(page):
    done = subprocess.run(["mandoc", "-T", "lint", page], cwd=MANUALS, capture_output=True, text=True, check=False)
    # The pages of other packages, and mandoc's index, may not be installed here.
    complaints = [line for line in done.stdout.splitlines()
                  if "outdated mandoc.db" not in line and not re.search(r"not found: Xr (?!interauth)", line)]
    assert complaints == []


def test_every_page_is_installed():
    with open(os.path.join(MANUALS, "../local.mk")) as fragment:
        listed = fragment.read()
    assert len(PAGES) >= 8
    assert [page for page in PAGES if "docs/man/" + page not in listed] == []
