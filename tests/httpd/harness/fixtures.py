"""Fixtures of every suite with real servers. What a server logs at warn or above and no test announced fails the test."""
import pytest

from . import Server
from .locate import build_dir


@pytest.fixture
def build():
    """The build directory."""
    if build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    return build_dir()


def make(site, start=True, prepare=None):
    """A server; `prepare` is called with it before it starts."""
    if site.ours and build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    server = Server(site)
    try:
        if prepare:
            prepare(server)
        return server.start() if start else server
    except BaseException:
        server.close()
        raise


def fail(wrong, when=""):
    if wrong:
        pytest.fail(when + "\n".join(wrong), pytrace=False)


@pytest.fixture(scope="class")
def server(request):
    """The server of the class's `site`."""
    running = make(request.cls.site)
    yield running
    fail(running.close(), "at the end of the class:\n")


@pytest.fixture
def make_server():
    """A factory of further servers, one test long: make_server(site, start=True, prepare=None)."""
    made = []

    def make_one(site, start=True, prepare=None):
        made.append(make(site, start, prepare))
        return made[-1]

    yield make_one
    fail([line for server in made for line in server.close()])


@pytest.fixture(autouse=True)
def account(request):
    """Settles the log of the class's server after each test."""
    running = request.getfixturevalue("server") if "server" in request.fixturenames else None
    yield
    fail(running.log.settle() if running else [])


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its error log."""
    outcome = yield
    report = outcome.get_result()
    running = getattr(item, "funcargs", {}).get("server")
    if report.failed and running is not None and report.when == "call":
        report.sections.append(("error log", "\n".join(running.log.lines()[-40:])))
