"""The challenge protocol at its endpoint: challenges, tokens, refreshed tokens."""
import hashlib
import json
import os
import time

import pytest

from harness import ENDPOINT, OTHER, PAGE, Caller, Site, UID, b64url, location, refused, together
from harness.challenge import (DOMAIN, HMAC, MD5, PASSWORD, ChallengeCaller, Reply, person, rejected, secret_of, window)

BOTH = f"SAuthChallenge hmac-sha256 md5\nSAuthChallengeDomain {DOMAIN}\n"
APP = location("/cgi-bin/orders", "Require capability read", "SAuthAccept challenge")
CONFIG = ENDPOINT + BOTH + APP
MD5_WARNS = r"\[sauth:warn\] .*SAuthChallenge md5: for old clients only"
TARGET = "/cgi-bin/orders"
GONE = "http://gone.example.org"
BARE = "http://bare.example.org"
PEOPLE = [person(), person(OTHER, ["update"], "another password of this one"),
          person(GONE, status="offboarded"), person(BARE, profiles=(), secret=b"sixteen bytes or more")]


def each(function):
    """In both profiles and both formats."""
    function = pytest.mark.parametrize("format", ["json", "xml"])(function)
    return pytest.mark.parametrize("profile", [HMAC, MD5])(function)


class Protocol:
    site = Site(config=CONFIG, participants=PEOPLE, expect=(MD5_WARNS,))

    def user(self, server, profile=HMAC, format="json", **options):
        return ChallengeCaller(server, profile=profile, format=format, **options)


class TestFlow(Protocol):
    @each
    def test_request_token_call(self, server, profile, format):
        user = self.user(server, profile, format)
        said = user.request()
        assert said.status == 200
        assert {name: str(value) for name, value in said.response.items()} == {
            "lifetime": "600", "challenge": said.response["challenge"], "profile": profile, "domain": DOMAIN}
        assert said.answer.header("Cache-Control") == "no-store"
        token, reply = user.redeem(said.response["challenge"])
        assert reply.response == {"token": token} and reply.answer.header("Cache-Control") == "no-store"
        assert server.log.matching(rf'\[sauth:info\] .*sauth: granted participant="{UID}" capabilities="read update"')
        user.token = token
        assert user.call(TARGET).status == 200
