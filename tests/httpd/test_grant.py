"""request_access and refresh_access: grants, and refusals."""
import json
import os
import re
import threading
import time
from datetime import datetime, timezone
from urllib.parse import quote_plus, urlencode

import pytest

from harness import BASIC, Client, OTHER, OTHER_SECRET, SECRET, Site, UID, b64url, participant, passed, refused
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
    """What the response to request_access says."""

    site = Site(config=BASIC, participants=PEOPLE)

    def test_members(self, server):
        response = Client(server).ask()
        assert response.status == 200, repr(response)
        assert response.header("Content-Type") == "application/json"
        assert "no-store" in response.header("Cache-Control")
        grant = response.json
        assert set(grant) == {"access_to", "can_refresh", "timeout", "token", "uid"}
        assert grant["access_to"] == ["read"] and grant["can_refresh"] is True and grant["uid"] == UID
        assert re.fullmatch(r"[A-Za-z0-9_-]{22,}", grant["token"])
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", response.nextnonce)
        assert 3590 < seconds_left(server, grant) <= 3600
        server.guard(grant["token"])

    def test_opens_the_location(self, server):
        passed(Client(server).granted().get("/files/plain.txt"))

    def test_is_logged_without_the_token(self, server):
        Client(server).granted()
        assert f'participant={UID}' in server.log.wait(r"\[sauth:info\] .*sauth: granted ")[-1]

    def test_tokens_differ(self, server):
        assert len({Client(server).granted().token for _ in range(5)}) == 5

    def test_several_capabilities(self, server):
        assert sorted(Client(server).ask(access_for=["update", "read"]).json["access_to"]) == ["read", "update"]

    def test_lifespan_absent_is_the_maximum(self, server):
        grant = Client(server, OTHER, OTHER_SECRET).ask(token_lifespan=None).json
        assert 590 < seconds_left(server, grant) <= 600

    def test_lifespan_is_clamped(self, server):
        grant = Client(server, OTHER, OTHER_SECRET).ask(token_lifespan=99999).json
        assert 590 < seconds_left(server, grant) <= 600

    def test_can_refresh_follows_the_record(self, server):
        assert Client(server, OTHER, OTHER_SECRET).ask().json["can_refresh"] is False

    def test_several_nonces(self, server):
        client = Client(server)
        grant = client.ask(nonces=8).json
        assert len(set(grant["nonces"])) == 8
        for _ in range(8):
            assert server.get("/files/plain.txt", {"Authorization": client.header()}).status == 200

    def test_names_with_hyphens(self, server):
        client = Client(server)
        body = json.dumps({"access-for": ["read"], "token-lifespan": 60, "uid": UID, "id": os.urandom(9).hex()})
        response = client.submit("request_access", client.form(body))
        assert response.status == 200 and 50 < seconds_left(server, response.json) <= 60
        server.guard(response.json["token"])

    def test_body_is_signed_byte_for_byte(self, server):
        """Spaces, the order of members and escapes are those of the client."""
        client = Client(server)
        body = f'{{ "uid":"{UID}",\t"access_for" : [ "re\\u0061d" ] , "id":"{os.urandom(9).hex()}"}}'
        assert client.submit("request_access", client.form(body)).json["access_to"] == ["read"]

    def test_form_fields_in_any_order(self, server):
        client = Client(server)
        form = client.form(client.body())
        assert client.submit("request_access", list(reversed(form.items()))).status == 200

    def test_content_type_with_a_parameter(self, server):
        client = Client(server)
        response = server.post("/sauth/request_access", urlencode(client.form(client.body())).encode(),
                             {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"})
        assert response.status == 200, repr(response)

    def test_chunked_form(self, server):
        client = Client(server)
        response = server.post("/sauth/request_access", urlencode(client.form(client.body())).encode(), FORM,
                             chunked=True)
        assert response.status == 200, repr(response)

    def test_either_of_two_secrets_during_a_rotation(self, server):
        for secret in (SECRET, OTHER_SECRET):
            passed(Client(server, "rotating", secret).granted().get("/files/plain.txt"))

    def test_participants_alternate(self, server):
        """The MAC context of a thread must not keep another participant's key."""
        with server.connect() as connection:
            for uid, secret, status in [(UID, SECRET, 200), ("nosecret", SECRET, 401), (OTHER, OTHER_SECRET, 200),
                                        ("nosecret", OTHER_SECRET, 401), ("nosecret", b"", 401)] * 3:
                client = Client(server, uid, secret) if secret else Client(server, uid)
                client.secret = secret
                server.log.allow("reason=secret_missing")
                connection.send(server.message("POST", "/sauth/request_access", FORM,
                                               urlencode(client.form(client.body())).encode(), close=False))
                assert connection.response().status == status

    def test_optional_id_tells_requests_of_one_second_apart(self, server):
        client = Client(server)
        stamp = client.stamp()
        assert [client.ask(timestamp=stamp).status for _ in range(3)] == [200, 200, 200]

    def test_right_audience(self, server):
        aud = f"http://127.0.0.1:{server.port}/sauth/request_access"
        assert Client(server).ask(aud=aud).status == 200


class TestHash:
    """SHA-1 is accepted only if the directive allows it."""

    site = Site(config="SAuthHash sha256 sha1\n" + BASIC)

    @pytest.mark.parametrize("raw", [False, True])
    def test_sha1_where_allowed(self, server, raw):
        client = Client(server, hash="sha1", raw=raw).granted()
        for _ in range(3):
            passed(client.get("/files/plain.txt"))
        refreshed = client.refresh()
        assert refreshed.status == 200, repr(refreshed)

    def test_sha256_still(self, server, client):
        passed(client.get("/files/plain.txt"))

    def test_published_client_form(self, server):
        """The published client's own access request: SHA-1, no id."""
        client = Client(server, hash="sha1")
        body = f'{{"access_for":["read"],"token_lifespan":72000,"uid":"{UID}"}}'
        response = client.submit("request_access", client.form(body))
        assert response.status == 200, repr(response)
        server.guard(response.json["token"])


class TestSha1Refused:
    site = Site(config=BASIC)

    def test_request_access(self, server):
        refused(server, Client(server, hash="sha1").ask(), 400, "malformed_request", "hash_not_allowed")

    def test_presentation(self, server, client):
        response = server.get("/files/plain.txt", {"Authorization": client.header(hash="sha1")})
        refused(server, response, 401, "invalid_credentials", "hash_not_allowed|authorization_malformed")


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
    """Errors that a client can find in its own request: 400, before any look-up."""

    site = Site(config=BASIC, participants=PEOPLE)

    @pytest.mark.parametrize("reason, fields", named(GRAMMAR))
    def test_form(self, server, reason, fields):
        refused(server, Client(server).ask(fields=fields), 400, "malformed_request", reason)

    @pytest.mark.parametrize("name", ["uid", "timestamp", "hmac", "body"])
    def test_field_repeated(self, server, name):
        client = Client(server)
        form = client.form(client.body())
        response = client.submit("request_access", [*form.items(), (name, form[name])])
        refused(server, response, 400, "malformed_request", "field_repeated")

    @pytest.mark.parametrize("text", [b"uid=%zz", b"uid=%4", b"uid=a%00b&timestamp=1", b"=x"])
    def test_escapes(self, server, text):
        refused(server, Client(server).submit("request_access", text), 400, "malformed_request", "form_malformed")

    def test_empty_body(self, server):
        refused(server, Client(server).submit("request_access", b""), 400, "malformed_request",
                "field_missing|form_malformed")

    def test_too_many_fields(self, server):
        response = Client(server).submit("request_access", urlencode({f"f{n}": "" for n in range(500)}).encode())
        refused(server, response, 400, "malformed_request", "too_long")

    @pytest.mark.parametrize("reason, body", named(BODIES))
    def test_body(self, server, reason, body):
        client = Client(server)
        response = client.submit("request_access", client.form(body))
        refused(server, response, 400, "malformed_request", reason)

    def test_body_not_utf8(self, server):
        client = Client(server)
        raw = b'{"access_for":["\xff"],' + U.encode() + b"}"
        stamp = str(client.stamp())
        mac = hexmac(SECRET, stamp.encode() + b" " + raw)
        form = f"uid={quote_plus(UID)}&timestamp={stamp}&hmac={mac}&body=".encode() + quote_plus(raw).encode()
        refused(server, client.submit("request_access", form), 400, "malformed_request", "json_malformed")

    def test_grammar_is_checked_before_the_participant_is_looked_up(self, server):
        client = Client(server, "http://nobody.example.org", b"sixteen bytes or more")
        response = client.submit("request_access", client.form("{}"))
        refused(server, response, 400, "malformed_request", "access_malformed")


class TestRegisteredMethods:
    """A method that httpd learns from its configuration has a number of its own, above 31."""

    site = Site(config="RegisterHttpMethod A1 A2 A3 A4 A5 A6 A7 A8 A9\n" + BASIC)

    @pytest.mark.parametrize("method", [f"A{number}" for number in range(1, 10)])
    def test_method(self, server, method):
        refused(server, server.request(method, "/sauth/generate_nonce"), 405, "method_not_allowed", "method_not_allowed")


class TestEndpoint:
    """The endpoint as a resource."""

    site = Site(config=BASIC)

    @pytest.mark.parametrize("endpoint", ["request_access", "refresh_access"])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
    def test_method(self, server, endpoint, method):
        response = server.request(method, f"/sauth/{endpoint}")
        assert set(response.header("Allow").split(",")) - {"TRACE"} == {"POST"}, repr(response)  # TRACE is httpd's own
        if method == "HEAD":
            assert response.status == 405
            server.log.expect("sauth: refused reason=method_not_allowed")
        else:
            refused(server, response, 405, "method_not_allowed", "method_not_allowed")

    @pytest.mark.parametrize("target", ["/sauth/nothing", "/sauth/", "/sauth", "/sauth/request_access/more",
                                        "/sauth/Request_Access", "/sauth/request_accessx"])
    def test_unknown(self, server, target):
        response = server.post(target, b"uid=x", FORM)
        refused(server, response, 404, "not_found", "endpoint_unknown")

    @pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data; boundary=x",
                                              "application/x-www-form-urlencodedx", None])
    def test_media_type(self, server, content_type):
        client = Client(server)
        data = urlencode(client.form(client.body())).encode()
        headers = {"Content-Type": content_type} if content_type else {}
        response = server.post("/sauth/request_access", data, headers)
        refused(server, response, 415, "unsupported_media_type", "media_type")

    @pytest.mark.parametrize("chunked", [False, True])
    def test_body_too_large(self, server, chunked):
        client = Client(server)
        data = urlencode(client.form(client.body())).encode() + b"&more=" + b"x" * 70000
        response = server.post("/sauth/request_access", data, FORM, chunked=chunked)
        refused(server, response, 413, "body_too_large", "body_too_large")

    def test_body_of_the_largest_size(self, server):
        """64 KiB are read, and refused because of their content."""
        data = b"uid=" + b"x" * (65536 - 4)
        refused(server, Client(server).submit("request_access", data), 400, "malformed_request",
                "field_missing|malformed|too_long")

    def test_body_broken_off(self, server):
        with server.connect() as connection:
            connection.send(server.message("POST", "/sauth/request_access", {**FORM, "Content-Length": "500"}, b"uid=x"))
            connection.half_close()
            server.log.expect(r"sauth: refused reason=body_broken")
            server.log.allow(r"AH0\d+: .*(End of file|Partial|incomplete)")
            assert connection.response().status == 400

    def test_every_response_is_no_store(self, server):
        server.log.allow("reason=(method_not_allowed|endpoint_unknown|mac_mismatch)")
        responses = [server.get("/sauth/request_access"), server.get("/sauth/nothing"), server.get("/sauth/generate_nonce"),
                   Client(server).ask(), Client(server, secret=b"x" * 16).ask()]
        assert [response.status for response in responses] == [405, 404, 200, 200, 401]
        assert all("no-store" in response.header("Cache-Control") for response in responses)

    def test_query_is_not_a_form(self, server):
        form = urlencode({"uid": UID, "timestamp": "1", "hmac": "a" * 64, "body": "{}"})
        response = server.post("/sauth/request_access?" + form, b"", FORM)
        refused(server, response, 400, "malformed_request", "field_missing|form_malformed")


