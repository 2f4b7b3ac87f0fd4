"""The published SAuth client: it accepts exactly the five published members, and fails with any other."""
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from harness import BASIC, Client, PAGE, Site, UID, passed
from harness.sauth import FORM


@dataclass(frozen=True)
class Grant:
    access_to: list
    can_refresh: bool
    timeout: str
    token: str
    uid: str


class Published(Client):
    """It sends HMAC-SHA-1 and `access-for`, and is strict about responses."""

    def take_grant(self, response):
        assert response.status == 200, repr(response)
        grant = Grant(**json.loads(response.body))
        assert grant.uid == UID and grant.can_refresh in (True, False) and grant.timeout.endswith("Z")
        self.token, self.nonces = grant.token, [response.nextnonce]
        self.server.guard(grant.token)
        return grant

    def post_form(self, endpoint, **members):
        form = self.form(json.dumps({"uid": self.uid, **members}), hash="sha1")
        return self.server.post(f"/sauth/{endpoint}", urlencode(form).encode(), FORM)


class TestPublished:
    site = Site(config="SAuthHash sha1 sha256\nSAuthRefreshWindow 100\n" + BASIC)

    @pytest.fixture
    def client(self, server):
        return Published(server, hash="sha1")

    def test_grant_chain_refresh_expiry(self, server, client):
        grant = client.take_grant(client.post_form("request_access", **{"access-for": ["read"], "token-lifespan": 60}))
        assert grant.access_to == ["read"]
        for _ in range(5):
            passed(client.get(PAGE))
        again = client.take_grant(client.post_form("refresh_access", token=client.token))
        assert again.token == grant.token
        for _ in range(3):
            passed(client.get(PAGE))
        server.clock.advance(90000)
        assert client.get(PAGE).status == 401
        server.log.allow("reason=grant_expired")

    def test_asking_for_nonces_gets_them(self, server, client):
        response = client.post_form("request_access", access_for=["read"], nonces=1)
        assert set(response.json) == {"access_to", "can_refresh", "timeout", "token", "uid", "nonce", "nonces"}
        assert response.json["nonces"] == [response.json["nonce"]] == [response.nextnonce]
        with pytest.raises(TypeError):
            Grant(**response.json)
