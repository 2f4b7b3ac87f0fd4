"""request_access and refresh_access: what a grant says, who gets one, who does not and how that is told."""
import json
import os
import re
import threading
import time
from datetime import datetime, timezone
from urllib.parse import quote_plus, urlencode

import pytest

from harness import BASIC, Caller, OTHER, OTHER_SECRET, SECRET, Site, UID, b64url, participant, passed, refused
from harness.sauth import FORM, hexmac


def seconds_left(server, grant):
    at = datetime.strptime(grant["timeout"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    return at.timestamp() - server.clock.time()


PEOPLE = [
    participant(),
    participant(OTHER, ["read"], OTHER_SECRET, allow_refresh=False, token_max_lifespan=600),
    participant("nosecret", secret=None),
    participant("lapsedsecret", secret=None,
                shared_secrets=[{"value": b64url(SECRET), "not_after": "2020-01-01T00:00:00Z"}]),
    participant("suspended", status="suspended"),
    participant("applied", status="applied"),
    participant("expired", expires="2020-01-01T00:00:00Z"),
    participant("soon", expires="2099-01-01T00:00:00Z"),
    participant("rotating", secret=None,
                shared_secrets=[{"value": b64url(SECRET), "not_after": "2099-01-01T00:00:00Z"},
                                {"value": b64url(OTHER_SECRET)}]),
]


class TestGrant:
    """What the answer to request_access says."""

    site = Site(config=BASIC, participants=PEOPLE)

    def test_members(self, server):
        answer = Caller(server).ask()
        assert answer.status == 200, repr(answer)
        assert answer.header("Content-Type") == "application/json"
        assert "no-store" in answer.header("Cache-Control")
        grant = answer.json
        assert set(grant) == {"access_to", "can_refresh", "timeout", "token", "uid"}
        assert grant["access_to"] == ["read"] and grant["can_refresh"] is True and grant["uid"] == UID
        assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", grant["token"])
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", answer.nextnonce)
        assert 3590 < seconds_left(server, grant) <= 3600
        server.guard(grant["token"])

    def test_opens_the_location(self, server):
        passed(Caller(server).granted().get("/files/plain.txt"))

    def test_is_logged_without_the_token(self, server):
        Caller(server).granted()
        assert f'participant={UID}' in server.log.wait(r"\[sauth:info\] .*sauth: granted ")[-1]

    def test_tokens_differ(self, server):
        assert len({Caller(server).granted().token for _ in range(5)}) == 5

    def test_several_capabilities(self, server):
        assert sorted(Caller(server).ask(access_for=["update", "read"]).json["access_to"]) == ["read", "update"]

    def test_lifespan_absent_is_the_maximum(self, server):
        grant = Caller(server, OTHER, OTHER_SECRET).ask(token_lifespan=None).json
        assert 590 < seconds_left(server, grant) <= 600

    def test_lifespan_is_clamped(self, server):
        grant = Caller(server, OTHER, OTHER_SECRET).ask(token_lifespan=99999).json
        assert 590 < seconds_left(server, grant) <= 600

    def test_can_refresh_follows_the_record(self, server):
        assert Caller(server, OTHER, OTHER_SECRET).ask().json["can_refresh"] is False

    def test_several_nonces(self, server):
        caller = Caller(server)
        grant = caller.ask(nonces=8).json
        assert len(set(grant["nonces"])) == 8
        for _ in range(8):
            assert server.get("/files/plain.txt", {"Authorization": caller.header()}).status == 200

    def test_names_with_hyphens(self, server):
        caller = Caller(server)
        body = json.dumps({"access-for": ["read"], "token-lifespan": 60, "uid": UID, "id": os.urandom(9).hex()})
        answer = caller.submit("request_access", caller.form(body))
        assert answer.status == 200 and 50 < seconds_left(server, answer.json) <= 60
        server.guard(answer.json["token"])

    def test_body_is_signed_byte_for_byte(self, server):
        """Spaces, member order and escapes are the caller's."""
        caller = Caller(server)
        body = f'{{ "uid":"{UID}",\t"access_for" : [ "re\\u0061d" ] , "id":"{os.urandom(9).hex()}"}}'
        assert caller.submit("request_access", caller.form(body)).json["access_to"] == ["read"]

    def test_form_fields_in_any_order(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        assert caller.submit("request_access", list(reversed(form.items()))).status == 200

    def test_content_type_with_a_parameter(self, server):
        caller = Caller(server)
        answer = server.post("/sauth/request_access", urlencode(caller.form(caller.body())).encode(),
                             {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"})
        assert answer.status == 200, repr(answer)

    def test_chunked_form(self, server):
        caller = Caller(server)
        answer = server.post("/sauth/request_access", urlencode(caller.form(caller.body())).encode(), FORM,
                             chunked=True)
        assert answer.status == 200, repr(answer)

    def test_either_of_two_secrets_during_a_rotation(self, server):
        for secret in (SECRET, OTHER_SECRET):
            passed(Caller(server, "rotating", secret).granted().get("/files/plain.txt"))

    def test_participants_alternate(self, server):
        """One thread's MAC context must not keep another participant's key."""
        with server.connect() as connection:
            for uid, secret, status in [(UID, SECRET, 200), ("nosecret", SECRET, 401), (OTHER, OTHER_SECRET, 200),
                                        ("nosecret", OTHER_SECRET, 401), ("nosecret", b"", 401)] * 3:
                caller = Caller(server, uid, secret) if secret else Caller(server, uid)
                caller.secret = secret
                server.log.allow("reason=secret_missing")
                connection.send(server.message("POST", "/sauth/request_access", FORM,
                                               urlencode(caller.form(caller.body())).encode(), close=False))
                assert connection.answer().status == status

    def test_optional_id_tells_requests_of_one_second_apart(self, server):
        caller = Caller(server)
        stamp = caller.stamp()
        assert [caller.ask(timestamp=stamp).status for _ in range(3)] == [200, 200, 200]

    def test_right_audience(self, server):
        aud = f"http://127.0.0.1:{server.port}/sauth/request_access"
        assert Caller(server).ask(aud=aud).status == 200


class TestHash:
    """SHA-1 only where the directive allows it."""

    site = Site(config="SAuthHash sha256 sha1\n" + BASIC)

    @pytest.mark.parametrize("raw", [False, True])
    def test_sha1_where_allowed(self, server, raw):
        caller = Caller(server, hash="sha1", raw=raw).granted()
        for _ in range(3):
            passed(caller.get("/files/plain.txt"))
        refreshed = caller.refresh()
        assert refreshed.status == 200, repr(refreshed)

    def test_sha256_still(self, server, caller):
        passed(caller.get("/files/plain.txt"))

    def test_published_client_form(self, server):
        """The published client's own access request: SHA-1, no id."""
        caller = Caller(server, hash="sha1")
        body = f'{{"access_for":["read"],"token_lifespan":72000,"uid":"{UID}"}}'
        answer = caller.submit("request_access", caller.form(body))
        assert answer.status == 200, repr(answer)
        server.guard(answer.json["token"])


class TestSha1Refused:
    site = Site(config=BASIC)

    def test_request_access(self, server):
        refused(server, Caller(server, hash="sha1").ask(), 400, "malformed_request", "hash_not_allowed")

    def test_presentation(self, server, caller):
        answer = server.get("/files/plain.txt", {"Authorization": caller.header(hash="sha1")})
        refused(server, answer, 401, "invalid_credentials", "hash_not_allowed|authorization_malformed")


GRAMMAR = [
    ("uid missing", "field_missing", {"uid": None}),
    ("timestamp missing", "field_missing", {"timestamp": None}),
    ("hmac missing", "field_missing", {"hmac": None}),
    ("body missing", "field_missing", {"body": None}),
    ("unknown field", "field_unknown", {"more": "1"}),
    ("uid empty", "malformed", {"uid": ""}),
    ("uid with a space", "malformed", {"uid": "a b"}),
    ("uid with a control", "malformed", {"uid": "a\x01b"}),
    ("uid not ASCII", "malformed", {"uid": "\u00e4"}),
    ("uid too long", "malformed", {"uid": "u" * 256}),
    ("timestamp empty", "timestamp_malformed", {"timestamp": ""}),
    ("timestamp a word", "timestamp_malformed", {"timestamp": "now"}),
    ("timestamp negative", "timestamp_malformed", {"timestamp": "-1"}),
    ("timestamp signed", "timestamp_malformed", {"timestamp": "+1700000000"}),
    ("timestamp with a fraction", "timestamp_malformed", {"timestamp": "1700000000.5"}),
    ("timestamp with an exponent", "timestamp_malformed", {"timestamp": "1e9"}),
    ("timestamp with a space", "timestamp_malformed", {"timestamp": " 1700000000"}),
    ("timestamp beyond 64 bits", "timestamp_malformed", {"timestamp": "9" * 25}),
    ("hmac empty", "hmac_malformed", {"hmac": ""}),
    ("hmac short", "hmac_malformed", {"hmac": "a" * 63}),
    ("hmac long", "hmac_malformed", {"hmac": "a" * 65}),
    ("hmac of MD5's length", "hmac_malformed", {"hmac": "a" * 32}),
    ("hmac not hexadecimal", "hmac_malformed", {"hmac": "g" * 64}),
]

U = f'"uid":"{UID}"'
BODIES = [
    ("empty", "json_malformed", ""),
    ("not JSON", "json_malformed", "access"),
    ("cut short", "json_malformed", '{"access_for":["read"],'),
    ("trailing text", "json_malformed", f'{{"access_for":["read"],{U}}} x'),
    ("trailing comma", "json_malformed", f'{{"access_for":["read"],{U},}}'),
    ("comment", "json_malformed", f'{{"access_for":["read"],{U}/**/}}'),
    ("NUL escaped", "json_malformed", f'{{"access_for":["read\\u0000"],{U}}}'),
    ("lone surrogate", "json_malformed", f'{{"access_for":["\\ud800"],{U}}}'),
    ("member repeated", "json_duplicate", f'{{"access_for":["read"],"access_for":["update"],{U}}}'),
    ("uid repeated", "json_duplicate", f'{{"access_for":["read"],{U},{U}}}'),
    ("33 deep", "json_limit", '{"access_for":' + "[" * 33 + "]" * 33 + f",{U}}}"),
    ("not an object", "access_malformed", '["read"]'),
    ("unknown member", "access_malformed", f'{{"access_for":["read"],{U},"admin":true}}'),
    ("access_for missing", "access_malformed", f"{{{U}}}"),
    ("access_for a string", "access_malformed", f'{{"access_for":"read",{U}}}'),
    ("access_for empty", "access_malformed", f'{{"access_for":[],{U}}}'),
    ("capability a number", "access_malformed", f'{{"access_for":[1],{U}}}'),
    ("capability empty", "access_malformed", f'{{"access_for":[""],{U}}}'),
    ("capability with a space", "access_malformed", f'{{"access_for":["read update"],{U}}}'),
    ("capability repeated", "access_malformed", f'{{"access_for":["read","read"],{U}}}'),
    ("65 capabilities", "access_malformed", f'{{"access_for":{json.dumps([str(n) for n in range(65)])},{U}}}'),
    ("both spellings", "access_malformed", f'{{"access_for":["read"],"access-for":["read"],{U}}}'),
    ("lifespan 0", "access_malformed", f'{{"access_for":["read"],"token_lifespan":0,{U}}}'),
    ("lifespan negative", "access_malformed", f'{{"access_for":["read"],"token_lifespan":-1,{U}}}'),
    ("lifespan a string", "access_malformed", f'{{"access_for":["read"],"token_lifespan":"60",{U}}}'),
    ("lifespan a fraction", "access_malformed", f'{{"access_for":["read"],"token_lifespan":1.5,{U}}}'),
    ("nonces 0", "access_malformed", f'{{"access_for":["read"],"nonces":0,{U}}}'),
    ("nonces 33", "access_malformed", f'{{"access_for":["read"],"nonces":33,{U}}}'),
    ("nonces a string", "access_malformed", f'{{"access_for":["read"],"nonces":"2",{U}}}'),
    ("id empty", "access_malformed", f'{{"access_for":["read"],"id":"",{U}}}'),
    ("id a number", "access_malformed", f'{{"access_for":["read"],"id":1,{U}}}'),
    ("aud a list", "access_malformed", f'{{"access_for":["read"],"aud":[],{U}}}'),
    ("token", "access_malformed", f'{{"access_for":["read"],"token":"x",{U}}}'),
    ("uid missing", "access_malformed", '{"access_for":["read"]}'),
    ("uid another", "uid_mismatch", '{"access_for":["read"],"uid":"http://other.example.org"}'),
]


def named(rows):
    return [pytest.param(*row[1:], id=row[0]) for row in rows]


class TestGrammar:
    """Faults that a caller can see in its own request: 400, before anything is looked up."""

    site = Site(config=BASIC, participants=PEOPLE)

    @pytest.mark.parametrize("reason, fields", named(GRAMMAR))
    def test_form(self, server, reason, fields):
        refused(server, Caller(server).ask(fields=fields), 400, "malformed_request", reason)

    @pytest.mark.parametrize("name", ["uid", "timestamp", "hmac", "body"])
    def test_field_repeated(self, server, name):
        caller = Caller(server)
        form = caller.form(caller.body())
        answer = caller.submit("request_access", [*form.items(), (name, form[name])])
        refused(server, answer, 400, "malformed_request", "field_repeated")

    @pytest.mark.parametrize("text", [b"uid=%zz", b"uid=%4", b"uid=a%00b&timestamp=1", b"=x"])
    def test_escapes(self, server, text):
        refused(server, Caller(server).submit("request_access", text), 400, "malformed_request", "form_malformed")

    def test_empty_body(self, server):
        refused(server, Caller(server).submit("request_access", b""), 400, "malformed_request",
                "field_missing|form_malformed")

    def test_too_many_fields(self, server):
        answer = Caller(server).submit("request_access", urlencode({f"f{n}": "" for n in range(500)}).encode())
        refused(server, answer, 400, "malformed_request", "too_long")

    @pytest.mark.parametrize("reason, body", named(BODIES))
    def test_body(self, server, reason, body):
        caller = Caller(server)
        answer = caller.submit("request_access", caller.form(body))
        refused(server, answer, 400, "malformed_request", reason)

    def test_body_not_utf8(self, server):
        caller = Caller(server)
        raw = b'{"access_for":["\xff"],' + U.encode() + b"}"
        stamp = str(caller.stamp())
        mac = hexmac(SECRET, stamp.encode() + b" " + raw)
        form = f"uid={quote_plus(UID)}&timestamp={stamp}&hmac={mac}&body=".encode() + quote_plus(raw).encode()
        refused(server, caller.submit("request_access", form), 400, "malformed_request", "json_malformed")

    def test_grammar_is_told_before_the_caller_is_looked_up(self, server):
        caller = Caller(server, "http://nobody.example.org", b"sixteen bytes or more")
        answer = caller.submit("request_access", caller.form("{}"))
        refused(server, answer, 400, "malformed_request", "access_malformed")


class TestEndpoint:
    """The endpoint as a resource."""

    site = Site(config=BASIC)

    @pytest.mark.parametrize("endpoint", ["request_access", "refresh_access"])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_method(self, server, endpoint, method):
        answer = server.request(method, f"/sauth/{endpoint}")
        assert set(answer.header("Allow").split(",")) - {"TRACE"} == {"POST"}, repr(answer)  # TRACE is httpd's own
        if method == "HEAD":
            assert answer.status == 405
            server.log.expect("sauth: refused reason=method_not_allowed")
        else:
            refused(server, answer, 405, "method_not_allowed", "method_not_allowed")

    @pytest.mark.parametrize("target", ["/sauth/nothing", "/sauth/", "/sauth", "/sauth/request_access/more",
                                        "/sauth/Request_Access", "/sauth/request_accessx"])
    def test_unknown(self, server, target):
        answer = server.post(target, b"uid=x", FORM)
        refused(server, answer, 404, "not_found", "endpoint_unknown")

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x",
                                              "application/x-www-form-urlencodedx", None])
    def test_media_type(self, server, content_type):
        caller = Caller(server)
        data = urlencode(caller.form(caller.body())).encode()
        headers = {"Content-Type": content_type} if content_type else {}
        answer = server.post("/sauth/request_access", data, headers)
        refused(server, answer, 415, "unsupported_media_type", "media_type")

    @pytest.mark.parametrize("chunked", [False, True])
    def test_body_too_large(self, server, chunked):
        caller = Caller(server)
        data = urlencode(caller.form(caller.body())).encode() + b"&more=" + b"x" * 70000
        answer = server.post("/sauth/request_access", data, FORM, chunked=chunked)
        refused(server, answer, 413, "body_too_large", "body_too_large")

    def test_body_of_the_largest_size(self, server):
        """64 KiB are read, and refused for what they say."""
        data = b"uid=" + b"x" * (65536 - 4)
        refused(server, Caller(server).submit("request_access", data), 400, "malformed_request",
                "field_missing|malformed|too_long")

    def test_body_broken_off(self, server):
        with server.connect() as connection:
            connection.send(server.message("POST", "/sauth/request_access", {**FORM, "Content-Length": "500"}, b"uid=x"))
            connection.half_close()
            server.log.expect(r"sauth: refused reason=body_broken")
            server.log.allow(r"AH0\d+: .*(End of file|Partial|incomplete)")
            assert connection.answer().status == 400

    def test_every_answer_is_no_store(self, server):
        server.log.allow("reason=(method_not_allowed|endpoint_unknown|mac_mismatch)")
        answers = [server.get("/sauth/request_access"), server.get("/sauth/nothing"), server.get("/sauth/generate_nonce"),
                   Caller(server).ask(), Caller(server, secret=b"x" * 16).ask()]
        assert [answer.status for answer in answers] == [405, 404, 200, 200, 401]
        assert all("no-store" in answer.header("Cache-Control") for answer in answers)

    def test_query_is_not_a_form(self, server):
        form = urlencode({"uid": UID, "timestamp": "1", "hmac": "a" * 64, "body": "{}"})
        answer = server.post("/sauth/request_access?" + form, b"", FORM)
        refused(server, answer, 400, "malformed_request", "field_missing|form_malformed")


class TestRefusedAccess:
    """Who gets no grant."""

    site = Site(config=BASIC, participants=PEOPLE)

    def test_unknown_participant(self, server):
        answer = Caller(server, "http://nobody.example.org").ask()
        refused(server, answer, 401, "invalid_credentials", "participant_unknown")

    def test_wrong_secret(self, server):
        refused(server, Caller(server, secret=b"not the secret!!").ask(), 401, "invalid_credentials", "mac_mismatch")

    @pytest.mark.parametrize("uid", ["nosecret", "lapsedsecret"])
    def test_no_usable_secret(self, server, uid):
        refused(server, Caller(server, uid).ask(), 401, "invalid_credentials", "secret_missing")

    def test_empty_key_does_not_verify(self, server):
        """The published code's forgery: a MAC made without the secret."""
        caller = Caller(server)
        body, stamp = caller.body(), str(caller.stamp())
        for mac in (hexmac(b"", f"{stamp} {body}"), hexmac(b"\0" * 64, f"{stamp} {body}"), "0" * 64):
            answer = caller.submit("request_access", {"uid": UID, "timestamp": stamp, "hmac": mac, "body": body})
            refused(server, answer, 401, "invalid_credentials", "mac_mismatch")

    def test_timestamp_is_covered(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        form["timestamp"] = str(int(form["timestamp"]) - 1)
        refused(server, caller.submit("request_access", form), 401, "invalid_credentials", "mac_mismatch")

    def test_body_is_covered(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        form["body"] = form["body"].replace('"read"', '"update"')
        refused(server, caller.submit("request_access", form), 401, "invalid_credentials", "mac_mismatch")

    def test_uid_of_another(self, server):
        caller = Caller(server, OTHER, SECRET)
        refused(server, caller.ask(), 401, "invalid_credentials", "mac_mismatch")

    def test_one_answer_before_the_mac_verified(self, server):
        """No oracle: unknown, without a secret, suspended, expired and known callers get the same refusal."""
        server.log.allow("reason=(participant_unknown|secret_missing|mac_mismatch)")
        answers = [Caller(server, uid, b"not the secret!!").ask()
                   for uid in ("http://nobody.example.org", "nosecret", UID, "suspended", "expired")]
        assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}
        assert len({tuple(name for name, _ in answer.headers) for answer in answers}) == 1
        assert answers[0].problem["code"] == "invalid_credentials"

    def test_stale_timestamp_of_a_stranger_is_no_oracle_either(self, server):
        answer = Caller(server, secret=b"not the secret!!").ask(timestamp=1300000000)
        refused(server, answer, 401, "invalid_credentials", "mac_mismatch")

    @pytest.mark.parametrize("age", [33, 3600, 1000000000])
    def test_timestamp_stale(self, server, age):
        answer = Caller(server).ask(timestamp=int(server.clock.time()) - age)
        refused(server, answer, 401, "stale_timestamp", "timestamp_stale")

    @pytest.mark.parametrize("ahead", [33, 3600, 100000000])
    def test_timestamp_future(self, server, ahead):
        answer = Caller(server).ask(timestamp=int(server.clock.time()) + ahead)
        refused(server, answer, 401, "stale_timestamp", "timestamp_future")

    def test_replayed(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        first = caller.submit("request_access", form)
        assert first.status == 200
        server.guard(first.json["token"])
        for _ in range(2):
            refused(server, caller.submit("request_access", form), 401, "replayed_request", "access_replayed")

    def test_replayed_with_another_spelling(self, server):
        """What counts is the MAC that the server computed, not the text that carried it."""
        caller = Caller(server)
        form = caller.form(caller.body())
        assert caller.submit("request_access", form).status == 200
        server.log.allow("reason=(access_replayed|hmac_malformed)")
        assert caller.submit("request_access", {**form, "hmac": form["hmac"].upper()}).status in (400, 401)
        spelt = "&".join(f"{name}=" + "".join(f"%{byte:02x}" for byte in value.encode())
                         for name, value in form.items()).encode()
        refused(server, caller.submit("request_access", spelt), 401, "replayed_request", "access_replayed")

    def test_a_refused_proof_is_not_remembered(self, server):
        """Replay records are for proofs that verified: a stranger cannot spend somebody's request beforehand."""
        caller = Caller(server)
        form = caller.form(caller.body())
        refused(server, caller.submit("request_access", {**form, "hmac": "0" * 64}), 401, "invalid_credentials",
                "mac_mismatch")
        assert caller.submit("request_access", form).status == 200

    def test_parallel_replays_succeed_once(self, server):
        caller = Caller(server)
        form = caller.form(caller.body())
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(caller.submit("request_access", form).status))
                   for _ in range(12)]
        server.log.allow("reason=access_replayed")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] + [401] * 11

    def test_capability_not_held(self, server):
        answer = Caller(server, OTHER, OTHER_SECRET).ask(access_for=["read", "update"])
        refused(server, answer, 403, "capability_not_held", "capability_not_held")

    def test_capability_nobody_holds(self, server):
        refused(server, Caller(server).ask(access_for=["read", "fly"]), 403, "capability_not_held",
                "capability_not_held")

    @pytest.mark.parametrize("uid", ["suspended", "applied"])
    def test_participant_inactive(self, server, uid):
        refused(server, Caller(server, uid).ask(), 403, "participant_inactive", "participant_inactive")

    def test_participant_expired(self, server):
        refused(server, Caller(server, "expired").ask(), 403, "participant_expired", "participant_expired")

    @pytest.mark.parametrize("aud", ["http://elsewhere.example.org/sauth/request_access", "x"])
    def test_wrong_audience(self, server, aud):
        refused(server, Caller(server).ask(aud=aud), 403, "wrong_audience", "audience_mismatch")

    def test_audience_of_the_other_endpoint(self, server):
        aud = f"http://127.0.0.1:{server.port}/sauth/refresh_access"
        refused(server, Caller(server).ask(aud=aud), 403, "wrong_audience", "audience_mismatch")

    def test_audience_is_not_what_the_host_header_says(self, server):
        """A capture for another host must not work by naming that host."""
        caller = Caller(server)
        form = caller.form(caller.body(aud="http://elsewhere.example.org/sauth/request_access"))
        answer = server.post("/sauth/request_access", urlencode(form).encode(),
                             {**FORM, "Host": "elsewhere.example.org"})
        refused(server, answer, 403, "wrong_audience", "audience_mismatch")


class TestStarting:
    """Proofs stamped at or before birth + skew could be replays of what the lost memory held."""

    site = Site(config=BASIC)

    def test_stamped_now(self, server):
        answer = Caller(server).ask(timestamp=int(server.listening_at))
        refused(server, answer, 503, "starting", "replay_memory_young", level="info")

    def test_stamped_at_birth_and_skew(self, server):
        answer = Caller(server).ask(timestamp=int(server.listening_at) + 29)
        refused(server, answer, 503, "starting", "replay_memory_young", level="info")

    def test_stranger_learns_nothing(self, server):
        answer = Caller(server, secret=b"not the secret!!").ask(timestamp=int(server.listening_at))
        refused(server, answer, 401, "invalid_credentials", "mac_mismatch")

    def test_stamped_later(self, server):
        assert Caller(server).ask().status == 200


class TestClockSkew:
    site = Site(config=BASIC, skew=3)

    def test_narrow(self, server):
        caller = Caller(server)
        refused(server, caller.ask(timestamp=int(server.clock.time()) - 6), 401, "stale_timestamp", "timestamp_stale")
        refused(server, caller.ask(timestamp=int(server.clock.time()) + 6), 401, "stale_timestamp", "timestamp_future")
        assert caller.ask().status == 200


class TestRequired:
    """SAuthRequestRequire: optional members that a server insists on."""

    site = Site(config="SAuthRequestRequire id aud\n" + BASIC)

    def aud(self, server, endpoint="request_access"):
        return f"http://127.0.0.1:{server.port}/sauth/{endpoint}"

    def test_id_missing(self, server):
        answer = Caller(server).ask(id=None, aud=self.aud(server))
        refused(server, answer, 400, "malformed_request", "access_id_missing")

    def test_aud_missing(self, server):
        refused(server, Caller(server).ask(), 400, "malformed_request", "access_audience_missing")

    def test_both(self, server):
        caller = Caller(server)
        assert caller.ask(aud=self.aud(server)).status == 200
        assert caller.refresh(aud=self.aud(server, "refresh_access")).status == 200


class TestPartial:
    """SAuthPartialGrants On: the intersection."""

    site = Site(config="SAuthPartialGrants On\n" + BASIC, participants=PEOPLE)

    def test_intersection(self, server):
        answer = Caller(server, OTHER, OTHER_SECRET).ask(access_for=["read", "update", "fly"])
        assert answer.json["access_to"] == ["read"]

    def test_nothing_in_common(self, server):
        answer = Caller(server, OTHER, OTHER_SECRET).ask(access_for=["update", "fly"])
        refused(server, answer, 403, "capability_not_held", "capability_not_held")


class TestRefresh:
    site = Site(config="SAuthRefreshWindow 3\n" + BASIC, participants=PEOPLE)

    def test_same_token_new_timeout(self, server, caller):
        token = caller.token
        answer = caller.refresh(token_lifespan=7200)
        assert answer.status == 200, repr(answer)
        grant = answer.json
        assert grant["token"] == token and grant["access_to"] == ["read"] and grant["uid"] == UID
        assert 7190 < seconds_left(server, grant) <= 7200
        assert "no-store" in answer.header("Cache-Control")
        passed(caller.get("/files/plain.txt"))

    def test_nonces_held_before_still_work(self, server, caller):
        held = caller.nonces[0]
        assert caller.refresh().status == 200
        passed(caller.get("/files/plain.txt", nonce=held))

    def test_several_nonces(self, server, caller):
        answer = caller.refresh(nonces=4)
        assert len(set(answer.json["nonces"])) == 4
        for _ in range(4):
            assert server.get("/files/plain.txt", {"Authorization": caller.header()}).status == 200

    def test_after_it_expired(self, server):
        caller = Caller(server).granted(token_lifespan=1)
        server.clock.advance(2.1)
        refused(server, caller.get("/files/plain.txt"), 401, "token_expired", "grant_expired", level="info")
        assert caller.refresh().status == 200
        passed(caller.get("/files/plain.txt"))

    def test_too_late(self, server):
        caller = Caller(server).granted(token_lifespan=1)
        server.clock.advance(5.2)
        refused(server, caller.refresh(), 403, "refresh_too_late", "refresh_too_late")

    def test_not_allowed(self, server):
        caller = Caller(server, OTHER, OTHER_SECRET).granted()
        refused(server, caller.refresh(), 403, "refresh_not_allowed", "refresh_not_allowed", level="info")

    def test_of_another(self, server, caller):
        thief = Caller(server, OTHER, OTHER_SECRET)
        refused(server, thief.refresh(token=caller.token), 403, "token_unknown", "grant_not_owned")

    def test_of_no_grant(self, server):
        answer = Caller(server).refresh(token="A" * 32)
        refused(server, answer, 403, "token_unknown", "grant_unknown")

    def test_unknown_and_foreign_tokens_look_alike(self, server, caller):
        server.log.allow("reason=grant_(unknown|not_owned)")
        thief = Caller(server, OTHER, OTHER_SECRET)
        assert thief.refresh(token=caller.token).body == thief.refresh(token="A" * 32).body

    def test_wrong_secret(self, server, caller):
        thief = Caller(server, UID, b"not the secret!!")
        refused(server, thief.refresh(token=caller.token), 401, "invalid_credentials", "mac_mismatch")

    def test_repeated_gets_the_same_answer(self, server, caller):
        """Its answer may have got lost. It is the same answer: no second set of nonces."""
        form = caller.form(caller.body(access_for=None, token=caller.token, nonces=3))
        first = caller.submit("refresh_access", form)
        assert first.status == 200 and caller.submit("refresh_access", form).json == first.json
        caller.keep(first)
        value = caller.header()
        passed(server.get("/files/plain.txt", {"Authorization": value}))
        assert caller.submit("refresh_access", form).json == first.json
        refused(server, server.get("/files/plain.txt", {"Authorization": value}), 401, "replayed_nonce",
                "nonce_replayed")

    def test_replayed(self, server, caller):
        """Once there is a newer refresh, an older one is a replay."""
        form = caller.form(caller.body(access_for=None, token=caller.token))
        assert caller.submit("refresh_access", form).status == 200
        assert caller.refresh().status == 200
        refused(server, caller.submit("refresh_access", form), 401, "replayed_request", "access_replayed")

    @pytest.mark.parametrize("reason, body", named([
        ("no token", "access_malformed", f"{{{U}}}"),
        ("token a number", "access_malformed", f'{{{U},"token":1}}'),
        ("token empty", "access_malformed", f'{{{U},"token":""}}'),
        ("token too long", "access_malformed", f'{{{U},"token":"{"a" * 256}"}}'),
        ("access_for", "access_malformed", f'{{{U},"token":"x","access_for":["read"]}}'),
        ("uid of another", "uid_mismatch", f'{{"uid":"{OTHER}","token":"x"}}'),
        ("not JSON", "json_malformed", "token"),
    ]))
    def test_grammar(self, server, reason, body):
        caller = Caller(server)
        refused(server, caller.submit("refresh_access", caller.form(body)), 400, "malformed_request", reason)

    def test_a_request_is_no_refresh(self, server):
        """The two bodies differ in their members, so neither proof is good at the other endpoint."""
        caller = Caller(server)
        answer = caller.submit("refresh_access", caller.form(caller.body()))
        refused(server, answer, 400, "malformed_request", "access_malformed")


class TestGreatestAge:
    site = Site(config="SAuthGrantMaxAge 4\n" + BASIC)

    def test_refresh_cannot_outlive_it(self, server):
        caller = Caller(server).granted(token_lifespan=3)
        born = server.clock.time()
        answer = caller.refresh(token_lifespan=3600)
        assert answer.status == 200, repr(answer)
        assert seconds_left(server, answer.json) <= 4
        server.clock.reach(born + 5.2)
        refused(server, caller.refresh(), 403, "grant_too_old", "grant_too_old")


class TestExpiry:
    """A participant's own end clamps what is granted."""

    site = Site(config=BASIC, participants=[participant(
        expires=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600)))])

    def test_timeout_is_clamped(self, server):
        assert seconds_left(server, Caller(server).ask(token_lifespan=86400).json) <= 3600


