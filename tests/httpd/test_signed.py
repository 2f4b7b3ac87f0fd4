"""
Signed requests (RFC 9421): those that verify reach the application; changed, replayed and unknown ones do not.

Only unit tests bring about sig_missing and sig_label_absent (no location asks for a label), sig_request_only (responses),
and a flag that is not a boolean.
"""
import base64
import gzip
import re
import time

import pytest

from harness import OTHER, OTHER_SECRET, SECRET, Shown, Site, UID, b64url, digest, participant
from harness.signed import BODY, ED, JSON, KEYS, OLD, PEOPLE, STRANGER, opened, turned_away, untouched
from harness.signer import COVER, Key, Secret, Signer


NEW, FILED, CERTIFIED, FILED_RSA = Key("ed25519"), Key("ed25519"), Key("ed25519"), Key("rsa-v1_5-sha256")
DAY = 86400


class TestAccepted:
    site = Site(participants=PEOPLE, php_fcgi=True, modules=("deflate",), config=opened("in") + """
        <Location "/php">
            ISign digest
            Require signed
        </Location>
        <Location "/gzip">
            SetInputFilter DEFLATE
        </Location>
        """ + opened("gzip"))

    @pytest.mark.parametrize("alg", KEYS)
    @pytest.mark.parametrize("says", [False, True])
    def test_algorithms(self, server, alg, says):
        signer = Signer(server, KEYS[alg], f"{UID}#{alg}", alg=alg if says else None)
        for response in (signer.get("/in?a=1&b=%20x"), signer.post("/in", BODY, JSON), signer.post("/in", BODY, chunked=True)):
            shown = Shown(response)
            assert shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_ALG"] == alg
            assert shown.env["ISIGN_KEYID"] == f"{UID}#{alg}" and shown.env["ISIGN_PARTICIPANT"] == UID
            assert '"@method"' in shown.env["ISIGN_COVERED"]
            assert shown.body in (b"", BODY)
            assert response.header("Accept-Signature") is None
            assert "private" in response.header("Cache-Control")

    @pytest.mark.parametrize("alg", KEYS)
    def test_thumbprint(self, server, alg):
        shown = Shown(Signer(server, KEYS[alg], KEYS[alg].thumbprint()).get("/in"))
        assert shown.env["ISIGN_PARTICIPANT"] == UID and shown.env["ISIGN_KEYID"] == KEYS[alg].thumbprint()

    def test_secret(self, server):
        signer = Signer(server, Secret(SECRET), UID)
        shown = Shown(signer.post("/in", BODY, JSON))
        assert shown.env["ISIGN_ALG"] == "hmac-sha256" and shown.env["ISIGN_KEYID"] == UID

    def test_php(self, server, signer):
        shown = Shown(signer.post("/php/orders.php", BODY, JSON))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_PARTICIPANT"] == UID
        assert shown.env["ISIGN_DIGEST"] == "sha-256" and shown.env["ISIGN_ALG"] == "ed25519"

    @pytest.mark.parametrize("component", ["@target-uri", "@scheme", "@request-target", '"@query-param";name="a"', "accept",
                                           "x-twice", "host"])
    def test_components(self, server, signer, component):
        headers = [("Accept", "text/plain"), ("X-Twice", "one"), ("X-Twice", "two"), ("Host", f"127.0.0.1:{server.port}")]
        assert Shown(signer.get("/in?a=1&b=2", headers, cover=COVER + (component,))).env["ISIGN_RESULT"] == "verified"

    def test_host_in_other_letters(self, server, signer):
        """The signature is valid, but the authority is not ours."""
        response = signer.get("/in", authority=f"localhost:{server.port}", host=f"LocalHost:{server.port}")
        turned_away(server, response, 403, "wrong_authority", "sig_authority_foreign")

    def test_absolute_target(self, server, signer):
        target = f"http://127.0.0.1:{server.port}/in?x=1"
        fields = signer.fields("GET", "/in?x=1")
        assert Shown(server.get(target, fields)).env["ISIGN_RESULT"] == "verified"

    def test_obs_fold(self, server, signer):
        """httpd joins the lines of a field, and so did the signer."""
        fields = signer.fields("GET", "/in", [("X-Long", "one two")], cover=COVER + ("x-long",))
        response = server.get("/in", [("X-Long", "one\r\n  two")] + fields)
        assert Shown(response).env["HTTP_X_LONG"] == "one two"

    @pytest.mark.parametrize("lines, value", [(("a", ""), "a, "), (("", "a"), ", a"), (("", ""), ", "), (("a", "", ""), "a, , "),
                                              (("a", " \t "), "a, "), (("a,",), "a,"), (("a, ",), "a,")])
    def test_empty_lines(self, server, signer, lines, value):
        """RFC 9421, section 2.1: each line is stripped, then they are joined."""
        assert Shown(signer.get("/in", [("X-List", line) for line in lines], cover=COVER + ("x-list",))).env["HTTP_X_LIST"] == value

    def test_head(self, server, signer):
        with server.connect() as connection:
            connection.send(server.message("HEAD", "/in", signer.headers("HEAD", "/in")))
            response = connection.response("HEAD")
        assert response.status == 200 and "private" in response.header("Cache-Control")

    def test_unknown_parameters_are_signed(self, server, signer):
        assert Shown(signer.get("/in", later="x")).env["ISIGN_RESULT"] == "verified"

    @pytest.mark.parametrize("chunked", [False, True])
    def test_gzip(self, server, signer, chunked):
        """The digest is of the bytes that came over the wire."""
        packed = gzip.compress(BODY * 1000)
        shown = Shown(signer.post("/gzip", packed, {"Content-Encoding": "gzip", **JSON}, chunked=chunked))
        assert shown.body == BODY * 1000 and shown.env["ISIGN_RESULT"] == "verified"

    def test_target_uri_in_either_form(self, server, signer):
        """As received, with its host in any case, or normalized."""
        host, cover = f"LocalHost:{server.port}", COVER + ("@target-uri",)
        for uri in (host, host.lower()):
            pairs = signer.headers("GET", "/in?a=1", {"Host": host}, authority=host, cover=cover, target_authority=uri)
            turned_away(server, server.get("/in?a=1", pairs, host=None), 403, "wrong_authority", "sig_authority_foreign")
        pairs = signer.headers("GET", "/in?a=1", {"Host": host}, authority=host, cover=cover, target_authority="other.example")
        turned_away(server, server.get("/in?a=1", pairs, host=None), 401, "invalid_signature", "sig_mismatch")

    def test_two_signatures_one_is_looked_at(self, server, signer):
        """Two signatures that qualify are refused: verifying several would let clients choose the cost."""
        pairs = signer.fields("GET", "/in") + signer.fields("GET", "/in", label="sig2")
        turned_away(server, server.get("/in", pairs), 400, "malformed_signature", "sig_ambiguous")

    def test_spoofed(self, server, signer):
        shown = Shown(signer.get("/in", {"ISign-Participant": "evil", "ISign_Result": "evil", "iSign-Keyid": "evil"}))
        assert b"evil" not in shown.raw

    def test_keep_alive(self, server, signer):
        with server.connect() as connection:
            for number in range(6):
                body = b"%d" % number
                connection.send(server.message("POST", "/in", signer.headers("POST", "/in", JSON, body), body, close=False,
                                               chunked=number % 2 == 0))
                assert Shown(connection.response()).body == body


