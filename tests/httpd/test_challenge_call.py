"""The challenge protocol at a location: calls, what the application sees, refusals, and signed responses."""
import base64
import gzip
import json
import os
import re
import time
from urllib.parse import quote

import pytest

from harness import ENDPOINT, OTHER, PAGE, Client, Shown, Site, UID, digest, location, refused, script, together
from harness.challenge import DOMAIN, HMAC, MD5, ChallengeClient, Reply, person, rejected, window
from harness.http2 import Http2

BOTH = f"SAuthChallenge hmac-sha256 md5\nSAuthChallengeDomain {DOMAIN}\nServerName https://127.0.0.1:@PORT@\n"
CALL = "SAuthAccept challenge"
MD5_WARNS = r"\[sauth:warn\] .*SAuthChallenge md5 is for old clients only"
NOT_SIGNED = r"\[sauth:warn\] .*the response is not signed: "
SECRET = b"a shared secret beside the password"
PEOPLE = [person(secret=SECRET), person(OTHER, ["update"], "another password of this one")]
TARGET = "/cgi-bin/orders"
RESPONSE = r"""<?php
parse_str($_SERVER['QUERY_STRING'], $q);
http_response_code((int)($q['status'] ?? 200));
header('Content-Type: ' . ($q['type'] ?? 'application/json'));
header('ETag: "1"');
header('Accept-Ranges: bytes');
if (isset($q['header'])) header($q['header']);
$body = $q['body'] ?? '{"status":"valid","response":{}}';
if (isset($q['size'])) $body = '{"status":"valid","response":{"x":"' . str_repeat('y', (int)$q['size']) . '"}}';
foreach (str_split($body, (int)($q['piece'] ?? 8192)) as $piece) { echo $piece; if (isset($q['flush'])) flush(); }
"""


def each(function):
    """In both profiles and both formats."""
    function = pytest.mark.parametrize("format", ["json", "xml"])(function)
    return pytest.mark.parametrize("profile", [HMAC, MD5])(function)


class Calls:
    site = Site(config=ENDPOINT + BOTH + location(TARGET, "Require capability read", CALL)
                + location("/cgi-bin/other", "Require capability update", CALL), participants=PEOPLE, expect=(MD5_WARNS,))

    def user(self, server, profile=HMAC, format="json", **options):
        return ChallengeClient(server, profile=profile, format=format, **options).login()

    def bad(self, server, user, response, status, code, reason, **options):
        before = server.journal()
        line = rejected(server, response, status, code, reason, user.format, **options)
        assert server.journal() == before, "the app ran"
        return line