class TestRoom:
    """Tables that are full refuse; they never evict."""

    site = Site(config="SAuthGrantCapacity 8\nSAuthGrantQuota 6\nSAuthReplayCapacity 1000\n" + BASIC, participants=PEOPLE)

    def test_quota_then_full(self, server):
        callers = [Caller(server).granted() for _ in range(6)]
        refused(server, Caller(server).ask(), 429, "too_many_grants", "grant_quota")
        others = [Caller(server, OTHER, OTHER_SECRET).granted() for _ in range(2)]
        refused(server, Caller(server, OTHER, OTHER_SECRET).ask(), 503, "unavailable", "grants_full", level="error")
        for caller in callers + others:
            passed(caller.get("/files/plain.txt"))
        assert callers[0].refresh().status == 200


class TestRoomAgain:
    """An expired grant's room is given away once nobody can refresh it any more."""

    site = Site(config="SAuthGrantCapacity 2\nSAuthGrantQuota 2\nSAuthRefreshWindow 1\nSAuthReplayCapacity 1000\n" + BASIC)

    def test_reused(self, server):
        [Caller(server).granted(token_lifespan=1) for _ in range(2)]
        server.log.allow("reason=(grant_quota|grants_full)")
        assert Caller(server).ask().status in (429, 503)
        server.clock.advance(3.2)
        passed(Caller(server).granted().get("/files/plain.txt"))


