"""Authorization: SAuth, request by request: every form that works, every form that does not."""
import re

import pytest

from harness import (BASIC, Caller, OTHER, OTHER_SECRET, PAGE, Site, b64url, broken_headers, participant, passed,
                     refused, together)
from harness import apps
from harness.sauth import authorization


class TestForms:
    site = Site(config=BASIC)

    @pytest.mark.parametrize("raw", [False, True])
    def test_chain(self, server, raw):
        caller = Caller(server, raw=raw).granted()
        for _ in range(5):
            assert passed(caller.get(PAGE)).text == "plain\n"

    @pytest.mark.parametrize("raw", [False, True])
    def test_bare(self, server, raw):
        caller = Caller(server, raw=raw).granted()
        for _ in range(5):
            passed(caller.get(PAGE, authorization=caller.bare(caller.nonces.pop(0))))

    @pytest.mark.parametrize("raw", [False, True])
    def test_fresh_nonce(self, server, raw):
        caller = Caller(server, raw=raw).granted()
        passed(caller.get(PAGE, nonce=caller.generate()))

    def test_encodings_may_alternate(self, server, caller):
        for raw in (False, True, False):
            passed(caller.get(PAGE, authorization=caller.header(raw=raw)))

    def test_one_nonce_in_two_encodings_is_one_nonce(self, server, caller):
        nonce = caller.nonces[0]
        passed(caller.get(PAGE, authorization=caller.header(nonce, raw=False)))
        refused(server, caller.get(PAGE, authorization=caller.header(nonce, raw=True)), 401, "replayed_nonce",
                "nonce_replayed")

    def test_scheme_in_any_case(self, server, caller):
        for scheme in ("sauth", "SAUTH"):
            passed(caller.get(PAGE, authorization=caller.header().replace("SAuth", scheme, 1)))

    def test_parameters_in_either_order(self, server, caller):
        one, two = caller.header()[len("SAuth "):].split(",")
        passed(caller.get(PAGE, authorization=f"SAuth {two}, {one}"))

    def test_post_with_a_body(self, server, caller):
        answer = caller.post("/cgi-bin/orders", b"the order")
        assert passed(answer).body.endswith(b"the order")

    def test_head(self, server, caller):
        answer = caller.send("HEAD", PAGE)
        assert passed(answer).body == b"" and answer.header("Content-Length") == "6"
        passed(caller.get(PAGE))

    def test_one_connection_many_requests(self, server, caller):
        with server.connect() as connection:
            for _ in range(10):
                connection.send(server.message("GET", PAGE, {"Authorization": caller.header()}, close=False))
                answer = connection.answer()
                caller.nonces.append(passed(answer).nextnonce)

    def test_next_nonces_differ(self, server, caller):
        seen = {caller.nonces[0]}
        for _ in range(10):
            seen.add(passed(caller.get(PAGE)).nextnonce)
        assert len(seen) == 11


class TestNextNonceEverywhere:
    """Authentication-Info is on every response to an authenticated request, errors of the app included."""

    site = Site(modules=("rewrite",), config=BASIC + """
<Location "/cgi-bin/other">
    AuthType SAuth
    AuthName "other"
    Require capability update
</Location>
""")

    @pytest.mark.parametrize("status", [201, 204, 302, 400, 403, 404, 409, 500, 503])
    def test_status_of_the_app(self, server, caller, status):
        header = "&header=Location:+/elsewhere" if status == 302 else ""
        passed(caller.get(f"/cgi-bin/orders?status={status}{header}"), status)
        passed(caller.get("/cgi-bin/orders"))

    def test_file_not_found(self, server, caller):
        passed(caller.get("/files/absent"), 404)

    def test_not_modified(self, server, caller):
        tag = caller.get(PAGE).header("ETag")
        passed(caller.get(PAGE, {"If-None-Match": tag}), 304)

    def test_partial_content(self, server, caller):
        assert passed(caller.get(PAGE, {"Range": "bytes=1-2"}), 206).body == b"la"

    def test_range_not_satisfiable(self, server, caller):
        passed(caller.get(PAGE, {"Range": "bytes=100-200"}), 416)

    def test_broken_app(self, server, caller):
        (server.root / "cgi-bin" / "orders").write_text("#!/bin/sh\nexit 1\n")
        server.log.expect("End of script output before headers")
        try:
            passed(caller.get("/cgi-bin/orders"), 500)
        finally:
            apps.install(server.root / "cgi-bin" / "orders", server.fill(apps.CGI))
        passed(caller.get("/cgi-bin/orders"))

    def test_denied_for_lack_of_a_capability(self, server, caller):
        answer = caller.get("/cgi-bin/other")
        refused(server, answer, 403, "insufficient_capability", "capability_missing")
        assert answer.nextnonce
        passed(caller.get(PAGE))

    def test_unread_body(self, server, caller):
        """A file does not read a body; the answer is complete all the same."""
        assert caller.post(PAGE, b"x" * 100000).status in (200, 405)
        passed(caller.get(PAGE))