class TestApp(Calls):
    @each
    def test_environment_and_body(self, server, profile, format):
        user = self.user(server, profile, format)
        shown = Shown(user.call(TARGET, "orders.list", {"page": "2 & 3 < 4"}))
        assert shown.body == user.body and shown.env["CONTENT_LENGTH"] == str(len(user.body))
        env = shown.env
        assert env["REMOTE_USER"] == env["SAUTH_PARTICIPANT"] == UID and env["AUTH_TYPE"] == "SAuth"
        assert env["SAUTH_SCHEME"] == "challenge" and env["SAUTH_CALL"] == "orders.list"
        assert env["SAUTH_CAPABILITIES"] == "read update" and len(env["SAUTH_GRANT"]) == 22
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", env["SAUTH_EXPIRES"])
        assert not {name for name in env if name.startswith("HTTP_SAUTH")}

    @each
    def test_response_is_private(self, server, profile, format):
        assert self.user(server, profile, format).call(TARGET).header("Cache-Control") == "private"

    @pytest.mark.parametrize("size", [0, 1, 8191, 70000, 1000000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_sizes(self, server, size, chunked):
        for profile in (HMAC, MD5):
            user = self.user(server, profile)
            shown = Shown(user.call(TARGET, request={"x": "y" * size}, options={"chunked": chunked}))
            assert shown.body == user.body and shown.env["CONTENT_LENGTH"] == str(len(user.body))

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_odd_bytes_in_the_request(self, server, format):
        """The signature covers the bytes of the request as they are sent."""
        user = self.user(server, format=format)
        request = ' {"a" : [1, 2.50, "\\u00e9", "é"]\n}' if format == "json" else ' <a b="c">x<!-- y --> é</a>\n'
        inner = request.strip() if format == "json" else request
        members = user.call_members("a.b", inner)
        text = user.text("a.b", request, **members).encode()
        assert Shown(user.post(TARGET, text)).body == text

    def test_many_at_once(self, server):
        user = self.user(server)
        texts = [user.text("a.b", {}, **user.call_members("a.b", {})) for _ in range(32)]
        assert together([lambda text=text: user.post(TARGET, text).status for text in texts]) == [200] * 32
        server.log.allow("reason=call_replayed")
        once = user.text("a.b", {}, **user.call_members("a.b", {}))
        assert together([lambda: user.post(TARGET, once).status for _ in range(16)]) == [200] + [401] * 15

    def test_workers_of_one_user(self, server):
        server.log.allow("reason=challenge_superseded")
        calls = [lambda: ChallengeClient(server).login().call(TARGET).status for _ in range(16)]
        assert together(calls) == [200] * 16

    def test_over_a_reload_and_a_restart(self, server):
        user = self.user(server)
        server.graceful()
        assert user.call(TARGET).status == 200
        server.restart()
        assert user.call(TARGET).status == 200

    def test_expect_100(self, server):
        user = self.user(server)
        text = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        with server.connect() as connection:
            message = server.message("POST", TARGET, {"Content-Type": "application/json", "Expect": "100-continue"}, text)
            head = message[:message.index(b"\r\n\r\n") + 4]
            connection.send(head)
            assert connection.interim()[0] == 100
            connection.send(text)
            assert Shown(connection.response("POST")).body == text


TAMPERED = {
    "method": {"method": "orders.delete"}, "request": {"request": {"page": "2"}}, "nonce": {"nonce": "0" * 24},
    "timestamp": {"timestamp": 1}, "signature": {"signature": "0" * 64},
    "signature of 32": {"signature": "0" * 32}}


class TestRefused(Calls):
    @pytest.mark.parametrize("format", ["json", "xml"])
    @pytest.mark.parametrize("replaced", TAMPERED.values(), ids=TAMPERED)
    def test_tampered(self, server, format, replaced):
        user = self.user(server, format=format)
        members = user.call_members("orders.list", {"page": "1"})
        replaced = {name: int(members[name]) + value if name == "timestamp" else value for name, value in replaced.items()}
        whole = {"method": "orders.list", "request": {"page": "1"}, **members, **replaced}
        text = user.text(whole.pop("method"), whole.pop("request"), **whole)
        line = self.bad(server, user, user.post(TARGET, text), 401, "invalid_credentials", "mac_mismatch")
        assert ("claimed=" in line) == (f'claimed={UID}' in line) and "participant=" not in line, line
        assert 'profile=hmac-sha256' in line and f'claimed={UID}' in line, line

    @each
    def test_unknown_token(self, server, profile, format):
        user = self.user(server, profile, format)
        token = os.urandom(32 if profile == HMAC else 16).hex()
        self.bad(server, user, user.call(TARGET, token=token), 401, "invalid_credentials", "token_unknown")

    @each
    def test_one_response_for_all_of_these(self, server, profile, format):
        user, other = self.user(server, profile, format), ChallengeClient(
            server, OTHER, "another password of this one", profile, format).login()
        responses = [user.call(TARGET, token=os.urandom(32 if profile == HMAC else 16).hex()),
                   user.call(TARGET, signature=user.k("0" * 64, user.window())),
                   user.call(TARGET, token=other.token)]
        for response, reason in zip(responses, ("token_unknown", "mac_mismatch", "mac_mismatch")):
            self.bad(server, user, response, 401, "invalid_credentials", reason)
        assert len({(response.body, str([line for line in response.headers if line[0] != "Date"])) for response in responses}) == 1

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_replayed(self, server, format):
        user = self.user(server, format=format)
        assert user.call(TARGET).status == 200
        again = user.post(TARGET, user.body)
        line = self.bad(server, user, again, 401, "replayed_request", "call_replayed")
        assert f'participant={UID}' in line and 'call=orders.list' in line
        assert b"signature" not in again.body, "that it was used before is no response to the call"
        assert Reply(again, format).error["message"] == "The call has already been used"
        self.bad(server, user, user.post("/cgi-bin/other", user.body), 401, "replayed_request", "call_replayed")

    def test_md5_calls_may_be_repeated(self, server):
        """Profile md5 cannot detect replays: see docs/protocols/challenge.md."""
        user = self.user(server, MD5)
        assert user.call(TARGET).status == user.post(TARGET, user.body).status == 200

    @pytest.mark.parametrize("format", ["json", "xml"])
    @pytest.mark.parametrize("offset, reason", [(-120, "timestamp_stale"), (120, "timestamp_future")])
    def test_time(self, server, format, offset, reason):
        user = self.user(server, format=format)
        response = user.call(TARGET, timestamp=int(server.clock.time()) + offset)
        assert "offset=" in self.bad(server, user, response, 401, "stale_timestamp", reason)
        user.verify(response)

    @each
    def test_wrong_window(self, server, profile, format):
        user = self.user(server, profile, format)
        for windows in (-2, 2):
            nonce = str(window(server.clock.time()) + windows * 600)
            more = ("a.b", "0" * 16, "1", "") if profile == HMAC else ()
            response = user.call(TARGET, "a.b", "" if format == "xml" else {}, signature=user.k(user.token, nonce, *more))
            self.bad(server, user, response, 401, "invalid_credentials", "mac_mismatch")

    @pytest.mark.parametrize("format", ["json", "xml"])
    @pytest.mark.parametrize("name", ["nonce", "timestamp"])
    def test_unstamped(self, server, format, name):
        user = self.user(server, format=format)
        members = user.call_members("a.b", {})
        del members[name]
        self.bad(server, user, user.post(TARGET, user.text("a.b", {}, **members)), 401, "invalid_credentials",
                 "call_unstamped")

    @pytest.mark.parametrize("nonce", ["short", "x" * 65, "with a space in it"])
    def test_strange_nonce(self, server, nonce):
        user = self.user(server)
        self.bad(server, user, user.call(TARGET, nonce=nonce), 400, "malformed_request", "malformed")

    @each
    def test_incomplete_credentials(self, server, profile, format):
        user = self.user(server, profile, format)
        for name in ("token", "signature"):
            response = user.post(TARGET, user.text("a.b", {}, **{name: "0" * 64}))
            self.bad(server, user, response, 400, "malformed_request", "envelope_malformed")

    def test_expired(self, make_server):
        server = make_server(Site(config=self.site.config, participants=[person(token_max_lifespan=1)], expect=(MD5_WARNS,)))
        for profile in (HMAC, MD5):
            user = self.user(server, profile)
            server.clock.advance(1.1)
            self.bad(server, user, user.call(TARGET), 401, "token_expired", "grant_expired", level="info")

    def test_just_started(self, make_server):
        server = make_server(Site(config=self.site.config, participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server).login()
        response = user.call(TARGET, timestamp=int(server.listening_at))
        self.bad(server, user, response, 503, "starting", "replay_cache_warming", level="info")

    def test_replay_quota(self, make_server):
        server = make_server(Site(config=self.site.config + "SAuthReplayQuota 2\n", participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server).login()
        assert [user.call(TARGET).status for _ in range(2)] == [200, 200]
        self.bad(server, user, user.call(TARGET), 429, "too_many_requests", "replay_quota")

    @pytest.mark.parametrize("profile", [HMAC, MD5])
    def test_participant(self, make_server, profile):
        server = make_server(Site(config=self.site.config, participants=PEOPLE, expect=(MD5_WARNS,)))
        user = self.user(server, profile)
        for records, status, code, reason in (
                ([person(status="offboarded")], 403, "participant_inactive", "participant_inactive"),
                ([person(status="suspended")], 403, "participant_inactive", "participant_inactive"),
                ([person(password="the next password")], 401, "invalid_credentials", "mac_mismatch"),
                ([person(profiles=())], 401, "invalid_credentials", "secret_missing"),
                (PEOPLE[1:], 401, "invalid_credentials", "participant_unknown|token_unknown|grant_ended")):
            server.participants(records)
            server.graceful()
            self.bad(server, user, user.call(TARGET), status, code, reason)

    def test_rotated_secret(self, make_server):
        """After a change of password, old tokens stay invalid, also with the new one."""
        server = make_server(Site(config=self.site.config, participants=PEOPLE, expect=(MD5_WARNS,)))
        user = self.user(server)
        old = user.token
        server.participants([person(password="the next password")])
        server.graceful()
        user = ChallengeClient(server, password="the next password")
        self.bad(server, user, user.call(TARGET, token=old), 401, "token_revoked", "secret_rotated")

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_capability(self, server, format):
        user = ChallengeClient(server, OTHER, "another password of this one", format=format).login()
        response = user.call(TARGET)
        self.bad(server, user, response, 403, "insufficient_capability", "capability_missing")
        user.verify(response)
        assert user.call("/cgi-bin/other").status == 200


MALFORMED = [
    ("no JSON", "json", b"\xff", "json_malformed", 400), ("deep", "json", b'{"a":' * 40 + b"1" + b"}" * 40, "json_limit", 400),
    ("twice", "json", b'{"method":"a","method":"a","request":{}}', "json_duplicate", 400),
    ("another shape", "json", b'{"order":17}', "envelope_malformed", 400), ("empty", "json", b"", "json_malformed", 400),
    ("XML", "xml", b"<xml>", "xml_malformed", 400), ("deep XML", "xml", b"<a>" * 200 + b"</a>" * 200, "xml_limit", 400),
    ("document type", "xml", b'<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>', "xml_forbidden", 400),
    ("a megabyte and more", "json", b'{"method":"a","request":{"x":"' + b"y" * 1048576 + b'"}}', "body_too_large", 413)]


class TestGrammar(Calls):
    @pytest.mark.parametrize("format, body, reason, status", [pytest.param(*row[1:], id=row[0]) for row in MALFORMED])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_malformed(self, server, format, body, reason, status, chunked):
        user = ChallengeClient(server, format=format)
        code = "body_too_large" if status == 413 else "malformed_request"
        line = self.bad(server, user, user.post(TARGET, body, chunked=chunked), status, code, reason)
        assert ' (' in line or status == 413, line

    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("headers", [
        {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"}])
    def test_media_type(self, server, headers, chunked):
        response = server.post(TARGET, gzip.compress(b"{}"), headers, chunked=chunked)
        line = self.bad(server, ChallengeClient(server), response, 415, "unsupported_media_type", "media_type")
        assert '(JSON or XML expected' in line and "without Content-Encoding" in Reply(response, "json").error["message"]

    @pytest.mark.parametrize("method, headers, body", [
        ("GET", {}, None), ("POST", {}, b""), ("HEAD", {}, None), ("POST", {"Content-Type": "text/plain"}, b""),
        ("PUT", {"Content-Type": "application/json"}, b'{"method":"a","request":{},"token":"b","signature":"c"}')])
    def test_no_credentials(self, server, method, headers, body):
        response = server.request(method, TARGET, headers, body)
        assert response.status == 401 and (method == "HEAD" or response.problem["code"] == "credentials_required")
        assert response.all("WWW-Authenticate") == [f'Challenge realm="{TARGET}"']
        server.log.wait(r"\[sauth:info\] .*refused reason=credentials_missing")

    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_a_call_without_credentials(self, server, format):
        user = ChallengeClient(server, format=format)
        self.bad(server, user, user.post(TARGET, user.text("a.b", {})), 401, "credentials_required", "credentials_missing",
                 level="info")


class TestPresentations:
    """One presentation decides, and a token is valid only in its own."""

    site = Site(config=ENDPOINT + BOTH + location(TARGET, "Require capability read", "SAuthAccept sauth challenge")
                + location("/files", "Require capability read")
                + script("only", "Require capability read", CALL)
                + script("any", "<RequireAny>\nRequire capability nobody-has-this\nRequire all granted\n</RequireAny>",
                         "SAuthAccept sauth challenge")
                + script("red", "Require capability read", CALL + "\nSAuthScope red")
                + script("green", "Require capability read", CALL + "\nSAuthScope green")
                + '<Location "/red-sauth">\nSetHandler sauth\nSAuthScope red\nRequire all granted\n</Location>\n'
                + script("watched", "Require capability update", CALL + "\nSAuthMode observe")
                + script("shown", "Require capability read", CALL + "\nSAuthPass headers"),
                participants=PEOPLE, expect=(MD5_WARNS,))

    def test_both_ways_open(self, server):
        sauth, user = Client(server, secret=SECRET).granted(), ChallengeClient(server).login()
        assert "SAUTH_CALL" not in Shown(sauth.get(TARGET)).env
        assert Shown(user.call(TARGET)).env["SAUTH_CALL"] == "orders.list"
        assert Shown(sauth.post(TARGET, b'{"any":"json"}', {"Content-Type": "application/json"})).env["SAUTH_SCHEME"] == "SAuth"

    def test_both_ways_are_asked_for(self, server):
        for response in (server.get(TARGET), server.post(TARGET, b'{"any":"json"}', {"Content-Type": "application/json"})):
            assert response.status == 401
            assert [value.split()[0] for value in response.all("WWW-Authenticate")] == ["SAuth", "Challenge"]
            assert response.problem["code"] == "credentials_required" and "detail" not in response.problem
            server.log.next("refused reason=credentials_missing")

    def test_a_bad_authorization_decides(self, server):
        user = ChallengeClient(server).login()
        for value, reason in (("SAuth x", "authorization_malformed"), ("Basic eDp4", "authorization_malformed")):
            response = user.call(TARGET, headers={"Authorization": value})
            assert response.status == 401 and response.problem["code"] == "invalid_credentials"
            server.log.expect(f"refused reason={reason}")
        response = user.call("/only", headers={"Authorization": "SAuth x"})
        assert response.status == 401 and response.header("WWW-Authenticate").startswith("Challenge ")
        server.log.expect("refused reason=scheme_not_accepted")

    def test_a_challenge_token_as_sauth(self, server):
        user, sauth = ChallengeClient(server).login(), Client(server, secret=SECRET).granted()
        sauth.token = user.token
        refused(server, sauth.get(PAGE), 401, "wrong_presentation", "presentation_mismatch")
        assert user.call(TARGET).status == 200

    def test_a_sauth_token_as_challenge(self, server):
        sauth, user = Client(server, secret=SECRET).granted(), ChallengeClient(server).login()
        rejected(server, user.call("/only", token=sauth.token), 401, "invalid_credentials", "mac_mismatch")
        assert sauth.get(PAGE).status == 200

    def test_not_accepted_here(self, server):
        user = ChallengeClient(server).login()
        refused(server, user.call("/files/plain.txt"), 401, "credentials_required", "credentials_missing", level="info")

    def test_scope(self, server):
        user, red = ChallengeClient(server).login(), ChallengeClient(server, at="/red-sauth/challenge").login()
        assert red.call("/red").status == 200 and user.call("/only").status == 200
        for who, where in ((user, "/red"), (red, "/only"), (red, "/green")):
            rejected(server, who.call(where), 403, "wrong_scope", "scope_mismatch")

    def test_beside_a_rule_that_grants_access_to_everybody(self, server):
        """Requests without credentials are not challenged; calls are authenticated or refused."""
        user = ChallengeClient(server).login()
        assert "REMOTE_USER" not in Shown(server.get("/any")).env
        plain = b'{"order": 17}'
        shown = Shown(server.post("/any", plain, {"Content-Type": "application/json"}))
        assert shown.body == plain and "REMOTE_USER" not in shown.env
        assert Shown(user.call("/any")).env["REMOTE_USER"] == UID
        rejected(server, user.call("/any", signature="0" * 64), 401, "invalid_credentials", "mac_mismatch",
                 ways="SAuth Challenge")

    def test_observed(self, server):
        user, other = ChallengeClient(server).login(), ChallengeClient(server, OTHER, "another password of this one").login()
        assert Shown(other.call("/watched")).env["SAUTH_CALL"] == "orders.list"
        for response, reason in ((user.call("/watched", signature="0" * 64), "mac_mismatch"),
                               (user.post("/watched", b"no JSON"), "json_malformed"),
                               (server.get("/watched"), "credentials_missing")):
            assert "SAUTH_CALL" not in Shown(response).env
            server.log.expect(f"would refuse reason={reason}")
        sent = b'{"method":"a","request":{"x":"' + b"y" * 1100000 + b'"}}'
        assert Shown(user.post("/watched", sent)).body == sent
        server.log.expect("would refuse reason=body_too_large")

    def test_headers_for_a_backend(self, server):
        shown = Shown(ChallengeClient(server).login().call("/shown", headers={"SAuth-Call": "another"}))
        assert shown.env["HTTP_SAUTH_CALL"] == "orders.list"
        assert "HTTP_SAUTH_CALL" not in Shown(ChallengeClient(server).login().call("/only", headers={"SAuth_Call": "x"})).env


class TestRequireCall(Calls):
    site = Site(config=ENDPOINT + BOTH
                + script("listed", "Require call orders.list orders.get", CALL)
                + script("both", "<RequireAll>\nRequire capability read\nRequire call orders.list\n</RequireAll>", CALL)
                + script("except", "<RequireAll>\nRequire valid-user\nRequire capability read\n"
                                   "Require not call orders.delete\n</RequireAll>", CALL)
                + script("wanted", 'Require call %{reqenv:WANTED}', CALL + '\nSetEnvIf X-Wanted "(.*)" WANTED=$1')
                + script("mixed", "Require call orders.list", "SAuthAccept sauth challenge"),
                participants=PEOPLE, expect=(MD5_WARNS,), modules=("authz_user",))

    @each
    def test_listed(self, server, profile, format):
        user = self.user(server, profile, format)
        for path, method, status in (("/listed", "orders.list", 200), ("/listed", "orders.get", 200),
                                     ("/both", "orders.list", 200), ("/except", "orders.list", 200)):
            assert user.call(path, method).status == status, (path, method)
        for path, method in (("/listed", "orders.delete"), ("/listed", "Orders.list"), ("/listed", "orders"),
                             ("/both", "orders.get")):
            self.bad(server, user, user.call(path, method), 403, "method_not_allowed_here", "call_not_listed")

    def test_not(self, server):
        server.log.allow("refused reason=rule_not_met")
        user = self.user(server)
        server.log.allow("authz_core:error")
        before = server.journal()
        assert user.call("/except", "orders.delete").status == 403 and server.journal() == before

    def test_expression(self, server):
        user = self.user(server)
        assert user.call("/wanted", "a.b", headers={"X-Wanted": "a.c a.b"}).status == 200
        self.bad(server, user, user.call("/wanted", "a.b", headers={"X-Wanted": "a.bc"}), 403, "method_not_allowed_here",
                 "call_not_listed")

    def test_a_grant_of_sauth_is_not_a_call(self, server):
        sauth = Client(server, secret=SECRET).granted()
        refused(server, sauth.get("/mixed"), 403, "method_not_allowed_here", "call_not_listed")


class TestBodies(Calls):
    """Bodies are read once, before authentication. The digest, redirects and the application still find them."""

    site = Site(config=ENDPOINT + BOTH + "ISignSpoolTotal 3M\nRewriteEngine On\n"
                + script("require", "Require capability read", CALL + "\nISign digest")
                + script("stream", "Require capability read", CALL + "\nISign digest\nISignBody stream")
                + script("watched", "Require capability read", CALL + "\nISign digest\nISignMode observe")
                + script("small", "Require capability read", CALL + "\nISign digest\nISignBody spool 1K 2K")
                + "RewriteRule ^/ahead$ - [E=AHEAD:%{LA-U:REMOTE_USER}]\n" + script("ahead", "Require capability read", CALL)
                + script("paged", "Require capability read",
                         CALL + "\nErrorDocument 413 /cgi-bin/show\nErrorDocument 401 /cgi-bin/show")
                + script("limited", "Require capability read", CALL + "\nLimitRequestBody 2000")
                + script("off", "Require capability read", CALL + "\nISign off")
                + location("/php", "Require capability read", CALL)
                + location("/front", "Require capability read", CALL)
                + location("/page.shtml", "Require capability read", CALL),
                participants=PEOPLE, expect=(MD5_WARNS,), php_fcgi=True, modules=("rewrite", "include"),
                files={"front/.htaccess": "RewriteEngine On\nRewriteRule !^index /php/index.php [L]\n",
                       "front/index.html": "home\n"})

    @pytest.mark.parametrize("path", ["/require", "/stream", "/watched"])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_digest(self, server, path, chunked):
        user = self.user(server)
        for size in (1, 100000):
            text = user.text("a.b", {"x": "y" * size}, **user.call_members("a.b", {"x": "y" * size})).encode()
            shown = Shown(user.post(path, text, {"Content-Digest": digest(text)}, chunked=chunked))
            assert shown.body == text and shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_DIGEST"] == "sha-256"

    @pytest.mark.parametrize("path", ["/require", "/stream"])
    def test_digest_of_another_body(self, server, path):
        user = self.user(server)
        text = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        before = server.journal()
        response = user.post(path, text, {"Content-Digest": digest(text + b" ")})
        assert response.status == 400 and Reply(response, "json").error["code"] == "digest_mismatch"
        assert server.journal() == before
        server.log.expect(r"isign: refused reason=digest_mismatch")
        response = user.call(path)
        assert response.status == 400 and Reply(response, "json").error["code"] == "digest_missing"
        server.log.expect(r"isign: refused reason=digest_missing")

    def test_digest_observed(self, server):
        user = self.user(server)
        text = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        assert Shown(user.post("/watched", text, {"Content-Digest": digest(b"")})).body == text
        server.log.expect(r"isign: would refuse reason=digest_mismatch")

    def test_bound_of_the_location(self, server):
        user = self.user(server)
        text = user.text("a.b", {"x": "y" * 3000}, **user.call_members("a.b", {"x": "y" * 3000})).encode()
        response = user.post("/small", text, {"Content-Digest": digest(text)})
        assert response.status == 413 and Reply(response, "json").error["code"] == "body_too_large"
        server.log.expect(r"isign: refused reason=body_too_large")

    @each
    def test_php(self, server, profile, format):
        user = self.user(server, profile, format)
        shown = Shown(user.call("/php/index.php", options={"chunked": True}))
        assert shown.body == user.body and shown.env["SAUTH_CALL"] == "orders.list"

    def test_behind_a_rewrite(self, server):
        """After an internal redirect the call is used once, and its body is still there."""
        user = self.user(server)
        shown = Shown(user.call("/front/orders"))
        assert shown.body == user.body and shown.env["REDIRECT_URL"] == "/front/orders"
        assert shown.env["SAUTH_CALL"] == "orders.list"
        rejected(server, user.post("/front/orders", user.body), 401, "replayed_request", "call_replayed")

    def test_sub_request_before_authentication(self, server):
        """The result for a sub-request before the request's own authentication is that for both."""
        user = self.user(server)
        shown = Shown(user.call("/ahead", request={"x": "y" * 20000}, options={"chunked": True}))
        assert shown.body == user.body and shown.env["AHEAD"] == UID and shown.env["SAUTH_CALL"] == "orders.list"
        rejected(server, user.post("/ahead", user.body), 401, "replayed_request", "call_replayed")

    @pytest.mark.parametrize("size, status", [(1100000, 413), (10, 401)])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_error_document(self, server, size, status, chunked):
        """An ErrorDocument that is an application, whether or not the body was read."""
        user = self.user(server)
        response = user.call("/paged", request={"x": "y" * size}, signature="0" * 64, options={"chunked": chunked})
        assert response.status == status and b"REDIRECT_STATUS=%d" % status in response.body
        assert b"SAUTH_PARTICIPANT" not in response.body
        server.log.expect("sauth: refused reason=" + ("body_too_large" if status == 413 else "mac_mismatch"))

    @pytest.mark.parametrize("chunked", [False, True])
    def test_limit_of_httpd(self, server, chunked):
        """LimitRequestBody limits how much is read for unauthenticated clients."""
        user = self.user(server)
        assert user.call("/limited", options={"chunked": chunked}).status == 200
        before = server.journal()
        response = user.call("/limited", request={"x": "y" * 3000}, options={"chunked": chunked})
        assert response.status == 413 and response.body.count(b"</html>") <= 1, "httpd's own answer, once"
        server.log.expect("sauth: refused reason=body_(broken|too_large)")
        assert server.journal() == before

    def test_all_bodies_together(self, server):
        """ISignSpoolTotal counts them, and they are released afterwards."""
        user = self.user(server)
        text = user.text("a.b", {"x": "y" * 1000000}, **user.call_members("a.b", {"x": "y" * 1000000})).encode()
        connections = [server.connect() for _ in range(3)]
        try:
            for connection in connections:
                connection.send(server.message("POST", "/off", {"Content-Type": "application/json"}, text)[:-10])
            deadline = time.monotonic() + 5
            while True:
                response = user.call("/off", request={"x": "z" * 1000000})
                if response.status == 503 or time.monotonic() > deadline:
                    break
            rejected(server, response, 503, "unavailable", "spool_full", level="error")
            server.log.allow("reason=spool_full|reason=mac_mismatch|reason=body_broken|AH0")
        finally:
            for connection in connections:
                connection.close()
        deadline = time.monotonic() + 10
        while user.call("/off", request={"x": "z" * 1000000}).status != 200:
            assert time.monotonic() < deadline

    def test_cut_off(self, server):
        user = self.user(server)
        before = server.journal()
        text = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        with server.connect() as connection:
            connection.send(server.message("POST", "/off", {"Content-Type": "application/json"}, text)[:-10])
            connection.half_close()
            assert connection.response("POST").status in (400, 408)
        server.log.expect("refused reason=body_broken")
        assert server.journal() == before

    def test_http2(self, make_server):
        server = make_server(Site(config="Protocols h2c http/1.1\n" + self.site.config, participants=PEOPLE,
                                  expect=(MD5_WARNS,), php_fcgi=True, modules=("rewrite", "include", "http2"),
                                  files={"php/answer.php": RESPONSE}))
        user = ChallengeClient(server).login()
        server.log.allow(r"\[http2:")
        text = user.text("a.b", {}, **user.call_members("a.b", {})).encode()
        user.sent = json.loads(text)
        with Http2(server.port) as connection:
            response = connection.request("POST", "/php/answer.php", [("Content-Type", "application/json")], text)
            assert user.verify(response) == b'{"status":"valid","response":{}}'
            rejected(server, connection.request("POST", "/php/answer.php", [("Content-Type", "application/json")], text),
                     401, "replayed_request", "call_replayed")
            text = user.text("a.c", {}, **user.call_members("a.c", {})).encode()
            user.sent = json.loads(text)
            response = connection.request("POST", "/php/index.php", [("Content-Type", "application/json")], text, length=False)
            plain = json.loads(user.verify(response))
            assert plain["server"]["SAUTH_CALL"] == "a.c" and base64.b64decode(plain["body"]) == text


class TestResponses:
    """Responses to calls of profile hmac-sha256 are signed."""

    site = Site(config=ENDPOINT + BOTH + location("/php", "Require capability read", CALL)
                + '<Location "/php">\nSetOutputFilter DEFLATE\nErrorDocument 410 /index.html\n</Location>\n',
                participants=PEOPLE, expect=(MD5_WARNS,), php_fcgi=True, modules=("deflate", "filter"),
                files={"php/answer.php": RESPONSE})

    def response(self, server, query="", profile=HMAC, format="json", headers=()):
        user = ChallengeClient(server, profile=profile, format=format).login()
        return user, user.call("/php/answer.php?" + query, headers=headers)

    @pytest.mark.parametrize("status", [200, 201, 400, 404, 500])
    @pytest.mark.parametrize("format", ["json", "xml"])
    def test_signed(self, server, status, format):
        body = '{"status":"valid","response":{"a":"b"}}' if format == "json" else "<xml><status>valid</status></xml>"
        kind = "application/json" if format == "json" else "text/xml;charset=UTF-8"
        user, response = self.response(server, f"status={status}&body={quote(body, safe='')}&type={kind}", format=format)
        assert response.status == status and user.verify(response) == body.encode()
        for name in ("ETag", "Accept-Ranges"):
            assert response.header(name) is None, repr(response)

    @pytest.mark.parametrize("size", [0, 10, 64, 8000, 100000, 5000000])
    @pytest.mark.parametrize("flush", ["", "&flush=1&piece=65536"])
    def test_sizes(self, server, size, flush):
        user, response = self.response(server, f"size={size}{flush}")
        assert user.verify(response) == b'{"status":"valid","response":{"x":"' + b"y" * size + b'"}}'

    @pytest.mark.parametrize("piece", [1, 7, 63, 65])
    def test_pieces(self, server, piece):
        user, response = self.response(server, f"size=300&flush=1&piece={piece}")
        assert user.verify(response) == b'{"status":"valid","response":{"x":"' + b"y" * 300 + b'"}}'

    @pytest.mark.parametrize("body", ["{}", "{ }", '{"a":1}\r\n', '{"a":{}}  \n '])
    def test_ends(self, server, body):
        user, response = self.response(server, f"body={quote(body, safe='')}")
        assert json.loads(response.body)["signature"] and user.verify(response) == body.encode()

    def test_compressed(self, server):
        user, response = self.response(server, "size=1000", headers={"Accept-Encoding": "gzip"})
        assert response.header("Content-Encoding") == "gzip"
        response.body = gzip.decompress(response.body)
        assert user.verify(response) == b'{"status":"valid","response":{"x":"' + b"y" * 1000 + b'"}}'

    def test_a_range_is_ignored(self, server):
        user, response = self.response(server, "size=1000", headers={"Range": "bytes=0-9"})
        assert response.status == 200 and user.verify(response)

    @pytest.mark.parametrize("query", ["type=text/plain", "body=[1]", "body=x", "status=204", "type=text/html",
                                       "header=Content-Encoding:%20br", "body=" + "%20" * 70,
                                       "body=%7B%7D" + "%20" * 70])
    def test_not_signed(self, server, query):
        _, response = self.response(server, query)
        assert b"signature" not in response.body
        server.log.allow(NOT_SIGNED)
        assert server.log.wait(r"\[sauth:(debug|warn)\] .*the response is not signed: ")

    def test_not_signed_is_logged_once(self, make_server):
        """At httpd's default LogLevel, with a rate limit for each reason."""
        server = make_server(self.site)
        user = ChallengeClient(server).login()
        server.log.expect(NOT_SIGNED)
        for query, why in (("type=text/plain", "its media type is neither"), ("body=x", "it does not end in")):
            for _ in range(40):
                assert b"signature" not in user.call(f"/php/answer.php?{query}").body
            lines = server.log.wait(NOT_SIGNED + why + r'.* location=/php/answer.php')
            assert len(lines) <= 8, "one in each process"

    def test_md5_does_not_sign_responses(self, server):
        _, response = self.response(server, profile=MD5)
        assert response.body == b'{"status":"valid","response":{}}' and response.header("ETag")

    def test_other_responses_are_not_signed(self, server):
        response = server.post("/sauth/challenge", b'{"method":"auth.request","request":{"username":"x"}}',
                             {"Content-Type": "application/json"})
        assert b"signature" not in response.body and response.status == 200

    def test_bound_to_the_call(self, server):
        """A signature is not valid for the response to another call."""
        user, first = self.response(server)
        second = user.call("/php/answer.php")
        assert first.body != second.body and user.verify(second)
        with pytest.raises(AssertionError):
            user.verify(first)

    def test_changed_on_the_way(self, server):
        user, response = self.response(server, "size=10")
        response.body = response.body.replace(b"yyy", b"zzz")
        with pytest.raises(AssertionError):
            user.verify(response)


class TestConfiguration:
    def test_inherited_and_overridden(self, make_server):
        """SAuthAccept applies to inner sections, unless these have their own."""
        config = (ENDPOINT + BOTH + "SAuthAccept challenge\n" + location("/cgi-bin", "Require capability read")
                  + location("/cgi-bin/other", "Require capability read", "SAuthAccept sauth"))
        server = make_server(Site(config=config, participants=PEOPLE, expect=(MD5_WARNS,)))
        user, sauth = ChallengeClient(server).login(), Client(server, secret=SECRET).granted()
        assert user.call(TARGET).status == sauth.get("/cgi-bin/other").status == 200
        refused(server, user.call("/cgi-bin/other"), 401, "credentials_required", "credentials_missing", level="info")
        assert server.get(TARGET, {"Authorization": sauth.header()}).status == 401
        server.log.expect("refused reason=scheme_not_accepted")

    def test_md5_taken_away(self, make_server):
        config = ENDPOINT + f"SAuthChallengeDomain {DOMAIN}\n" + location(TARGET, "Require capability read", CALL)
        server = make_server(Site(config=config + "ServerName https://127.0.0.1:@PORT@\nSAuthChallenge md5\n", participants=PEOPLE, expect=(MD5_WARNS,)))
        user = ChallengeClient(server, profile=MD5).login()
        rejected(server, ChallengeClient(server).request().http, 400, "profile_not_enabled", "profile_not_enabled")
        server.configure(config)
        server.graceful()
        rejected(server, user.call(TARGET), 400, "profile_not_enabled", "profile_not_enabled")

    def test_over_a_stop(self, make_server):
        """With SAuthStateFile tokens survive a clean stop. Challenges that may have been used do not."""
        config = (ENDPOINT + BOTH + 'SAuthStateFile "@ROOT@/state/grants"\n' + location(TARGET, "Require capability read", CALL))
        server = make_server(Site(config=config, participants=PEOPLE, expect=(MD5_WARNS,)), start=False)
        (server.root / "state").mkdir(mode=0o700)
        server.start()
        users = [ChallengeClient(server, profile=profile).login() for profile in (HMAC, MD5)]
        challenge = users[0].challenge()
        assert users[0].call(TARGET).status == 200
        used = users[0].body
        server.stop()
        server.start()
        assert [user.call(TARGET).status for user in users] == [200, 200]
        rejected(server, users[0].post(TARGET, used), 401, "replayed_request", "call_replayed")
        rejected(server, users[0].redeem(challenge)[1].http, 401, "replayed_challenge", "challenge_superseded")
        assert users[0].login().call(TARGET).status == 200


class TestWithoutIsign:
    """A location that accepts calls requires mod_isign: a start fails without it, and after a reload it responds with 503."""

    CONFIG = ENDPOINT + location(TARGET, "Require capability read", CALL)
    site = Site(config=CONFIG, participants=PEOPLE)

    def test_start(self, make_server):
        server = make_server(Site(config=self.CONFIG, participants=PEOPLE, ours=("registry", "sauth")), start=False)
        accepted, said = server.check()
        assert not accepted and "SAuthAccept challenge requires mod_isign" in said, said
        assert re.search(r"httpd\.conf:\d+: SAuthAccept", said), said

    def test_reload(self, make_server):
        server = make_server(Site(config=self.CONFIG + f"SAuthChallengeDomain {DOMAIN}\n", participants=PEOPLE))
        user = ChallengeClient(server).login()
        server.modules = [one for one in server.modules if one[0] != "isign"]
        server.configure(re.sub("SAuthAccept challenge", "SAuthAccept challenge sauth", server.site.config))
        server.conf.write_text(server.conf.read_text().replace("isign:trace8", ""))
        server.graceful()
        response = user.call(TARGET)
        rejected(server, response, 503, "unavailable", "fault_internal", level="error")

    def test_endpoint_alone(self, make_server):
        server = make_server(Site(config=ENDPOINT + f"SAuthChallengeDomain {DOMAIN}\n", participants=PEOPLE,
                                  ours=("registry", "sauth")))
        ChallengeClient(server).login()