class TestKeyForms:
    """A PEM file, a certificate, overlapping secrets; keys come and go with a reload."""

    def people(self, *extra, **members):
        filed = [{"kid": "pem", "file": "filed.pem"}, {"kid": "cert", "file": "cert.pem"},
                 {"kid": "rsa", "file": "rsa.pem", "alg": "rsa-v1_5-sha256"}]
        now = int(time.time())
        dated = [OLD.jwk("early", nbf=now + DAY), NEW.jwk("late", exp=now - DAY)]
        both = [{"value": b64url(SECRET)}, {"value": b64url(b"2" * 32), "not_after": "2035-01-01T00:00:00Z"},
                {"value": b64url(b"3" * 32), "not_after": "2001-01-01T00:00:00Z"}]
        return [participant(UID, ["read"], None, shared_secrets=both, keys=[ED.jwk("k1")] + filed + dated + list(extra),
                            **members),
                participant(OTHER, ["read"], OTHER_SECRET, keys=[STRANGER.jwk("theirs")])]

    site = Site(config=opened("in"))

    @pytest.fixture(scope="class")
    def server(self, request):
        from harness import Server
        from harness.locate import build_dir
        if build_dir() is None:
            pytest.skip("INTERAUTH_BUILD does not name a build directory")
        running = Server(self.site)
        for name, text in (("filed.pem", FILED.pem()), ("cert.pem", CERTIFIED.certificate()), ("rsa.pem", FILED_RSA.pem())):
            (running.root / "conf" / name).write_text(text)
        running.participants(self.people())
        running.start()
        yield running
        wrong = running.close()
        if wrong:
            pytest.fail("\n".join(wrong), pytrace=False)

    @pytest.mark.parametrize("kid, key", [("pem", FILED), ("cert", CERTIFIED), ("rsa", FILED_RSA)])
    def test_files(self, server, kid, key):
        shown = Shown(Signer(server, key, f"{UID}#{kid}").get("/in"))
        assert shown.env["ISIGN_ALG"] == key.alg

    def test_overlapping_secrets(self, server):
        for secret in (SECRET, b"2" * 32):
            assert Shown(Signer(server, Secret(secret), UID).get("/in")).env["ISIGN_PARTICIPANT"] == UID
        for secret in (b"3" * 32, b"4" * 32):
            untouched(server, lambda: Signer(server, Secret(secret), UID).get("/in"), 401, "invalid_signature",
                      "sig_mismatch")

    def test_dates(self, server):
        untouched(server, lambda: Signer(server, OLD, UID + "#early").get("/in"), 401, "invalid_signature", "sig_key_early")
        untouched(server, lambda: Signer(server, NEW, UID + "#late").get("/in"), 401, "invalid_signature",
                  "sig_key_expired")

    def test_another_participants_key(self, server):
        untouched(server, lambda: Signer(server, STRANGER, UID + "#theirs").get("/in"), 401, "invalid_signature",
                  "sig_key_unknown")
        untouched(server, lambda: Signer(server, STRANGER, UID + "#k1").get("/in"), 401, "invalid_signature",
                  "sig_mismatch")
        untouched(server, lambda: Signer(server, Secret(OTHER_SECRET), UID).get("/in"), 401, "invalid_signature",
                  "sig_mismatch")
        assert Shown(Signer(server, STRANGER, OTHER + "#theirs").get("/in")).env["ISIGN_PARTICIPANT"] == OTHER

    def test_public_key_as_a_secret(self, server):
        """An HMAC keyed with a public key is refused."""
        raw = base64.urlsafe_b64decode(ED.jwk("")["x"] + "=")
        for secret in (raw, FILED.pem().encode()):
            response = Signer(server, Secret(secret), UID + "#k1").get("/in")
            turned_away(server, response, 401, "invalid_signature", "sig_length")
        response = Signer(server, Secret(raw), UID + "#k1", alg="hmac-sha256").get("/in")
        turned_away(server, response, 401, "invalid_signature", "sig_alg_mismatch")

    def test_reload(self, server):
        """Keys that were rotated; participants that were suspended, removed, expired, or added again."""
        old, new = Signer(server, ED, UID + "#k1"), Signer(server, KEYS["ecdsa-p256-sha256"], UID + "#k2")
        untouched(server, lambda: new.get("/in"), 401, "invalid_signature", "sig_key_unknown")
        server.participants(self.people(new.key.jwk("k2")))
        server.graceful()
        for signer in (old, new):
            assert Shown(signer.get("/in")).env["ISIGN_PARTICIPANT"] == UID
        people = self.people(new.key.jwk("k2"))
        people[0]["keys"] = people[0]["keys"][1:]
        server.participants(people)
        server.graceful()
        untouched(server, lambda: old.get("/in"), 401, "invalid_signature", "sig_key_unknown")
        assert new.get("/in").status == 200
        untouched(server, lambda: Signer(server, ED, ED.thumbprint()).get("/in"), 401, "invalid_signature",
                  "sig_key_unknown")
        for members, reason in (({"status": "suspended"}, "participant_inactive"),
                                ({"expires": "2001-01-01T00:00:00Z"}, "participant_expired")):
            server.participants(self.people(**members))
            server.graceful()
            for signer in (old, Signer(server, Secret(SECRET), UID)):
                response = untouched(server, lambda: signer.get("/in"), 403, reason, reason)
                assert response.header("Accept-Signature") is None
        server.participants(self.people()[1:])
        server.graceful()
        for signer in (old, Signer(server, Secret(SECRET), UID), Signer(server, ED, ED.thumbprint())):
            untouched(server, lambda: signer.get("/in"), 401, "invalid_signature", "sig_key_unknown")
        server.participants(self.people())
        server.graceful()
        assert old.get("/in").status == 200

    def test_two_owners(self, server):
        """A key has one owner: a file with two is not loaded."""
        people = self.people()
        people[1]["keys"].append(ED.jwk("mine"))
        server.participants(people)
        server.log.expect(r"\[registry:error\] .*a key has one owner")
        server.graceful()
        assert Shown(Signer(server, ED, UID + "#k1").get("/in")).env["ISIGN_PARTICIPANT"] == UID
        server.participants(self.people())
        server.graceful()


