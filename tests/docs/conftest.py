"""Fixtures: real servers, as tests/httpd has them, and a copy of the sources to run commands in."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.realpath(os.path.join(os.path.dirname(__file__), "../httpd")))

from harness import Server
from harness.locate import build_dir
from pages import TOP


@pytest.fixture
def build():
    """The build directory."""
    if build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    return build_dir()


@pytest.fixture
def make_server(build):
    """A factory of servers, one test long; what they log without being announced fails the test."""
    made = []

    def make(site, start=True, prepare=None):
        made.append(Server(site))
        if prepare:
            prepare(made[-1])
        return made[-1].start() if start else made[-1]

    yield make
    wrong = [line for server in made for line in server.close()]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture(scope="class")
def server(request):
    """The server of the class's `site`."""
    if build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    running = Server(request.cls.site)
    try:
        yield running.start()
    finally:
        wrong = running.close()
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture(autouse=True)
def account(request):
    """Fails a test whose class's server logged an alarming line that nobody announced."""
    running = request.getfixturevalue("server") if "server" in request.fixturenames else None
    yield
    wrong = running.log.settle() if running else []
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture
def source(tmp_path):
    """A copy of the sources, without what was built in them."""
    copy = tmp_path / "source"
    done = subprocess.run(["bash", "-c", '. "$1/conf/debian/prepare.sh" && sources_copy "$1" "$2"', "bash", TOP, copy],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy
