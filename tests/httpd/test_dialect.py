"""A dialect of tests/httpd/dialect: all that is its own comes from its row, and no generic file knows it."""
import re

import pytest

from harness import BASIC, Client, PAGE, Shown, Site, UID, passed, refused
from harness.sauth import from_b64url

FRESH = 1  # first byte of a nonce that belongs to no grant
ORDERS = "/cgi-bin/orders"

PROBE = BASIC + """
<Location "/sauth">
    ProbeGreeting hello
</Location>
<Location "/sauth/quiet">
    ProbeGreeting psst
</Location>
<Location "/.well-known">
    SetHandler sauth
    Require all granted
</Location>
<Location "/cgi-bin/orders">
    SAuthAccept sauth probe
</Location>
"""


class TestProbe:
    site = Site(config=PROBE, probe=True)

    def token(self, server, at="/sauth"):
        response = server.post(f"{at}/knock", UID.encode())
        assert response.status == 200, repr(response)
        server.guard(response.body)
        return response.text

    def call(self, server, token, target=ORDERS):
        return server.get(target, [("Authorization", f"Probe {token}")])

    def test_grant_and_bound_data(self, server):
        token = self.token(server)
        shown = Shown(self.call(server, token))
        assert shown.env["SAUTH_PARTICIPANT"] == UID and shown.env["SAUTH_SCHEME"] == "probe"
        assert shown.env["SAUTH_PROBE"] == "hello" and shown.env["SAUTH_GRANT"]
        assert not [name for name in shown.env if "AUTHORIZATION" in name]
        assert Shown(self.call(server, token)).env["SAUTH_PROBE"] == "hello"

    def test_settings_are_merged(self, server):
        assert Shown(self.call(server, self.token(server, "/sauth/quiet"))).env["SAUTH_PROBE"] == "psst"

    @pytest.mark.parametrize("target, text", [
        ("/sauth/knocks/7", "tail=7"), ("/sauth/knocks/request_access", "tail=request_access"), ("/sauth/deeper/knocks/a.b", "tail=a.b"),
        ("/.well-known/probe", "tail="), ("/.well-known/probe/x/y", "tail=/x/y"),
    ])
    def test_tails(self, server, target, text):
        response = server.get(target)
        assert (response.status, response.text) == (200, text)

    @pytest.mark.parametrize("target", ["/sauth/knocks", "/sauth/knocks/", "/sauth/knocks/7/8", "/sauth/knock/knock",
                                        "/sauth/.well-known/probe", "/.well-known/probes"])
    def test_no_endpoint(self, server, target):
        assert server.get(target).status == 404
        server.log.expect("reason=endpoint_unknown")

    def test_errors_are_its_own(self, server):
        response = server.post("/sauth/knock", b"stranger")
        assert response.status == 200 and response.header("Probe-Refused") == "invalid_credentials"
        assert response.json == {"errors": [{"message": "no such participant", "was": 401}]}
        server.log.expect("reason=participant_unknown")
        response = server.get("/sauth/knock")
        assert response.json == {"errors": [{"message": "method_not_allowed", "was": 405}]}
        server.log.expect("reason=method_not_allowed")
        refused(server, server.get("/sauth/request_access"), 405, "method_not_allowed", "method_not_allowed")

    def test_challenges(self, server):
        response = server.get(ORDERS)
        assert [value.split()[0] for value in response.all("WWW-Authenticate")] == ["SAuth", "Probe"]
        server.log.expect("reason=credentials_missing")
        response = self.call(server, "unknown")
        assert response.status == 401 and 'reason="invalid_credentials"' in response.all("WWW-Authenticate")[1]
        server.log.expect("reason=token_unknown")

    def test_dispatch_by_scheme(self, server):
        client = Client(server)
        client.ask()
        token = self.token(server)
        passed(client.get(ORDERS))
        assert self.call(server, client.token).status == 401
        server.log.expect("reason=presentation_mismatch")
        assert self.call(server, token, PAGE).status == 401
        server.log.expect("reason=scheme_not_accepted")

    @pytest.mark.parametrize("value", ["Probe", "probe ", "PROBE  x"])
    def test_scheme_alone(self, server, value):
        assert server.get(ORDERS, {"Authorization": value}).status == 401
        server.log.expect("reason=token_unknown")

    def test_bound_data_are_no_nonces(self, server):
        """The bare form with a token of this dialect: its grant has a greeting where others have nonces."""
        response = server.get(ORDERS, {"Authorization": Client(server).bare("A" * 22, token=self.token(server))})
        assert response.status == 401
        server.log.expect("reason=bare_unmatched")
        nonce = re.search('nonce="([^"]+)"', response.all("WWW-Authenticate")[0]).group(1)
        assert from_b64url(nonce)[0] == FRESH


class TestWithout:
    site = Site(config=PROBE.replace("ProbeGreeting", "# ").replace("sauth probe", "sauth"))

    def test_the_installed_module_does_not_know_it(self, server):
        assert server.get("/sauth/knocks/7").status == 404
        server.log.expect("reason=endpoint_unknown")