# Errors that a client can see in its own request are reported before the verification: (components, parameters, headers,
# reason).
GRAMMAR = {
    "component twice": (("@method", "@method"), {}, {}, "sig_component_repeated"),
    "upper case": (('"X-A"',), {}, {"X-A": "1"}, "sig_component_case"),
    "no field name": (('"x a"',), {}, {}, "sig_component_name"),
    "the parameters themselves": (('"@signature-params"',), {}, {}, "sig_component_self"),
    "unknown derived component": (('"@port"',), {}, {}, "sig_component_unknown"),
    "unknown parameter": (('"x-a";zz',), {}, {"X-A": "1"}, "sig_component_parameter"),
    "of a request": (('"@method";req',), {}, {}, "sig_req_misused"),
    "status": (('"@status"',), {}, {}, "sig_status_misused"),
    "trailer": (('"x-a";tr',), {}, {"X-A": "1"}, "sig_trailer"),
    "flag false": (('"content-digest";sf=?0',), {}, {"Content-Digest": digest(b"")}, "sig_component_flag"),
    "bytes of a structure": (('"content-digest";bs;sf',), {}, {"Content-Digest": digest(b"")}, "sig_component_conflict"),
    "structure of no known field": (('"x-a";sf',), {}, {"X-A": "1"}, "sig_type_unknown"),
    "structure that is none": (('"priority";sf',), {}, {"Priority": "=="}, "sig_value_malformed"),
    "member that is not there": (('"priority";key="u"',), {}, {"Priority": "i"}, "sig_dictionary_key_missing"),
    "bytes of several lines": (('"x-a";bs',), {}, {"X-A": "1, 2"}, "sig_field_lines"),
    "field that is not there": (("x-b",), {}, {}, "sig_field_missing"),
    "characters": (("x-a",), {}, {"X-A": "caf\xe9"}, "sig_characters"),
    "keyid is a number": (COVER, {"keyid": 7}, {}, "sig_parameter_malformed"),
    "created is a text": (COVER, {"created": "now"}, {}, "sig_time_malformed"),
    "expires before created": (COVER, {"expires": 1}, {}, "sig_expires_early"),
    "nonce too long": (COVER, {"nonce": "n" * 129}, {}, "sig_nonce_long"),
    "nonce empty": (COVER, {"nonce": ""}, {}, "sig_nonce_long"),
}