class TestMalformed:
    site = Site(config=BASIC)

    @pytest.mark.parametrize("name", list(broken_headers(type("C", (), {"token": "t", "nonces": ["n" * 22]}))))
    def test_grammar(self, server, caller, name):
        value = broken_headers(caller)[name]
        answer = server.get(PAGE, {"Authorization": value})
        refused(server, answer, 401, "invalid_credentials", "authorization_malformed")
        passed(caller.get(PAGE))

    def test_controls(self, server, caller):
        """httpd itself refuses some of them with 400."""
        server.log.allow("AH02426|AH02427|AH02430|authorization_malformed")
        for byte in ("\x01", "\x7f", "\xe9", "\t\t"):
            value = caller.header(caller.nonces[0]).replace('",', f'"{byte},', 1)
            assert server.get(PAGE, {"Authorization": value}).status in ((401, 400) if byte.strip() else (200, 401))

    @pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer abc", 'Digest username="x"', "SAuthX abc", "x",
                                       "SAuth,abc"])
    def test_another_scheme(self, server, value):
        answer = server.get(PAGE, {"Authorization": value})
        refused(server, answer, 401, "invalid_credentials", "scheme_not_accepted|authorization_malformed")

    def test_token_as_bearer(self, server, caller):
        """A SAuth token seen on the wire does not work as a bearer token."""
        answer = server.get(PAGE, {"Authorization": f"Bearer {caller.token}"})
        refused(server, answer, 401, "invalid_credentials", "scheme_not_accepted")

    def test_empty(self, server):
        answer = server.get(PAGE, {"Authorization": ""})
        assert answer.status == 401 and answer.challenge
        server.log.expect(r"reason=(authorization_malformed|scheme_not_accepted|credentials_missing)")

    def test_two_headers(self, server, caller):
        pairs = [("Authorization", caller.header()), ("Authorization", caller.bare(caller.generate()))]
        answer = server.get(PAGE, pairs)
        refused(server, answer, 401, "invalid_credentials", "authorization_repeated")

    def test_the_same_header_twice(self, server, caller):
        value = caller.header(caller.nonces[0])
        answer = server.get(PAGE, [("Authorization", value), ("Authorization", value)])
        refused(server, answer, 401, "invalid_credentials", "authorization_repeated")
        passed(caller.get(PAGE))

    def test_another_scheme_beside(self, server, caller):
        for pairs in ([("Authorization", caller.header(caller.nonces[0])), ("Authorization", "Basic dXNlcjpwYXNz")],
                      [("Authorization", "Basic dXNlcjpwYXNz"), ("Authorization", caller.header(caller.nonces[0]))]):
            answer = server.get(PAGE, pairs)
            refused(server, answer, 401, "invalid_credentials",
                    "authorization_repeated|scheme_not_accepted|authorization_malformed")

    def test_header_beyond_httpds_limit(self, server):
        server.log.allow("AH0")
        assert server.get(PAGE, {"Authorization": "SAuth " + "A" * 9000}).status == 400

    def test_proxy_authorization_is_not_authorization(self, server, caller):
        answer = server.get(PAGE, {"Proxy-Authorization": caller.header()})
        refused(server, answer, 401, "credentials_required", "credentials_missing", level="info")


class TestRefused:
    site = Site(config=BASIC, participants=[participant(), participant(OTHER, ["read"], OTHER_SECRET)])

    def test_no_credentials(self, server):
        answer = server.get(PAGE)
        refused(server, answer, 401, "credentials_required", "credentials_missing", level="info")
        assert answer.challenge["realm"] == "files"
        assert answer.nextnonce is None

    def test_unknown_token(self, server, caller):
        answer = server.get(PAGE, {"Authorization": caller.header(token="A" * 32)})
        refused(server, answer, 401, "invalid_credentials", "token_unknown")

    def test_wrong_secret(self, server, caller):
        answer = server.get(PAGE, {"Authorization": caller.header(caller.nonces[0], secret=OTHER_SECRET)})
        line = refused(server, answer, 401, "invalid_credentials", "mac_mismatch")
        assert "/files" in line and caller.token not in line
        passed(caller.get(PAGE))

    def test_mac_without_the_secret(self, server, caller):
        nonce = caller.nonces[0]
        for key in (b"", b"\0" * 64):
            answer = server.get(PAGE, {"Authorization": authorization(key, caller.token, nonce)})
            refused(server, answer, 401, "invalid_credentials", "mac_mismatch")

    def test_mac_over_another_nonce(self, server, caller):
        value = caller.header(caller.nonces[0]).split(",")[0] + f',nonce="{b64url(caller.generate().encode())}"'
        refused(server, server.get(PAGE, {"Authorization": value}), 401, "invalid_credentials", "mac_mismatch")
        passed(caller.get(PAGE))

    def test_token_of_another(self, server, caller):
        """Knowing a token is worth nothing without its owner's secret."""
        thief = Caller(server, OTHER, OTHER_SECRET).granted()
        thief.token = caller.token
        refused(server, thief.get(PAGE), 401, "invalid_credentials", "mac_mismatch")

    def test_one_answer_before_the_mac_verified(self, server, caller):
        server.log.allow("reason=(token_unknown|mac_mismatch|authorization_malformed|scheme_not_accepted)")
        values = [caller.header(caller.nonces[0], token="A" * 32), caller.header(caller.nonces[0], secret=OTHER_SECRET),
                  "SAuth x", "Basic dXNlcjpwYXNz"]
        answers = [server.get(PAGE, {"Authorization": value}) for value in values]
        assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}
        assert len({tuple(name for name, _ in answer.headers) for answer in answers}) == 1

    def test_refusal_of_a_stranger_brings_no_next_nonce(self, server, caller):
        server.log.allow("reason=mac_mismatch")
        assert server.get(PAGE, {"Authorization": caller.header(secret=OTHER_SECRET)}).nextnonce is None

    def test_expired(self, server):
        caller = Caller(server).granted(token_lifespan=1)
        passed(caller.get(PAGE))
        server.clock.advance(2.1)
        refused(server, caller.get(PAGE), 401, "token_expired", "grant_expired", level="info")

    def test_app_does_not_run(self, server, caller):
        before = server.journal()
        server.log.allow("reason=")
        for value in ("SAuth x", caller.header(secret=OTHER_SECRET), caller.header(caller.generate(), token="A" * 32)):
            assert server.get("/cgi-bin/orders", {"Authorization": value}).status == 401
        assert server.get("/cgi-bin/orders").status == 401
        assert server.journal() == before

    def test_problem_names_neither_secret_nor_reason(self, server, caller):
        answer = server.get(PAGE, {"Authorization": caller.header(token="A" * 32)})
        refused(server, answer, 401, "invalid_credentials", "token_unknown")
        assert "A" * 32 not in answer.text and "unknown" not in answer.text