class TestReplayRoom:
    site = Site(config="SAuthReplayCapacity 8\nSAuthReplayQuota 6\n" + BASIC, participants=PEOPLE)

    def test_quota_then_full(self, server):
        caller = Caller(server)
        first = caller.form(caller.body())
        assert caller.submit("request_access", first).status == 200
        for _ in range(5):
            caller.granted()
        refused(server, caller.ask(), 429, "too_many_requests", "replay_quota")
        for _ in range(2):
            Caller(server, OTHER, OTHER_SECRET).granted()
        refused(server, Caller(server, OTHER, OTHER_SECRET).ask(), 503, "unavailable", "replays_full", level="error")
        server.log.allow("reason=(access_replayed|replay_quota)")
        assert caller.submit("request_access", first).status in (401, 429)  # refused, whichever is found first


class TestStrangersFillNothing:
    """Unauthenticated requests take no room."""

    site = Site(config="SAuthReplayCapacity 4\nSAuthReplayQuota 4\nSAuthGrantCapacity 4\nSAuthGrantQuota 4\n" + BASIC)

    def test_many_strangers(self, server, caller):
        server.log.allow("reason=(mac_mismatch|participant_unknown|token_unknown|credentials_missing)")
        held = caller.header()
        for number in range(20):
            assert Caller(server, secret=b"not the secret!!").ask().status == 401
            assert Caller(server, f"nobody{number}").ask().status == 401
            assert server.get("/files/plain.txt").status == 401
            server.get("/sauth/generate_nonce")
        passed(server.get("/files/plain.txt", {"Authorization": held}))
        assert Caller(server).ask().status == 200