# How the fields are changed after signing: (Signature-Input values, Signature values), reason.
FIELDS = {
    "no Signature": (lambda i, s: ([i], []), "sig_label_unpaired"),
    "no Signature-Input": (lambda i, s: ([], [s]), "sig_label_unpaired"),
    "other label": (lambda i, s: ([i], ["x" + s]), "sig_label_unpaired"),
    "label twice": (lambda i, s: ([i, i], [s]), "sig_label_repeated"),
    "label twice in Signature": (lambda i, s: ([i], [s, s]), "sig_label_repeated"),
    "parameter twice": (lambda i, s: ([i + ";created=1"], [s]), "sig_label_repeated"),
    "text": (lambda i, s: ([i], ['sig1="abc"']), "sig_not_bytes"),
    "number": (lambda i, s: (["sig1=1"], [s]), "sig_not_list"),
    "token": (lambda i, s: (["sig1=(method)"], [s]), "sig_component_type"),
    "no structure": (lambda i, s: (["sig1=("], [s]), "sig_malformed"),
    "base64": (lambda i, s: ([i], [s[:-2] + "!:"]), "sig_malformed"),
    "nothing": (lambda i, s: ([""], [""]), "sig_malformed"),
    "nine": (lambda i, s: ([i.replace("sig1", f"s{n}", 1) for n in range(9)],
                           [s.replace("sig1", f"s{n}", 1) for n in range(9)]), "sig_limit"),
}


class TestRefused:
    site = Site(participants=PEOPLE + [participant("http://silent.example.org", ["read"], None)],
                config=opened("in") + opened("late", "ISign digest", "Require signed", "ISignMaxAge 5")
                + opened("tagged", "ISign digest", "Require signed", 'ISignTag "shop"')
                + opened("strict", "ISign digest", "Require signed", "ISignAlgorithms ed25519")
                + opened("wide", "ISign digest", "Require signed", "ISignCover @method x-order")
                + opened("any", "ISign digest", "Require all granted"))

    @pytest.mark.parametrize("name", GRAMMAR)
    def test_grammar(self, server, signer, name):
        cover, parameters, headers, reason = GRAMMAR[name]
        response = untouched(server, lambda: signer.get("/any", headers, cover=cover, **parameters), 400,
                           "malformed_signature", reason)
        assert response.header("Accept-Signature") is None

    @pytest.mark.parametrize("query, reason", [("?b=1", "sig_query_param_missing"), ("?a=1&a=2",
                                                                                    "sig_query_param_repeated")])
    def test_query_param(self, server, signer, query, reason):
        good = dict(signer.fields("GET", "/any?a=1", cover=('"@query-param";name="a"',)))
        untouched(server, lambda: server.get("/any" + query, good), 400, "malformed_signature", reason)

    @pytest.mark.parametrize("name", FIELDS)
    def test_fields(self, server, signer, name):
        change, reason = FIELDS[name]
        good = dict(signer.fields("GET", "/any"))
        inputs, signatures = change(good["Signature-Input"], good["Signature"])
        pairs = [("Signature-Input", one) for one in inputs] + [("Signature", one) for one in signatures]
        untouched(server, lambda: server.get("/any", pairs), 400, "malformed_signature", reason)

    @pytest.mark.parametrize("keyid, reason", [
        (None, "sig_keyid_missing"), (UID + "#none", "sig_key_unknown"), ("http://nobody.example#k", "sig_key_unknown"),
        ("http://nobody.example", "sig_key_unknown"), (UID + "#", "sig_key_unknown"), ("#ed25519", "sig_key_unknown"),
        ("", "sig_key_unknown"), (b64url(bytes(range(32))), "sig_key_unknown"), pytest.param("x" * 600, "sig_key_unknown", id="long"),
        ("http://silent.example.org", "sig_key_unknown"), (UID + "#ecdsa-p256-sha256", "sig_mismatch"),
        (UID + "#ecdsa-p384-sha384", "sig_length"), (UID, "sig_length")])
    def test_key(self, server, signer, keyid, reason):
        """The status, code and title are the same, whatever is wrong."""
        response = untouched(server, lambda: signer.get("/in", keyid=keyid), 401, "invalid_signature", reason)
        assert response.problem == {"title": "Invalid signature", "status": 401, "code": "invalid_signature"}
        assert re.fullmatch(r'sig1=\("@method" "@authority" "@path" "@query"\);created;nonce="[\w-]{22}"', response.header("Accept-Signature"))

    @pytest.mark.parametrize("alg, made", [("ecdsa-p256-sha256", b"\0" * 64), ("ecdsa-p256-sha256", b"\0" * 32 + b"\1" * 32),
                                           ("ecdsa-p256-sha256", b"\xff" * 64), ("ed25519", b"\1" * 32 + b"\xff" * 32)])
    def test_scalars(self, server, alg, made):
        class Made:
            def sign(self, base):
                return made
        response = Signer(server, Made(), f"{UID}#{alg}").get("/in")
        turned_away(server, response, 401, "invalid_signature", "sig_(scalar|mismatch)")

    @pytest.mark.parametrize("alg, length", [("ed25519", 63), ("ecdsa-p256-sha256", 71), ("rsa-pss-sha512", 255)])
    def test_lengths(self, server, alg, length):
        class Made:
            def sign(self, base):
                return b"\1" * length
        turned_away(server, Signer(server, Made(), f"{UID}#{alg}").get("/in"), 401, "invalid_signature", "sig_length")

    def test_shortened_mac(self, server):
        class Short(Secret):
            def sign(self, base):
                return super().sign(base)[:16]
        turned_away(server, Signer(server, Short(SECRET), UID).get("/in"), 401, "invalid_signature", "sig_length")

    def test_padding_exchanged(self, server):
        for one, other in (("rsa-pss-sha512", "rsa-v1_5-sha256"), ("rsa-v1_5-sha256", "rsa-pss-sha512")):
            signer = Signer(server, KEYS[one], f"{UID}#{one}")
            swapped = Key.__new__(Key)
            swapped.alg, swapped.private = other, KEYS[one].private
            turned_away(server, signer.get("/in", key=swapped), 401, "invalid_signature", "sig_mismatch")

    def test_algorithm(self, server, signer):
        untouched(server, lambda: signer.get("/in", alg="rsa-pss-sha512"), 401, "invalid_signature", "sig_alg_mismatch")
        other = Signer(server, KEYS["rsa-pss-sha512"], UID + "#rsa-pss-sha512")
        untouched(server, lambda: other.get("/strict"), 401, "invalid_signature", "sig_alg_not_allowed")
        assert signer.get("/strict").status == 200

    def test_time(self, server, signer):
        now = int(server.clock.time())
        untouched(server, lambda: signer.get("/in", created=None), 401, "signature_time_missing", "sig_created_missing")
        untouched(server, lambda: signer.get("/in", created=now + 45), 401, "signature_early", "sig_created_future")
        untouched(server, lambda: signer.get("/in", created=now - 340), 401, "signature_expired", "sig_created_old")
        untouched(server, lambda: signer.get("/in", created=now - 40, expires=now - 10), 401, "signature_expired",
                  "sig_expired")
        for reason, offset in (("created_future", r"\+4[345]"), ("created_old", "-34[0-2]"), ("expired", "-1[0-2]")):
            assert server.log.matching(rf"refused reason=sig_{reason} .* offset={offset}\b"), reason
        response = untouched(server, lambda: signer.get("/in", created=now - 20), 503, "starting", "replay_cache_warming",
                           level="info")
        assert 1 <= int(response.header("Retry-After")) <= 31
        assert signer.get("/in", expires=signer.stamp() + 5).status == 200
        created = signer.stamp()
        server.clock.reach(created + 40)
        untouched(server, lambda: signer.get("/late", created=created), 401, "signature_expired", "sig_created_old")
        assert signer.get("/in", created=created).status == 200

    def test_nonce(self, server, signer):
        untouched(server, lambda: signer.get("/in", nonce=None), 401, "signature_nonce_missing", "sig_nonce_missing")

    def test_tag(self, server, signer):
        response = untouched(server, lambda: signer.get("/tagged"), 401, "signature_required", "sig_tag_absent")
        assert 'tag="shop"' in response.header("Accept-Signature")
        untouched(server, lambda: signer.get("/tagged", tag="shop2"), 401, "signature_required", "sig_tag_absent")
        assert signer.get("/tagged", tag="shop").status == 200
        pairs = signer.fields("GET", "/tagged", tag="shop") + signer.fields("GET", "/tagged", tag="other", label="sig2")
        assert Shown(server.get("/tagged", pairs)).env["ISIGN_RESULT"] == "verified"

    @pytest.mark.parametrize("missing", COVER)
    def test_cover(self, server, signer, missing):
        cover = [one for one in COVER if one != missing]
        response = untouched(server, lambda: signer.get("/in", cover=cover), 401, "signature_component_missing",
                           "sig_component_missing")
        assert f'"{missing}"' in response.header("Accept-Signature")

    def test_cover_of_a_body(self, server, signer):
        fields = COVER + ("content-digest", "content-type")
        for missing, reason in (("content-digest", "sig_digest_uncovered"), ("content-type", "sig_component_missing")):
            cover = [one for one in fields if one != missing]
            untouched(server, lambda: signer.post("/in", BODY, JSON, cover=cover), 401, "signature_component_missing", reason)
        assert signer.post("/in", BODY, cover=COVER + ("content-digest",)).status == 200

    def test_cover_of_authorization(self, server, signer):
        pairs = {"Authorization": "Bearer x"}
        untouched(server, lambda: signer.get("/in", pairs, cover=COVER), 401, "signature_component_missing",
                  "sig_component_missing")
        assert signer.get("/in", pairs).status == 200

    def test_cover_that_the_location_names(self, server, signer):
        untouched(server, lambda: signer.get("/wide", cover=COVER), 401, "signature_component_missing",
                  "sig_component_missing")
        assert signer.get("/wide", {"X-Order": "1"}, cover=("@method", "x-order")).status == 200
        untouched(server, lambda: signer.post("/wide", BODY, {"X-Order": "1"}, cover=("@method", "x-order")), 401,
                  "signature_component_missing", "sig_digest_uncovered")

    def test_authority(self, server, signer):
        """Another host name or port is another service."""
        for host in ("other.example.org", f"other.example.org:{server.port}", "127.0.0.1", "127.0.0.1:1",
                     f"127.0.0.2:{server.port}"):
            untouched(server, lambda: signer.get("/in", authority=host.removesuffix(":80"), host=host), 403,
                      "wrong_authority", "sig_authority_foreign")
        untouched(server, lambda: signer.get("/in", host="other.example.org"), 401, "invalid_signature", "sig_mismatch")
        untouched(server, lambda: signer.get("/in", {"X-Forwarded-Host": "shop.example"}, authority="shop.example"), 401,
                  "invalid_signature", "sig_mismatch")

    @pytest.mark.parametrize("what", ["method", "path", "query", "query added", "type", "digest", "parameters"])
    def test_changed(self, server, signer, what):
        pairs = signer.headers("POST", "/in?a=1", JSON, BODY)
        method, target, body = "POST", "/in?a=1", BODY
        if what == "method":
            method = "PUT"
        elif what == "path":
            target = "/in/x?a=1"
        elif what == "query":
            target = "/in?a=2"
        elif what == "query added":
            target = "/in?a=1&"
        elif what == "type":
            pairs = [(name, "text/plain" if name == "Content-Type" else value) for name, value in pairs]
        elif what == "digest":
            pairs = [(name, digest(b"x") if name == "Content-Digest" else value) for name, value in pairs]
        else:
            pairs = [(name, value.replace("created=", "created=1") if name == "Signature-Input" else value)
                     for name, value in pairs]
            pairs = [(name, re.sub(r"created=\d+", "created=4102444800", value)) for name, value in pairs]
        untouched(server, lambda: server.request(method, target, pairs, body), 401, "invalid_signature", "sig_mismatch")

    @pytest.mark.parametrize("chunked", [False, True])
    def test_body_changed(self, server, signer, chunked):
        pairs = signer.headers("POST", "/in", JSON, BODY)
        untouched(server, lambda: server.post("/in", BODY[:-1] + b"!", pairs, chunked=chunked), 400, "digest_mismatch",
                  "digest_mismatch")

    def test_body_added_and_removed(self, server, signer):
        pairs = signer.headers("GET", "/in")
        untouched(server, lambda: server.request("GET", "/in", pairs, BODY), 401, "signature_component_missing",
                  "sig_digest_uncovered")
        pairs = signer.headers("POST", "/in", JSON, BODY)
        untouched(server, lambda: server.request("POST", "/in", pairs), 400, "digest_mismatch", "digest_mismatch")

    def test_header_twice(self, server, signer):
        """A second line of a covered field changes its value; the order of the lines counts too."""
        good = signer.headers("GET", "/in", {"X-A": "1"}, cover=COVER + ("x-a",))
        untouched(server, lambda: server.get("/in", good + [("X-A", "2")]), 401, "invalid_signature", "sig_mismatch")
        pairs = [("X-A", "1"), ("X-A", "2")]
        fields = signer.fields("GET", "/in", pairs, cover=COVER + ("x-a",))
        untouched(server, lambda: server.get("/in", pairs[::-1] + fields), 401, "invalid_signature", "sig_mismatch")
        assert server.get("/in", pairs + fields).status == 200

    def test_unsigned_passes_where_none_is_demanded(self, server):
        assert Shown(server.get("/any")).env["ISIGN_RESULT"] == "none"

    def test_connect(self, server, signer):
        server.log.allow("isign: refused|AH0")
        response = signer.send("CONNECT", f"127.0.0.1:{server.port}", cover=("@method",))
        assert response.status in (400, 401, 403, 405)

    def test_signed_for_the_other_slash(self, server, signer):
        """The target is signed as it was sent, before httpd normalizes it."""
        pairs = signer.headers("GET", "/in")
        for target in ("//in", "/./in", "/x/../in", "/%69n", "/in?"):
            response = server.get(target, pairs)
            assert response.status != 200 or target == "/in?", (target, repr(response))
            server.log.allow("isign: refused reason=sig_(mismatch|nonce_replayed)|AH0")


