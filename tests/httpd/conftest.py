"""Clients of the class's server."""
import pytest

from harness import Client
from harness.signed import ED, UID
from harness.signer import Signer

pytest_plugins = ("harness.fixtures",)


@pytest.fixture
def client(server):
    """A client that holds a grant for `read`."""
    return Client(server).granted()


@pytest.fixture
def signer(server):
    """A client that signs with an Ed25519 key of its own."""
    return Signer(server, ED, UID + "#ed25519")