class TestRefusedAccess:
    """Who gets no grant."""

    site = Site(config=BASIC, participants=PEOPLE)

    def test_unknown_participant(self, server):
        response = Client(server, "http://nobody.example.org").ask()
        refused(server, response, 401, "invalid_credentials", "participant_unknown")

    def test_wrong_secret(self, server):
        refused(server, Client(server, secret=b"not the secret!!").ask(), 401, "invalid_credentials", "mac_mismatch")

    @pytest.mark.parametrize("uid", ["nosecret", "lapsedsecret"])
    def test_no_usable_secret(self, server, uid):
        refused(server, Client(server, uid).ask(), 401, "invalid_credentials", "secret_missing")

    def test_empty_key_does_not_verify(self, server):
        """The forgery that the published code allowed: a MAC without the secret."""
        client = Client(server)
        body, stamp = client.body(), str(client.stamp())
        for mac in (hexmac(b"", f"{stamp} {body}"), hexmac(b"\0" * 64, f"{stamp} {body}"), "0" * 64):
            response = client.submit("request_access", {"uid": UID, "timestamp": stamp, "hmac": mac, "body": body})
            refused(server, response, 401, "invalid_credentials", "mac_mismatch")

    def test_timestamp_is_covered(self, server):
        client = Client(server)
        form = client.form(client.body())
        form["timestamp"] = str(int(form["timestamp"]) - 1)
        refused(server, client.submit("request_access", form), 401, "invalid_credentials", "mac_mismatch")

    def test_body_is_covered(self, server):
        client = Client(server)
        form = client.form(client.body())
        form["body"] = form["body"].replace('"read"', '"update"')
        refused(server, client.submit("request_access", form), 401, "invalid_credentials", "mac_mismatch")

    def test_uid_of_another(self, server):
        client = Client(server, OTHER, SECRET)
        refused(server, client.ask(), 401, "invalid_credentials", "mac_mismatch")

    def test_one_response_before_the_mac_verified(self, server):
        """Unknown, suspended, expired and known clients, and those without a secret, get the same refusal."""
        server.log.allow("reason=(participant_unknown|secret_missing|mac_mismatch)")
        responses = [Client(server, uid, b"not the secret!!").ask()
                   for uid in ("http://nobody.example.org", "nosecret", UID, "suspended", "expired")]
        assert {(response.status, response.body) for response in responses} == {(401, responses[0].body)}
        assert len({tuple(name for name, _ in response.headers) for response in responses}) == 1
        assert responses[0].problem["code"] == "invalid_credentials"

    def test_stale_timestamp_of_an_unknown_client(self, server):
        response = Client(server, secret=b"not the secret!!").ask(timestamp=1300000000)
        refused(server, response, 401, "invalid_credentials", "mac_mismatch")

    @pytest.mark.parametrize("age", [33, 3600, 1000000000])
    def test_timestamp_stale(self, server, age):
        response = Client(server).ask(timestamp=int(server.clock.time()) - age)
        refused(server, response, 401, "stale_timestamp", "timestamp_stale")

    @pytest.mark.parametrize("ahead", [33, 3600, 100000000])
    def test_timestamp_future(self, server, ahead):
        response = Client(server).ask(timestamp=int(server.clock.time()) + ahead)
        refused(server, response, 401, "stale_timestamp", "timestamp_future")

    def test_replayed(self, server):
        client = Client(server)
        form = client.form(client.body())
        first = client.submit("request_access", form)
        assert first.status == 200
        server.guard(first.json["token"])
        for _ in range(2):
            refused(server, client.submit("request_access", form), 401, "replayed_request", "access_replayed")

    def test_replayed_with_another_spelling(self, server):
        """Replays are detected by the MAC that the server computes, not by the text in the request."""
        client = Client(server)
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        server.log.allow("reason=(access_replayed|hmac_malformed)")
        assert client.submit("request_access", {**form, "hmac": form["hmac"].upper()}).status in (400, 401)
        spelt = "&".join(f"{name}=" + "".join(f"%{byte:02x}" for byte in value.encode())
                         for name, value in form.items()).encode()
        refused(server, client.submit("request_access", spelt), 401, "replayed_request", "access_replayed")

    def test_a_refused_proof_is_not_remembered(self, server):
        """Only verified proofs are recorded, so that nobody can use up another client's request."""
        client = Client(server)
        form = client.form(client.body())
        refused(server, client.submit("request_access", {**form, "hmac": "0" * 64}), 401, "invalid_credentials",
                "mac_mismatch")
        assert client.submit("request_access", form).status == 200

    def test_parallel_replays_succeed_once(self, server):
        client = Client(server)
        form = client.form(client.body())
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(client.submit("request_access", form).status))
                   for _ in range(12)]
        server.log.allow("reason=access_replayed")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200] + [401] * 11

    def test_capability_not_held(self, server):
        response = Client(server, OTHER, OTHER_SECRET).ask(access_for=["read", "update"])
        refused(server, response, 403, "capability_not_held", "capability_not_held")

    def test_capability_nobody_holds(self, server):
        refused(server, Client(server).ask(access_for=["read", "fly"]), 403, "capability_not_held",
                "capability_not_held")

    @pytest.mark.parametrize("uid", ["suspended", "applied"])
    def test_participant_inactive(self, server, uid):
        refused(server, Client(server, uid).ask(), 403, "participant_inactive", "participant_inactive")

    def test_participant_expired(self, server):
        refused(server, Client(server, "expired").ask(), 403, "participant_expired", "participant_expired")

    @pytest.mark.parametrize("aud", ["http://elsewhere.example.org/sauth/request_access", "x"])
    def test_wrong_audience(self, server, aud):
        refused(server, Client(server).ask(aud=aud), 403, "wrong_audience", "audience_mismatch")

    def test_audience_of_the_other_endpoint(self, server):
        aud = f"http://127.0.0.1:{server.port}/sauth/refresh_access"
        refused(server, Client(server).ask(aud=aud), 403, "wrong_audience", "audience_mismatch")

    def test_audience_is_not_that_of_the_host_header(self, server):
        """A captured request for another host must not be accepted with its Host header."""
        client = Client(server)
        form = client.form(client.body(aud="http://elsewhere.example.org/sauth/request_access"))
        response = server.post("/sauth/request_access", urlencode(form).encode(),
                             {**FORM, "Host": "elsewhere.example.org"})
        refused(server, response, 403, "wrong_audience", "audience_mismatch")


class TestStarting:
    """Proofs with timestamps up to start + skew could be replays of proofs that were used before the start."""

    site = Site(config=BASIC)

    def test_stamped_now(self, server):
        response = Client(server).ask(timestamp=int(server.listening_at))
        refused(server, response, 503, "starting", "replay_cache_warming", level="info")

    def test_stamped_at_start_and_skew(self, server):
        response = Client(server).ask(timestamp=int(server.listening_at) + 29)
        refused(server, response, 503, "starting", "replay_cache_warming", level="info")

    def test_unauthenticated_clients_learn_nothing(self, server):
        response = Client(server, secret=b"not the secret!!").ask(timestamp=int(server.listening_at))
        refused(server, response, 401, "invalid_credentials", "mac_mismatch")

    def test_stamped_later(self, server):
        assert Client(server).ask().status == 200


class TestClockSkew:
    site = Site(config=BASIC, skew=3)

    def test_narrow(self, server):
        client = Client(server)
        refused(server, client.ask(timestamp=int(server.clock.time()) - 6), 401, "stale_timestamp", "timestamp_stale")
        refused(server, client.ask(timestamp=int(server.clock.time()) + 6), 401, "stale_timestamp", "timestamp_future")
        assert client.ask().status == 200


class TestRequired:
    """SAuthRequestRequire: optional members that a server requires."""

    site = Site(config="SAuthRequestRequire id aud\n" + BASIC)

    def aud(self, server, endpoint="request_access"):
        return f"http://127.0.0.1:{server.port}/sauth/{endpoint}"

    def test_id_missing(self, server):
        response = Client(server).ask(id=None, aud=self.aud(server))
        refused(server, response, 400, "malformed_request", "access_id_missing")

    def test_aud_missing(self, server):
        refused(server, Client(server).ask(), 400, "malformed_request", "access_audience_missing")

    def test_both(self, server):
        client = Client(server)
        assert client.ask(aud=self.aud(server)).status == 200
        assert client.refresh(aud=self.aud(server, "refresh_access")).status == 200


class TestPartial:
    """SAuthPartialGrants On: the intersection."""

    site = Site(config="SAuthPartialGrants On\n" + BASIC, participants=PEOPLE)

    def test_intersection(self, server):
        response = Client(server, OTHER, OTHER_SECRET).ask(access_for=["read", "update", "fly"])
        assert response.json["access_to"] == ["read"]

    def test_nothing_in_common(self, server):
        response = Client(server, OTHER, OTHER_SECRET).ask(access_for=["update", "fly"])
        refused(server, response, 403, "capability_not_held", "capability_not_held")


class TestRefresh:
    site = Site(config="SAuthRefreshWindow 3\n" + BASIC, participants=PEOPLE)

    def test_same_token_new_timeout(self, server, client):
        token = client.token
        response = client.refresh(token_lifespan=7200)
        assert response.status == 200, repr(response)
        grant = response.json
        assert grant["token"] == token and grant["access_to"] == ["read"] and grant["uid"] == UID
        assert 7190 < seconds_left(server, grant) <= 7200
        assert "no-store" in response.header("Cache-Control")
        passed(client.get("/files/plain.txt"))

    def test_nonces_held_before_still_work(self, server, client):
        held = client.nonces[0]
        assert client.refresh().status == 200
        passed(client.get("/files/plain.txt", nonce=held))

    def test_several_nonces(self, server, client):
        response = client.refresh(nonces=4)
        assert len(set(response.json["nonces"])) == 4
        for _ in range(4):
            assert server.get("/files/plain.txt", {"Authorization": client.header()}).status == 200

    def test_after_it_expired(self, server):
        client = Client(server).granted(token_lifespan=1)
        server.clock.advance(2.1)
        refused(server, client.get("/files/plain.txt"), 401, "token_expired", "grant_expired", level="info")
        assert client.refresh().status == 200
        passed(client.get("/files/plain.txt"))

    def test_too_late(self, server):
        client = Client(server).granted(token_lifespan=1)
        server.clock.advance(5.2)
        refused(server, client.refresh(), 403, "refresh_too_late", "refresh_too_late")

    def test_not_allowed(self, server):
        client = Client(server, OTHER, OTHER_SECRET).granted()
        refused(server, client.refresh(), 403, "refresh_not_allowed", "refresh_not_allowed", level="info")

    def test_of_another(self, server, client):
        thief = Client(server, OTHER, OTHER_SECRET)
        refused(server, thief.refresh(token=client.token), 403, "token_unknown", "grant_not_owned")

    def test_of_no_grant(self, server):
        response = Client(server).refresh(token="A" * 32)
        refused(server, response, 403, "token_unknown", "grant_unknown")

    def test_unknown_and_foreign_tokens_look_alike(self, server, client):
        server.log.allow("reason=grant_(unknown|not_owned)")
        thief = Client(server, OTHER, OTHER_SECRET)
        assert thief.refresh(token=client.token).body == thief.refresh(token="A" * 32).body

    def test_wrong_secret(self, server, client):
        thief = Client(server, UID, b"not the secret!!")
        refused(server, thief.refresh(token=client.token), 401, "invalid_credentials", "mac_mismatch")

    def test_repeated_gets_the_same_response(self, server, client):
        """The first response may have been lost. The second is the same, without new nonces."""
        form = client.form(client.body(access_for=None, token=client.token, nonces=3))
        first = client.submit("refresh_access", form)
        assert first.status == 200 and client.submit("refresh_access", form).json == first.json
        client.keep(first)
        value = client.header()
        passed(server.get("/files/plain.txt", {"Authorization": value}))
        assert client.submit("refresh_access", form).json == first.json
        refused(server, server.get("/files/plain.txt", {"Authorization": value}), 401, "replayed_nonce",
                "nonce_replayed")

    def test_replayed(self, server, client):
        """Once there is a newer refresh, an older one is a replay."""
        form = client.form(client.body(access_for=None, token=client.token))
        assert client.submit("refresh_access", form).status == 200
        assert client.refresh().status == 200
        refused(server, client.submit("refresh_access", form), 401, "replayed_request", "access_replayed")

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
        client = Client(server)
        refused(server, client.submit("refresh_access", client.form(body)), 400, "malformed_request", reason)

    def test_a_request_is_no_refresh(self, server):
        """The bodies have different members, so neither proof is valid at the other endpoint."""
        client = Client(server)
        response = client.submit("refresh_access", client.form(client.body()))
        refused(server, response, 400, "malformed_request", "access_malformed")


class TestGreatestAge:
    site = Site(config="SAuthGrantMaxAge 4\n" + BASIC)

    def test_refresh_cannot_outlive_it(self, server):
        client = Client(server).granted(token_lifespan=3)
        born = server.clock.time()
        response = client.refresh(token_lifespan=3600)
        assert response.status == 200, repr(response)
        assert seconds_left(server, response.json) <= 4
        server.clock.reach(born + 5.2)
        refused(server, client.refresh(), 403, "grant_too_old", "grant_too_old")


class TestExpiry:
    """A grant expires no later than its participant."""

    site = Site(config=BASIC, participants=[participant(
        expires=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600)))])

    def test_timeout_is_clamped(self, server):
        assert seconds_left(server, Client(server).ask(token_lifespan=86400).json) <= 3600


class TestCapacity:
    """Full tables refuse new entries, and never evict any."""

    site = Site(config="SAuthGrantCapacity 8\nSAuthGrantQuota 6\nSAuthReplayCapacity 1000\n" + BASIC, participants=PEOPLE)

    def test_quota_then_full(self, server):
        clients = [Client(server).granted() for _ in range(6)]
        refused(server, Client(server).ask(), 429, "too_many_grants", "grant_quota")
        others = [Client(server, OTHER, OTHER_SECRET).granted() for _ in range(2)]
        refused(server, Client(server, OTHER, OTHER_SECRET).ask(), 503, "unavailable", "grants_full", level="error")
        for client in clients + others:
            passed(client.get("/files/plain.txt"))
        assert clients[0].refresh().status == 200