class TestStandIn:
    """The only key is the dummy for unknown keyids, but does not verify for them."""

    site = Site(participants=[participant(UID, ["read"], keys=[ED.jwk("k1")])], config=opened("in"))

    def test_of_its_owner(self, server):
        assert Signer(server, ED, UID + "#k1").get("/in").status == 200
        for keyid in ("http://nobody.example.org#k1", UID + "#k2", b64url(bytes(range(32)))):
            untouched(server, lambda: Signer(server, ED, keyid).get("/in"), 401, "invalid_signature", "sig_key_unknown")


class TestNobodyKnown:
    """mod_isign without mod_registry verifies digests, but no signatures."""

    path = "/any"
    site = Site(participants=None, ours=("isign",), config=opened("any", "ISign digest", "Require all granted"))

    def test_signed(self, server, signer):
        untouched(server, lambda: signer.get(self.path), 503, "unavailable", "fault_registry", level="error")
        assert Shown(server.post(self.path, BODY, {"Content-Digest": digest(BODY)})).env["ISIGN_RESULT"] == "verified"


class TestNobodyKnownObserved(TestNobodyKnown):
    """Faults are refused in observe mode too. This needs a server of its own: faults are logged once in ten seconds."""

    path = "/watched"
    site = Site(participants=None, ours=("isign",), config=opened("watched", "ISign digest", "ISignMode observe", "Require all granted"))


class TestFlipped:
    """Each byte of a signed request flipped, one at a time."""

    site = Site(participants=PEOPLE, config=opened("in"))

    @pytest.mark.parametrize("method, mask", [("GET", 1), ("POST", 1), ("POST", 2), ("POST", 128)])
    def test_none_passes(self, server, signer, method, mask):
        body = BODY if method == "POST" else None
        server.log.allow("isign: |AH0|core:")

        def made():
            pairs = signer.headers(method, "/in?a=1", {"Host": f"127.0.0.1:{server.port}", **JSON}, body)
            return server.message(method, "/in?a=1", pairs, body, close=False)
        whole, before, tried, connection = made(), server.journal(), 0, None
        version, unsigned = whole.index(b"HTTP/1.1"), whole.find(b"Content-Length")
        for at in range(len(whole)):
            if version <= at < version + 8:
                continue  # no part of what can be signed
            # A byte after the signed fields does not invalidate the signature, whose nonce is used up then.
            one = whole if at < unsigned or unsigned < 0 else made()
            one = one[:at] + bytes([one[at] ^ mask]) + one[at + 1:]
            if tried % 100 == 0 and connection:
                connection.close()
                connection = None
            response = None
            for _ in range(2):  # the server may have ended the connection after the refusal before
                connection = connection or server.connect(source=f"127.0.0.{30 + mask // 2 + tried // 100}")
                try:
                    connection.sock.settimeout(0.25)
                    connection.send(one)
                    response = self.read(connection)
                    break
                except EOFError:
                    connection.close()
                    connection = None
            assert response is None or response.status >= 400, (at, one[max(0, at - 30):at + 30], response)
            tried += 1
            if connection and (response is None or response.header("Connection") == "close"):
                connection.close()
                connection = None
        if connection:
            connection.close()
        assert tried > 280 and server.journal() == before
        assert Shown(server_exchange(server, whole)).env["ISIGN_RESULT"] == "verified", "the one that was not changed"

    def read(self, connection):
        """Sends a message. If its end was changed, the server waits for more until the connection is closed."""
        try:
            return connection.response()
        except TimeoutError:
            connection.half_close()
            connection.sock.settimeout(15)
            try:
                return connection.response()
            except EOFError:
                return None


def server_exchange(server, data):
    with server.connect() as connection:
        connection.send(data)
        return connection.response()
