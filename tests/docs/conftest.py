"""A copy of the sources to run commands in."""
import subprocess

import pytest

from pages import TOP

pytest_plugins = ("harness.fixtures",)


@pytest.fixture
def source(tmp_path):
    """A copy of the sources, without what was built in them."""
    copy = tmp_path / "source"
    done = subprocess.run(["bash", "-c", '. "$1/conf/debian/prepare.sh" && sources_copy "$1" "$2"', "bash", TOP, copy],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy
