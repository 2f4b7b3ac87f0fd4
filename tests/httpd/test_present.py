"""Authorization: SAuth in all valid and invalid forms."""
import re

import pytest

from harness import (BASIC, Client, OTHER, OTHER_SECRET, PAGE, Site, b64url, broken_headers, participant, passed,
                     refused, together)
from harness import apps
from harness.sauth import authorization


class TestForms:
    site = Site(config=BASIC)

    @pytest.mark.parametrize("raw", [False, True])
    def test_chain(self, server, raw):
        client = Client(server, raw=raw).granted()
        for _ in range(5):
            assert passed(client.get(PAGE)).text == "plain\n"

    @pytest.mark.parametrize("raw", [False, True])
    def test_bare(self, server, raw):
        client = Client(server, raw=raw).granted()
        for _ in range(5):
            passed(client.get(PAGE, authorization=client.bare(client.nonces.pop(0))))

    @pytest.mark.parametrize("raw", [False, True])
    def test_fresh_nonce(self, server, raw):
        client = Client(server, raw=raw).granted()
        passed(client.get(PAGE, nonce=client.generate()))

    def test_encodings_may_alternate(self, server, client):
        for raw in (False, True, False):
            passed(client.get(PAGE, authorization=client.header(raw=raw)))

    def test_one_nonce_in_two_encodings_is_one_nonce(self, server, client):
        nonce = client.nonces[0]
        passed(client.get(PAGE, authorization=client.header(nonce, raw=False)))
        refused(server, client.get(PAGE, authorization=client.header(nonce, raw=True)), 401, "replayed_nonce",
                "nonce_replayed")

    def test_scheme_in_any_case(self, server, client):
        for scheme in ("sauth", "SAUTH"):
            passed(client.get(PAGE, authorization=client.header().replace("SAuth", scheme, 1)))

    def test_parameters_in_either_order(self, server, client):
        one, two = client.header()[len("SAuth "):].split(",")
        passed(client.get(PAGE, authorization=f"SAuth {two}, {one}"))

    def test_post_with_a_body(self, server, client):
        response = client.post("/cgi-bin/orders", b"the order")
        assert passed(response).body.endswith(b"the order")

    def test_head(self, server, client):
        response = client.send("HEAD", PAGE)
        assert passed(response).body == b"" and response.header("Content-Length") == "6"
        passed(client.get(PAGE))

    def test_one_connection_many_requests(self, server, client):
        with server.connect() as connection:
            for _ in range(10):
                connection.send(server.message("GET", PAGE, {"Authorization": client.header()}, close=False))
                response = connection.response()
                client.nonces.append(passed(response).nextnonce)

    def test_next_nonces_differ(self, server, client):
        seen = {client.nonces[0]}
        for _ in range(10):
            seen.add(passed(client.get(PAGE)).nextnonce)
        assert len(seen) == 11


class TestNextNonceEverywhere:
    """Authentication-Info is in every response to an authenticated request, including errors of the application."""

    site = Site(modules=("rewrite",), config=BASIC + """
<Location "/cgi-bin/other">
    AuthType SAuth
    AuthName "other"
    Require capability update
</Location>
""")

    @pytest.mark.parametrize("status", [201, 204, 302, 400, 403, 404, 409, 500, 503])
    def test_status_of_the_app(self, server, client, status):
        header = "&header=Location:+/elsewhere" if status == 302 else ""
        passed(client.get(f"/cgi-bin/orders?status={status}{header}"), status)
        passed(client.get("/cgi-bin/orders"))

    def test_file_not_found(self, server, client):
        passed(client.get("/files/absent"), 404)

    def test_not_modified(self, server, client):
        tag = client.get(PAGE).header("ETag")
        passed(client.get(PAGE, {"If-None-Match": tag}), 304)

    def test_partial_content(self, server, client):
        assert passed(client.get(PAGE, {"Range": "bytes=1-2"}), 206).body == b"la"

    def test_range_not_satisfiable(self, server, client):
        passed(client.get(PAGE, {"Range": "bytes=100-200"}), 416)

    def test_broken_app(self, server, client):
        (server.root / "cgi-bin" / "orders").write_text("#!/bin/sh\nexit 1\n")
        server.log.expect("End of script output before headers")
        try:
            passed(client.get("/cgi-bin/orders"), 500)
        finally:
            apps.install(server.root / "cgi-bin" / "orders", server.fill(apps.CGI))
        passed(client.get("/cgi-bin/orders"))

    def test_denied_for_lack_of_a_capability(self, server, client):
        response = client.get("/cgi-bin/other")
        refused(server, response, 403, "insufficient_capability", "capability_missing")
        assert response.nextnonce
        passed(client.get(PAGE))

    def test_unread_body(self, server, client):
        """A static file does not read the body; the response is complete nevertheless."""
        assert client.post(PAGE, b"x" * 100000).status in (200, 405)
        passed(client.get(PAGE))


class TestMalformed:
    site = Site(config=BASIC)

    @pytest.mark.parametrize("name", list(broken_headers(type("C", (), {"token": "t", "nonces": ["n" * 22]}))))
    def test_grammar(self, server, client, name):
        value = broken_headers(client)[name]
        response = server.get(PAGE, {"Authorization": value})
        refused(server, response, 401, "invalid_credentials", "authorization_malformed")
        passed(client.get(PAGE))

    def test_controls(self, server, client):
        """httpd itself refuses some of them with 400."""
        server.log.allow("AH02426|AH02427|AH02430|authorization_malformed")
        for byte in ("\x01", "\x7f", "\xe9", "\t\t"):
            value = client.header(client.nonces[0]).replace('",', f'"{byte},', 1)
            assert server.get(PAGE, {"Authorization": value}).status in ((401, 400) if byte.strip() else (200, 401))

    @pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer abc", 'Digest username="x"', "SAuthX abc", "x",
                                       "SAuth,abc"])
    def test_another_scheme(self, server, value):
        response = server.get(PAGE, {"Authorization": value})
        refused(server, response, 401, "invalid_credentials", "scheme_not_accepted|authorization_malformed")

    def test_token_as_bearer(self, server, client):
        """An intercepted SAuth token is not valid as a bearer token."""
        response = server.get(PAGE, {"Authorization": f"Bearer {client.token}"})
        refused(server, response, 401, "invalid_credentials", "scheme_not_accepted")

    def test_empty(self, server):
        response = server.get(PAGE, {"Authorization": ""})
        assert response.status == 401 and response.challenge
        server.log.expect(r"reason=(authorization_malformed|scheme_not_accepted|credentials_missing)")

    def test_two_headers(self, server, client):
        pairs = [("Authorization", client.header()), ("Authorization", client.bare(client.generate()))]
        response = server.get(PAGE, pairs)
        refused(server, response, 401, "invalid_credentials", "authorization_repeated")

    def test_the_same_header_twice(self, server, client):
        value = client.header(client.nonces[0])
        response = server.get(PAGE, [("Authorization", value), ("Authorization", value)])
        refused(server, response, 401, "invalid_credentials", "authorization_repeated")
        passed(client.get(PAGE))

    def test_another_scheme_beside(self, server, client):
        for pairs in ([("Authorization", client.header(client.nonces[0])), ("Authorization", "Basic dXNlcjpwYXNz")],
                      [("Authorization", "Basic dXNlcjpwYXNz"), ("Authorization", client.header(client.nonces[0]))]):
            response = server.get(PAGE, pairs)
            refused(server, response, 401, "invalid_credentials",
                    "authorization_repeated|scheme_not_accepted|authorization_malformed")

    def test_header_beyond_httpds_limit(self, server):
        server.log.allow("AH0")
        assert server.get(PAGE, {"Authorization": "SAuth " + "A" * 9000}).status == 400

    def test_proxy_authorization_is_not_authorization(self, server, client):
        response = server.get(PAGE, {"Proxy-Authorization": client.header()})
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")


class TestRefused:
    site = Site(config=BASIC, participants=[participant(), participant(OTHER, ["read"], OTHER_SECRET)])

    def test_no_credentials(self, server):
        response = server.get(PAGE)
        refused(server, response, 401, "credentials_required", "credentials_missing", level="info")
        assert response.challenge["realm"] == "files"
        assert response.nextnonce is None

    def test_unknown_token(self, server, client):
        response = server.get(PAGE, {"Authorization": client.header(token="A" * 32)})
        refused(server, response, 401, "invalid_credentials", "token_unknown")

    def test_wrong_secret(self, server, client):
        response = server.get(PAGE, {"Authorization": client.header(client.nonces[0], secret=OTHER_SECRET)})
        line = refused(server, response, 401, "invalid_credentials", "mac_mismatch")
        assert "/files" in line and client.token not in line
        passed(client.get(PAGE))

    def test_mac_without_the_secret(self, server, client):
        nonce = client.nonces[0]
        for key in (b"", b"\0" * 64):
            response = server.get(PAGE, {"Authorization": authorization(key, client.token, nonce)})
            refused(server, response, 401, "invalid_credentials", "mac_mismatch")

    def test_mac_over_another_nonce(self, server, client):
        value = client.header(client.nonces[0]).split(",")[0] + f',nonce="{b64url(client.generate().encode())}"'
        refused(server, server.get(PAGE, {"Authorization": value}), 401, "invalid_credentials", "mac_mismatch")
        passed(client.get(PAGE))

    def test_token_of_another(self, server, client):
        """A token is useless without its owner's secret."""
        thief = Client(server, OTHER, OTHER_SECRET).granted()
        thief.token = client.token
        refused(server, thief.get(PAGE), 401, "invalid_credentials", "mac_mismatch")

    def test_one_response_before_the_mac_verified(self, server, client):
        server.log.allow("reason=(token_unknown|mac_mismatch|authorization_malformed|scheme_not_accepted)")
        values = [client.header(client.nonces[0], token="A" * 32), client.header(client.nonces[0], secret=OTHER_SECRET),
                  "SAuth x", "Basic dXNlcjpwYXNz"]
        responses = [server.get(PAGE, {"Authorization": value}) for value in values]
        assert {(response.status, response.body) for response in responses} == {(401, responses[0].body)}
        assert len({tuple(name for name, _ in response.headers) for response in responses}) == 1

    def test_refusal_without_proof_has_no_next_nonce(self, server, client):
        server.log.allow("reason=mac_mismatch")
        assert server.get(PAGE, {"Authorization": client.header(secret=OTHER_SECRET)}).nextnonce is None

    def test_expired(self, server):
        client = Client(server).granted(token_lifespan=1)
        passed(client.get(PAGE))
        server.clock.advance(2.1)
        refused(server, client.get(PAGE), 401, "token_expired", "grant_expired", level="info")

    def test_app_does_not_run(self, server, client):
        before = server.journal()
        server.log.allow("reason=")
        for value in ("SAuth x", client.header(secret=OTHER_SECRET), client.header(client.generate(), token="A" * 32)):
            assert server.get("/cgi-bin/orders", {"Authorization": value}).status == 401
        assert server.get("/cgi-bin/orders").status == 401
        assert server.journal() == before

    def test_problem_names_neither_secret_nor_reason(self, server, client):
        response = server.get(PAGE, {"Authorization": client.header(token="A" * 32)})
        refused(server, response, 401, "invalid_credentials", "token_unknown")
        assert "A" * 32 not in response.text and "unknown" not in response.text


class TestBare:
    """The bare form has no nonce: it is compared with the newest 4 unused next nonces."""

    site = Site(config=BASIC)

    def test_fifth_newest_is_not_matched(self, server):
        client = Client(server).granted(nonces=6)
        oldest, newest = client.nonces[0], client.nonces[-4:]
        response = server.get(PAGE, {"Authorization": client.bare(oldest)})
        refused(server, response, 401, "invalid_credentials", "bare_unmatched", level="info")
        passed(server.get(PAGE, {"Authorization": client.header(oldest)}))
        passed(server.get(PAGE, {"Authorization": client.bare(newest[-1])}))

    def test_each_of_the_newest_four(self, server):
        for place in range(4):
            client = Client(server).granted(nonces=4)
            passed(server.get(PAGE, {"Authorization": client.bare(client.nonces[place])}))

    def test_recovers_from_its_refusal(self, server, client):
        """The 401 has a next nonce, not a fresh one, which the bare form could not use."""
        response = server.get(PAGE, {"Authorization": client.bare("A" * 22)})
        refused(server, response, 401, "invalid_credentials", "bare_unmatched", level="info")
        passed(client.get(PAGE, authorization=client.bare(response.challenge["nonce"])))

    def test_recovers_after_many_refusals(self, server, client):
        server.log.allow("reason=bare_unmatched")
        for _ in range(300):
            response = server.get(PAGE, {"Authorization": client.bare("A" * 22)})
            assert response.status == 401
        passed(client.get(PAGE, authorization=client.bare(response.challenge["nonce"])))

    def test_others_do_not_invalidate_nonces(self, server, client):
        """Anybody can send an intercepted token, but only the owner's MAC changes the grant."""
        server.log.allow("reason=bare_unmatched")
        held = client.nonces[0]
        for number in range(20):
            assert server.get(PAGE, {"Authorization": client.bare("A" * 22, secret=b"not the secret!!")}).status == 401
        passed(server.get(PAGE, {"Authorization": client.bare(held)}))

    def test_replayed(self, server, client):
        value = client.bare(client.nonces[0])
        passed(server.get(PAGE, {"Authorization": value}))
        response = server.get(PAGE, {"Authorization": value})
        refused(server, response, 401, "invalid_credentials", "bare_unmatched", level="info")

    def test_fresh_nonces_are_not_for_it(self, server, client):
        response = server.get(PAGE, {"Authorization": client.bare(client.generate())})
        refused(server, response, 401, "invalid_credentials", "bare_unmatched", level="info")

    def test_unknown_token(self, server, client):
        response = server.get(PAGE, {"Authorization": client.bare(client.nonces[0], token="A" * 32)})
        refused(server, response, 401, "invalid_credentials", "token_unknown")

    def test_parallel_use_succeeds_once(self, server, client):
        value = client.bare(client.nonces[0])
        server.log.allow("reason=(bare_unmatched|nonce_replayed)")  # found used up, or used up since it was found
        assert together([lambda: server.get(PAGE, {"Authorization": value}).status] * 12) == [200] + [401] * 11


class TestTunnel:
    """CONNECT is refused, with and without credentials; TRACE runs no app."""

    site = Site(config="""
<Location "/">
    AuthType SAuth
    AuthName "all"
    Require capability read
</Location>
<Location "/sauth">
    SetHandler sauth
    AuthType None
    Require all granted
</Location>
TraceEnable Off
""")

    def test_connect(self, server, client):
        for headers in ({}, {"Authorization": client.header()}):
            response = server.request("CONNECT", "example.org:443", headers)
            refused(server, response, 405, "method_not_allowed", "tunnel_refused")

    def test_connect_uses_no_nonce(self, server, client):
        value = client.header()
        server.log.expect("reason=tunnel_refused")
        assert server.request("CONNECT", "example.org:443", {"Authorization": value}).status == 405
        passed(client.get("/", authorization=value))

    def test_trace(self, server, client):
        response = server.request("TRACE", "/cgi-bin/orders", {"Authorization": client.header()})
        assert response.status in (403, 405) and client.token.encode() not in response.body
        server.log.allow("AH0|reason=")
        assert server.journal() == []

    def test_options_star(self, server):
        """`OPTIONS *` is about the server, not about a resource."""
        server.log.allow("reason=credentials_missing")
        response = server.request("OPTIONS", "*")
        assert response.status in (200, 401) and not re.search("SAUTH", response.text)