class TestReuse:
    """The entry of an expired grant is reused once it can no longer be refreshed."""

    site = Site(config="SAuthGrantCapacity 2\nSAuthGrantQuota 2\nSAuthRefreshWindow 1\nSAuthReplayCapacity 1000\n" + BASIC)

    def test_reused(self, server):
        [Client(server).granted(token_lifespan=1) for _ in range(2)]
        server.log.allow("reason=(grant_quota|grants_full)")
        assert Client(server).ask().status in (429, 503)
        server.clock.advance(3.2)
        passed(Client(server).granted().get("/files/plain.txt"))


class TestReplayCapacity:
    site = Site(config="SAuthReplayCapacity 8\nSAuthReplayQuota 6\n" + BASIC, participants=PEOPLE)

    def test_quota_then_full(self, server):
        client = Client(server)
        first = client.form(client.body())
        assert client.submit("request_access", first).status == 200
        for _ in range(5):
            client.granted()
        refused(server, client.ask(), 429, "too_many_requests", "replay_quota")
        for _ in range(2):
            Client(server, OTHER, OTHER_SECRET).granted()
        refused(server, Client(server, OTHER, OTHER_SECRET).ask(), 503, "unavailable", "replays_full", level="error")
        server.log.allow("reason=(access_replayed|replay_quota)")
        assert client.submit("request_access", first).status in (401, 429)  # refused, whichever is found first


class TestUnauthenticated:
    """Unauthenticated requests use no entries."""

    site = Site(config="SAuthReplayCapacity 4\nSAuthReplayQuota 4\nSAuthGrantCapacity 4\nSAuthGrantQuota 4\n" + BASIC)

    def test_many_clients(self, server, client):
        server.log.allow("reason=(mac_mismatch|participant_unknown|token_unknown|credentials_missing)")
        held = client.header()
        for number in range(20):
            assert Client(server, secret=b"not the secret!!").ask().status == 401
            assert Client(server, f"nobody{number}").ask().status == 401
            assert server.get("/files/plain.txt").status == 401
            server.get("/sauth/generate_nonce")
        passed(server.get("/files/plain.txt", {"Authorization": held}))
        assert Client(server).ask().status == 200
