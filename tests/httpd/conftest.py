"""Fixtures: a fresh httpd per test class, and after every test an account of what it logged."""
import pytest

from harness import Client, Server
from harness.locate import build_dir


def open_server(site):
    if site.ours and build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    server = Server(site)
    try:
        return server.start()
    except BaseException:
        server.close()
        raise


@pytest.fixture(scope="class")
def server(request):
    """The server of the class's `site`."""
    running = open_server(request.cls.site)
    yield running
    wrong = running.close()
    if wrong:
        pytest.fail("at the end of the class:\n" + "\n".join(wrong), pytrace=False)


@pytest.fixture
def make_server():
    """A factory of further servers, one test long. `start=False` leaves it to the test."""
    made = []

    def make(site, start=True):
        if not start:
            if site.ours and build_dir() is None:
                pytest.skip("INTERAUTH_BUILD does not name a build directory")
            made.append(Server(site))
        else:
            made.append(open_server(site))
        return made[-1]

    yield make
    wrong = [line for server in made for line in server.close()]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture(autouse=True)
def account(request):
    """Fails a test whose server logged an alarming line that nobody announced."""
    running = request.getfixturevalue("server") if "server" in request.fixturenames else None
    yield
    wrong = running.log.settle() if running else []
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.fixture
def client(server):
    """A client that holds a grant for `read`."""
    return Client(server).granted()


@pytest.fixture
def signer(server):
    """A client that signs with an Ed25519 key of its own."""
    from harness.signed import ED, UID
    from harness.signer import Signer
    return Signer(server, ED, UID + "#ed25519")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its error log."""
    outcome = yield
    report = outcome.get_result()
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and server is not None and report.when == "call":
        report.sections.append(("error log", "\n".join(server.log.lines()[-40:])))