class TestBare:
    """The bare form names no nonce: it is matched against the newest 4 unused next nonces."""

    site = Site(config=BASIC)

    def test_fifth_newest_is_not_matched(self, server):
        caller = Caller(server).granted(nonces=6)
        oldest, newest = caller.nonces[0], caller.nonces[-4:]
        answer = server.get(PAGE, {"Authorization": caller.bare(oldest)})
        refused(server, answer, 401, "invalid_credentials", "bare_unmatched", level="info")
        passed(server.get(PAGE, {"Authorization": caller.header(oldest)}))
        passed(server.get(PAGE, {"Authorization": caller.bare(newest[-1])}))

    def test_each_of_the_newest_four(self, server):
        for place in range(4):
            caller = Caller(server).granted(nonces=4)
            passed(server.get(PAGE, {"Authorization": caller.bare(caller.nonces[place])}))

    def test_recovers_from_its_refusal(self, server, caller):
        """The 401 carries a next nonce, never a fresh one, or the caller could never get in again."""
        answer = server.get(PAGE, {"Authorization": caller.bare("A" * 22)})
        refused(server, answer, 401, "invalid_credentials", "bare_unmatched", level="info")
        passed(caller.get(PAGE, authorization=caller.bare(answer.challenge["nonce"])))

    def test_recovers_after_many_refusals(self, server, caller):
        server.log.allow("reason=bare_unmatched")
        for _ in range(300):
            answer = server.get(PAGE, {"Authorization": caller.bare("A" * 22)})
            assert answer.status == 401
        passed(caller.get(PAGE, authorization=caller.bare(answer.challenge["nonce"])))

    def test_strangers_do_not_push_nonces_out(self, server, caller):
        """Anyone may send a token it has seen; only its owner's MAC moves anything."""
        server.log.allow("reason=bare_unmatched")
        held = caller.nonces[0]
        for number in range(20):
            assert server.get(PAGE, {"Authorization": caller.bare("A" * 22, secret=b"not the secret!!")}).status == 401
        passed(server.get(PAGE, {"Authorization": caller.bare(held)}))

    def test_replayed(self, server, caller):
        value = caller.bare(caller.nonces[0])
        passed(server.get(PAGE, {"Authorization": value}))
        answer = server.get(PAGE, {"Authorization": value})
        refused(server, answer, 401, "invalid_credentials", "bare_unmatched", level="info")

    def test_fresh_nonces_are_not_for_it(self, server, caller):
        answer = server.get(PAGE, {"Authorization": caller.bare(caller.generate())})
        refused(server, answer, 401, "invalid_credentials", "bare_unmatched", level="info")

    def test_unknown_token(self, server, caller):
        answer = server.get(PAGE, {"Authorization": caller.bare(caller.nonces[0], token="A" * 32)})
        refused(server, answer, 401, "invalid_credentials", "token_unknown")

    def test_parallel_use_succeeds_once(self, server, caller):
        value = caller.bare(caller.nonces[0])
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

    def test_connect(self, server, caller):
        for headers in ({}, {"Authorization": caller.header()}):
            answer = server.request("CONNECT", "example.org:443", headers)
            refused(server, answer, 405, "method_not_allowed", "tunnel_refused")

    def test_connect_uses_no_nonce(self, server, caller):
        value = caller.header()
        server.log.expect("reason=tunnel_refused")
        assert server.request("CONNECT", "example.org:443", {"Authorization": value}).status == 405
        passed(caller.get("/", authorization=value))

    def test_trace(self, server, caller):
        answer = server.request("TRACE", "/cgi-bin/orders", {"Authorization": caller.header()})
        assert answer.status in (403, 405) and caller.token.encode() not in answer.body
        server.log.allow("AH0|reason=")
        assert server.journal() == []

    def test_options_star(self, server):
        """`OPTIONS *` is about the server, not about a resource."""
        server.log.allow("reason=credentials_missing")
        answer = server.request("OPTIONS", "*")
        assert answer.status in (200, 401) and not re.search("SAUTH", answer.text)
