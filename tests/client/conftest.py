import base64
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))

import command
from loopback import Service

UID = "http://www.example.org"


@pytest.fixture
def interauth(tmp_path):
    path = command.find()
    if path is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return command.Command(path, home)


@pytest.fixture
def base(httpd):
    """The base URL of the httpd of a test file."""
    return "http://127.0.0.1:%d" % httpd.port


@pytest.fixture
def secret(interauth):
    """A shared secret and its private file."""
    raw = os.urandom(32)
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    path = interauth.home / "secret"
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    interauth.canaries.add(text)
    return type("Secret", (), {"raw": raw, "text": text, "path": path})


@pytest.fixture
def service(secret):
    running = Service(UID, secret.raw)
    yield running
    running.close()


@pytest.fixture
def ask(interauth, service, secret):
    """Requests a grant from the service; its token becomes a canary."""
    def ask_for(*more, expect=0):
        result = interauth("grant", "--url", service.base, "--uid", UID, "--secret-file", secret.path,
                           "--capability", "read", *more)
        assert result.returncode == expect, result.stderr
        interauth.canaries.update(service.grants)
        return result

    return ask_for


@pytest.fixture
def held(interauth):
    """Reads the grants of the state file."""
    return lambda: json.loads(interauth.state.read_text())["grants"]
