"""
Signed requests (RFC 9421): what verifies reaches the app, what was changed, replayed or is nobody's does not.

Only unit tests bring about: sig_missing and sig_label_absent (no location asks for a label), sig_key_revoked and
sig_key_foreign (for registries that know more than a file), sig_request_only (responses), and a flag that is no boolean
beside what is here.
"""
import base64
import gzip
import os
import re
import shutil
import subprocess
import time

import pytest

from harness import (Caller, ENDPOINT, OTHER, OTHER_SECRET, SECRET, Shown, Site, UID, b64url, digest, location,
                     participant, script, together)
from harness.locate import stock_dir
from harness.signer import COVER, Key, Secret, Signer
from harness.verdict import HTTPD_DENIES

BODY = b'{"order": 17}'
JSON = {"Content-Type": "application/json"}
KEYS = {alg: Key(alg) for alg in ("ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512",
                                  "rsa-v1_5-sha256")}
ED = KEYS["ed25519"]
STRANGER, OLD, NEW, FILED, CERTIFIED = (Key("ed25519") for _ in range(5))
FILED_RSA = Key("rsa-v1_5-sha256")
DAY = 86400


def keys(**extra):
    """The `keys` of UID: one of each algorithm, named by it."""
    return [key.jwk(alg) for alg, key in KEYS.items()] + list(extra.values())


def opened(name, *lines):
    """A location that is its own CGI and demands a signature and nothing else."""
    text = "\n".join(lines or ("ISign require", "Require signed"))
    return f'ScriptAlias "/{name}" "@ROOT@/cgi-bin/show"\n<Location "/{name}">\n{text}\n</Location>\n'


PEOPLE = [participant(UID, ["read", "update"], keys=keys()),
          participant(OTHER, ["read"], OTHER_SECRET, keys=[STRANGER.jwk("theirs")])]


def turned_away(server, answer, status, code, reason, level="warn", module="isign"):
    """Asserts a refusal: status, code, what is asked for, the line in the log."""
    assert answer.status == status, repr(answer)
    assert answer.problem["code"] == code and answer.problem["status"] == status, repr(answer)
    assert (answer.header("WWW-Authenticate") is not None) == (status == 401), repr(answer)
    assert (answer.header("Retry-After") is not None) == (status in (429, 503)), repr(answer)
    line = rf"\[{module}:{level}\] .*{module}: refused reason={reason}( |$)"
    server.log.expect(line)
    if status == 403:
        server.log.allow(HTTPD_DENIES)
    return server.log.next(line)


def untouched(server, call, *refusal, **more):
    """A refusal after which no app has run."""
    before = server.journal()
    answer = call()
    turned_away(server, answer, *refusal, **more)
    assert server.journal() == before, "the app ran"
    return answer


@pytest.fixture
def signer(server):
    return Signer(server, ED, UID + "#ed25519")


class TestAccepted:
    site = Site(participants=PEOPLE, php_fcgi=True, modules=("deflate",), config=opened("in") + """
        <Location "/php">
            ISign require
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
        for answer in (signer.get("/in?a=1&b=%20x"), signer.post("/in", BODY, JSON), signer.post("/in", BODY, chunked=True)):
            shown = Shown(answer)
            assert shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_ALG"] == alg
            assert shown.env["ISIGN_KEYID"] == f"{UID}#{alg}" and shown.env["ISIGN_PARTICIPANT"] == UID
            assert '"@method"' in shown.env["ISIGN_COVERED"]
            assert shown.body in (b"", BODY)
            assert answer.header("Accept-Signature") is None
            assert "private" in answer.header("Cache-Control")

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
        assert signer.get("/in", authority=f"localhost:{server.port}", host=f"LocalHost:{server.port}").status == 403
        server.log.allow(r"sig_authority_foreign|AH0")

    def test_absolute_target(self, server, signer):
        target = f"http://127.0.0.1:{server.port}/in?x=1"
        fields = signer.fields("GET", "/in?x=1")
        assert Shown(server.get(target, fields)).env["ISIGN_RESULT"] == "verified"

    def test_obs_fold(self, server, signer):
        """httpd makes one line of it; so did the signer."""
        fields = signer.fields("GET", "/in", [("X-Long", "one two")], cover=COVER + ("x-long",))
        answer = server.get("/in", [("X-Long", "one\r\n  two")] + fields)
        assert answer.status in (200, 400, 401), repr(answer)
        server.log.allow("isign: refused|AH0")
        if answer.status == 200:
            assert Shown(answer).env["HTTP_X_LONG"] == "one two"

    def test_head(self, server, signer):
        with server.connect() as connection:
            connection.send(server.message("HEAD", "/in", signer.headers("HEAD", "/in")))
            answer = connection.answer("HEAD")
        assert answer.status == 200 and "private" in answer.header("Cache-Control")

    def test_unknown_parameters_are_signed(self, server, signer):
        assert Shown(signer.get("/in", later="x")).env["ISIGN_RESULT"] == "verified"

    @pytest.mark.parametrize("chunked", [False, True])
    def test_gzip(self, server, signer, chunked):
        """The digest is of what came over the wire."""
        packed = gzip.compress(BODY * 1000)
        shown = Shown(signer.post("/gzip", packed, {"Content-Encoding": "gzip", **JSON}, chunked=chunked))
        assert shown.body == BODY * 1000 and shown.env["ISIGN_RESULT"] == "verified"

    def test_two_signatures_one_is_looked_at(self, server, signer):
        """Two that qualify are refused: trying them costs what the caller wants."""
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
                assert Shown(connection.answer()).body == body


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
        from conftest import open_server
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
        """Under the name of a public key an HMAC over what everybody knows is nothing."""
        raw = base64.urlsafe_b64decode(ED.jwk("")["x"] + "=")
        for secret in (raw, FILED.pem().encode()):
            answer = Signer(server, Secret(secret), UID + "#k1").get("/in")
            turned_away(server, answer, 401, "invalid_signature", "sig_length")
        answer = Signer(server, Secret(raw), UID + "#k1", alg="hmac-sha256").get("/in")
        turned_away(server, answer, 401, "invalid_signature", "sig_alg_mismatch")

    def test_reload(self, server):
        """A key that was rotated, a participant that is suspended, removed, expired, back again."""
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
                answer = untouched(server, lambda: signer.get("/in"), 403, reason, reason)
                assert answer.header("Accept-Signature") is None
        server.participants(self.people()[1:])
        server.graceful()
        for signer in (old, Signer(server, Secret(SECRET), UID), Signer(server, ED, ED.thumbprint())):
            untouched(server, lambda: signer.get("/in"), 401, "invalid_signature", "sig_key_unknown")
        server.participants(self.people())
        server.graceful()
        assert old.get("/in").status == 200

    def test_two_owners(self, server):
        """A key has one owner; such a file changes nothing."""
        people = self.people()
        people[1]["keys"].append(ED.jwk("mine"))
        server.participants(people)
        server.log.expect(r"\[registry:error\] .*a key has one owner")
        server.graceful()
        assert Shown(Signer(server, ED, UID + "#k1").get("/in")).env["ISIGN_PARTICIPANT"] == UID
        server.participants(self.people())
        server.graceful()


# What a caller can see in its own request is told before anything verified: (components, parameters, headers, reason).
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

# What the fields are made into after signing: (Signature-Input values, Signature values), reason.
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
                config=opened("in") + opened("late", "ISign require", "Require signed", "ISignMaxAge 5")
                + opened("tagged", "ISign require", "Require signed", 'ISignTag "shop"')
                + opened("strict", "ISign require", "Require signed", "ISignAlgorithms ed25519")
                + opened("wide", "ISign require", "Require signed", "ISignCover @method x-order")
                + opened("any", "ISign require", "Require all granted"))

    @pytest.mark.parametrize("name", GRAMMAR)
    def test_grammar(self, server, signer, name):
        cover, parameters, headers, reason = GRAMMAR[name]
        answer = untouched(server, lambda: signer.get("/any", headers, cover=cover, **parameters), 400,
                           "malformed_signature", reason)
        assert answer.header("Accept-Signature") is None

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
        """One status, one code, one text, whatever is wrong."""
        answer = untouched(server, lambda: signer.get("/in", keyid=keyid), 401, "invalid_signature", reason)
        assert answer.problem == {"title": "Invalid signature", "status": 401, "code": "invalid_signature"}
        assert answer.header("Accept-Signature") == 'sig1=("@method" "@authority" "@path" "@query");created'

    @pytest.mark.parametrize("alg, made", [("ecdsa-p256-sha256", b"\0" * 64), ("ecdsa-p256-sha256", b"\0" * 32 + b"\1" * 32),
                                           ("ecdsa-p256-sha256", b"\xff" * 64), ("ed25519", b"\1" * 32 + b"\xff" * 32)])
    def test_scalars(self, server, alg, made):
        class Made:
            def sign(self, base):
                return made
        answer = Signer(server, Made(), f"{UID}#{alg}").get("/in")
        turned_away(server, answer, 401, "invalid_signature", "sig_(scalar|mismatch)")

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
        now = int(time.time())
        untouched(server, lambda: signer.get("/in", created=None), 401, "signature_time_missing", "sig_created_missing")
        untouched(server, lambda: signer.get("/in", created=now + 45), 401, "signature_early", "sig_created_future")
        untouched(server, lambda: signer.get("/in", created=now - 340), 401, "signature_expired", "sig_created_old")
        untouched(server, lambda: signer.get("/late", created=now - 40), 401, "signature_expired", "sig_created_old")
        untouched(server, lambda: signer.get("/in", created=now - 40, expires=now - 10), 401, "signature_expired",
                  "sig_expired")
        answer = untouched(server, lambda: signer.get("/in", created=now - 20), 503, "starting", "replay_memory_young",
                           level="info")
        assert 1 <= int(answer.header("Retry-After")) <= 31
        assert signer.get("/in", expires=signer.stamp() + 5).status == 200

    def test_nonce(self, server, signer):
        untouched(server, lambda: signer.get("/in", nonce=None), 401, "signature_nonce_missing", "sig_nonce_missing")

    def test_tag(self, server, signer):
        answer = untouched(server, lambda: signer.get("/tagged"), 401, "signature_required", "sig_tag_absent")
        assert 'tag="shop"' in answer.header("Accept-Signature")
        untouched(server, lambda: signer.get("/tagged", tag="shop2"), 401, "signature_required", "sig_tag_absent")
        assert signer.get("/tagged", tag="shop").status == 200
        pairs = signer.fields("GET", "/tagged", tag="shop") + signer.fields("GET", "/tagged", tag="other", label="sig2")
        assert Shown(server.get("/tagged", pairs)).env["ISIGN_RESULT"] == "verified"

    @pytest.mark.parametrize("missing", COVER)
    def test_cover(self, server, signer, missing):
        cover = [one for one in COVER if one != missing]
        answer = untouched(server, lambda: signer.get("/in", cover=cover), 401, "signature_component_missing",
                           "sig_component_missing")
        assert f'"{missing}"' in answer.header("Accept-Signature")

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
        """Another name, another port: another service, whatever it is that answers."""
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
        answer = signer.send("CONNECT", f"127.0.0.1:{server.port}", cover=("@method",))
        assert answer.status in (400, 401, 403, 405)

    def test_signed_for_the_other_slash(self, server, signer):
        """What was signed is the target as it was sent, before httpd cleans it."""
        pairs = signer.headers("GET", "/in")
        for target in ("//in", "/./in", "/x/../in", "/%69n", "/in?"):
            answer = server.get(target, pairs)
            assert answer.status != 200 or target == "/in?", (target, repr(answer))
            server.log.allow("isign: refused reason=sig_(mismatch|nonce_replayed)|AH0")


class TestNobodyKnown:
    """mod_isign without mod_registry verifies digests, and nobody."""

    site = Site(participants=None, ours=("isign",), config=opened("any", "ISign require", "Require all granted")
                + opened("watched", "ISign observe", "Require all granted"))

    @pytest.mark.parametrize("path", ["/any", "/watched"])
    def test_signed(self, server, signer, path):
        untouched(server, lambda: signer.get(path), 503, "unavailable", "fault_registry", level="error")
        assert Shown(server.post(path, BODY, {"Content-Digest": digest(BODY)})).env["ISIGN_RESULT"] == "verified"


class TestCache:
    """mod_cache in front: it spares only requests with an Authorization header by itself."""

    site = Site(participants=PEOPLE, modules=("cache", "cache_disk"), config=opened("in")
                + opened("mixed", "ISign require", "<RequireAny>", "Require signed", "Require all granted", "</RequireAny>")
                + 'CacheEnable disk /\nCacheRoot "@ROOT@/spool"\nCacheHeader on\nCacheIgnoreNoLastMod On\n')

    def test_never_stored(self, server, signer):
        for path in ("/in?header=Cache-Control:+public,+max-age=3600", "/mixed?header=Cache-Control:+public,+s-maxage=3600"):
            for _ in range(2):
                answer = signer.get(path)
                assert Shown(answer).env["ISIGN_PARTICIPANT"] == UID
                said = ", ".join(answer.all("Cache-Control"))
                assert "private" in said and "public" not in said
            assert UID.encode() not in server.get(path).body
        server.log.allow("signature_wanted|AH0163")
        for status in ("MISS", "HIT"):  # the cache is at work
            assert status in server.get("/mixed?header=Cache-Control:+max-age=3600").header("X-Cache")


class TestReplay:
    site = Site(participants=PEOPLE, config=opened("in") + opened("slow") + opened("obs", "ISign observe",
                                                                                   "Require all granted"))

    def test_once(self, server, signer):
        pairs = signer.headers("POST", "/in", JSON, BODY)
        assert server.post("/in", BODY, pairs).status == 200
        for _ in range(3):
            untouched(server, lambda: server.post("/in", BODY, pairs), 401, "signature_replayed", "sig_nonce_replayed")

    def test_nonce_in_another_signature(self, server, signer):
        """It is the participant's: other key, other label, other request."""
        assert signer.get("/in", nonce="one-and-only").status == 200
        for key, keyid in ((KEYS["rsa-pss-sha512"], UID + "#rsa-pss-sha512"), (Secret(SECRET), UID)):
            untouched(server, lambda: Signer(server, key, keyid).get("/in?x", nonce="one-and-only", label="x"), 401,
                      "signature_replayed", "sig_nonce_replayed")
        assert Signer(server, STRANGER, OTHER + "#theirs").get("/in", nonce="one-and-only").status == 200

    def test_other_half_of_the_group(self, server):
        """ECDSA has (r, s) and (r, n - s): a signature's bytes are no name for it."""
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        signer = Signer(server, KEYS["ecdsa-p256-sha256"], UID + "#ecdsa-p256-sha256")
        pairs = dict(signer.headers("GET", "/in"))
        assert server.get("/in", pairs).status == 200
        made = base64.b64decode(pairs["Signature"].split(":")[1])
        other = made[:32] + (order - int.from_bytes(made[32:], "big")).to_bytes(32, "big")
        pairs["Signature"] = f"sig1=:{base64.b64encode(other).decode()}:"
        untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")

    def test_parallel(self, server, signer):
        """One winner, wherever it is served."""
        for _ in range(5):
            pairs = signer.headers("GET", "/in")
            before = len(server.journal())
            server.log.allow("isign: refused reason=sig_nonce_replayed")
            assert together([lambda: server.get("/in", pairs).status] * 16) == [200] + [401] * 15
            assert len(server.journal()) == before + 1

    def test_parallel_of_many(self, server, signer):
        stamp = signer.stamp()
        assert together([lambda: signer.get("/in", created=stamp).status] * 24) == [200] * 24

    def test_a_bad_signature_uses_nothing_up(self, server, signer):
        for changed in (dict(key=OLD), dict(cover=COVER[1:])):
            answer = signer.get("/in", nonce=f"kept {changed}"[:40], **changed)
            server.log.allow("isign: refused")
            assert answer.status == 401
        assert signer.get("/in", nonce=f"kept {dict(key=OLD)}"[:40]).status == 200

    def test_after_restarts(self, server, signer):
        """A reload keeps what was used, a killed child too; a restart keeps it as well: the parent stays."""
        used = [signer.headers("GET", "/in") for _ in range(8)]
        for pairs in used:
            assert server.get("/in", pairs).status == 200
        for again in (server.graceful, server.restart):
            again()
            for pairs in used:
                untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")
        server.kill(server.served_by()[-1])
        server.log.allow("AH00052|AH0")
        for pairs in used:
            untouched(server, lambda: server.get("/in", pairs), 401, "signature_replayed", "sig_nonce_replayed")
        assert signer.get("/in").status == 200

    def test_observed_is_used_up_too(self, server, signer):
        pairs = signer.headers("GET", "/obs")
        assert Shown(server.get("/obs", pairs)).env["ISIGN_RESULT"] == "verified"
        server.log.expect("isign: would refuse reason=sig_nonce_replayed")
        shown = Shown(server.get("/obs", pairs))
        assert shown.env["ISIGN_RESULT"] == "sig_nonce_replayed" and "ISIGN_PARTICIPANT" not in shown.env


class TestCapacity:
    site = Site(participants=PEOPLE, config="ISignReplayCapacity 16\n" + opened("in"))

    def test_quota(self, server, signer):
        """One participant has an eighth; another one still comes in."""
        for _ in range(2):
            assert signer.get("/in").status == 200
        untouched(server, lambda: signer.get("/in"), 429, "too_many_requests", "replay_quota")
        assert Signer(server, STRANGER, OTHER + "#theirs").get("/in").status == 200

    def test_change_needs_a_stop(self, server):
        server.configure("ISignReplayCapacity 32\n" + opened("in"))
        server.graceful()
        assert server.log.wait("ISignReplayCapacity 32 comes into force after a stop and start; 16 stays")


class TestFailures:
    """Whoever sends signatures that fail is refused before they are looked at; others are not."""

    site = Site(participants=PEOPLE, config=opened("in"))

    def spend(self, server, keyid, source):
        """Statuses of many bad signatures in a row, from one address."""
        statuses = []
        signer = Signer(server, OLD, keyid)
        server.log.allow("isign: refused reason=(sig_mismatch|sig_key_unknown|verifications_full)")
        while len(statuses) < 1500 and statuses[-1:] != [429]:
            with server.connect(source=source) as connection:
                for _ in range(100):
                    connection.send(server.message("GET", "/in", signer.headers("GET", "/in"), close=False))
                    try:
                        statuses.append(connection.answer().status)
                    except EOFError:
                        break
        return statuses

    @pytest.mark.parametrize("keyid, source", [(UID + "#ed25519", "127.0.0.21"), ("http://nobody.example#x", "127.0.0.22"),
                                               ("http://nobody.example", "127.0.0.23")])
    def test_too_many(self, server, keyid, source):
        """Keyids that nobody has are treated alike: the refusal tells nothing."""
        statuses = self.spend(server, keyid, source)
        assert statuses[-1] == 429 and len(statuses) > 200 and set(statuses[:200]) == {401}
        answers = []
        for _ in range(30):  # each child counts for itself
            with server.connect(source=source) as connection:
                connection.send(server.message("GET", "/in", Signer(server, OLD, keyid).headers("GET", "/in")))
                answers.append(connection.answer())
        full = [one for one in answers if one.status == 429]
        if full:
            turned_away(server, full[0], 429, "too_many_requests", "verifications_full")
        assert Signer(server, ED, UID + "#ed25519").get("/in").status == 200, "another address"
        with server.connect(source=source) as connection:
            connection.send(server.message("GET", "/in", Signer(server, STRANGER, OTHER + "#theirs").headers("GET", "/in")))
            assert connection.answer().status == 200, "another key"
        time.sleep(0.3)
        server.log.allow("isign: refused")

    def test_forgiven(self, server):
        source, keyid = "127.0.0.24", UID + "#ed25519"
        assert self.spend(server, keyid, source)[-1] == 429
        time.sleep(1)
        for _ in range(3):
            with server.connect(source=source) as connection:
                connection.send(server.message("GET", "/in", Signer(server, ED, keyid).headers("GET", "/in")))
                assert connection.answer().status == 200


def beside(name, rules, *more):
    return script(name, rules, "\n".join(("ISign require",) + more))


class TestRules:
    """Require signed and SAuth, alone and beside each other."""

    site = Site(participants=PEOPLE, modules=("authz_user", "auth_basic", "authn_file"), config=ENDPOINT
                + opened("alone") + opened("digest", "ISign require", "Require signed content-digest x-order")
                + opened("either", "ISign require", "<RequireAny>", "Require signed", "Require ip 127.0.0.1", "</RequireAny>")
                + opened("elsewhere", "ISign require", "<RequireAny>", "Require signed", "Require ip 10.0.0.1",
                         "</RequireAny>")
                + opened("watched", "ISign observe", "Require signed")
                + opened("unheard", "Require signed")
                + beside("both", "<RequireAll>\nRequire capability read\nRequire signed @method\n</RequireAll>")
                + beside("any", "<RequireAny>\nRequire capability read\nRequire signed\n</RequireAny>")
                + beside("only", "Require capability read", "SAuthAccept signature")
                + beside("accepts", "Require capability update", "SAuthAccept sauth signature")
                + beside("open", "<RequireAny>\nRequire all granted\nRequire capability read\n</RequireAny>",
                         "SAuthAccept signature")
                + beside("grant", "Require capability read")
                + beside("quiet", "Require signed"))

    def test_alone(self, server, signer):
        answer = untouched(server, lambda: server.get("/alone"), 403, "signature_required", "signature_wanted")
        assert answer.header("Accept-Signature") == 'sig1=("@method" "@authority" "@path" "@query");created'
        answer = untouched(server, lambda: server.post("/alone", BODY, JSON), 403, "signature_required",
                           "signature_wanted")
        assert answer.header("Accept-Signature") == ('sig1=("@method" "@authority" "@path" "@query" "content-type" '
                                                     '"content-digest");created')
        assert signer.get("/alone").status == 200

    def test_components(self, server, signer):
        pairs = {"X-Order": "7"}
        full = COVER + ("content-digest", "x-order")
        answer = untouched(server, lambda: signer.post("/digest", BODY, pairs, cover=full[:-1]), 403,
                           "signature_component_missing", "signature_narrow")
        assert answer.header("Accept-Signature")
        for cover in (full, full[:-1] + ('"x-order";bs',)):
            assert signer.post("/digest", BODY, pairs, cover=cover).status == 200

    def test_one_of_two(self, server, signer):
        """Whoever comes in by the other rule was not refused: no line, no field, no problem."""
        answer = server.get("/either")
        assert answer.status == 200 and answer.header("Accept-Signature") is None
        assert signer.get("/either").status == 200
        assert not server.log.matching("refused")
        untouched(server, lambda: server.get("/elsewhere"), 403, "signature_required", "signature_wanted")
        assert len(server.log.matching("refused reason=signature_wanted")) == 1
        untouched(server, lambda: signer.get("/either", key=OLD), 401, "invalid_signature", "sig_mismatch")

    def test_observed(self, server, signer):
        server.log.expect("isign: would refuse reason=signature_wanted")
        assert Shown(server.get("/watched")).env["ISIGN_RESULT"] == "none"
        server.log.expect("isign: would refuse reason=sig_mismatch")
        assert Shown(signer.get("/watched", key=OLD)).env["ISIGN_RESULT"] == "sig_mismatch"

    def test_without_isign(self, server, signer):
        turned_away(server, signer.get("/unheard"), 403, "signature_required", "signature_wanted")

    def test_both(self, server, signer):
        caller = Caller(server).granted()
        answer = server.get("/both")
        assert answer.status == 401 and answer.challenge and answer.header("Accept-Signature")
        assert answer.problem["code"] == "credentials_required"
        turned_away(server, caller.get("/both"), 403, "signature_required", "signature_wanted")
        untouched(server, lambda: signer.get("/both", {"Authorization": "SAuth x"}), 401, "invalid_credentials",
                  "authorization_malformed", module="sauth")
        answer = signer.get("/both", {"Authorization": caller.header()})
        shown = Shown(answer)
        assert shown.env["SAUTH_SCHEME"] == "SAuth" and shown.env["ISIGN_PARTICIPANT"] == UID and answer.nextnonce
        assert signer.get("/both").status == 401

    def test_either(self, server, signer):
        caller = Caller(server).granted()
        answer = server.get("/any")
        assert answer.status == 401 and answer.header("Accept-Signature")
        assert Shown(signer.get("/any")).env["ISIGN_PARTICIPANT"] == UID
        answer = caller.get("/any")
        assert Shown(answer).env["SAUTH_PARTICIPANT"] == UID and answer.header("Accept-Signature") is None
        assert not server.log.matching("refused reason=signature_wanted")

    def test_signature_is_the_credential(self, server, signer):
        shown = Shown(signer.post("/only", BODY, JSON))
        assert shown.env["SAUTH_PARTICIPANT"] == UID and shown.env["SAUTH_SCHEME"] == "signature"
        assert shown.env["REMOTE_USER"] == UID and set(shown.env["SAUTH_CAPABILITIES"].split()) == {"read", "update"}
        assert "SAUTH_GRANT" not in shown.env and "SAUTH_EXPIRES" not in shown.env
        answer = server.get("/only")
        assert answer.status == 401 and answer.header("Accept-Signature") and answer.header("WWW-Authenticate")
        caller = Caller(server).granted()
        answer = server.get("/only", {"Authorization": caller.header()})
        turned_away(server, answer, 401, "invalid_credentials", "scheme_not_accepted", module="sauth")
        answer = signer.get("/only", {"Authorization": Caller(server).granted().header()})
        turned_away(server, answer, 401, "invalid_credentials", "scheme_not_accepted", module="sauth")

    def test_capabilities_of_the_signer(self, server, signer):
        assert Shown(signer.get("/accepts")).env["SAUTH_SCHEME"] == "signature"
        stranger = Signer(server, STRANGER, OTHER + "#theirs")
        untouched(server, lambda: stranger.get("/accepts"), 403, "insufficient_capability", "capability_missing",
                  module="sauth")
        assert Shown(Caller(server).granted("update").get("/accepts")).env["SAUTH_SCHEME"] == "SAuth"

    def test_bad_one_beside_an_open_rule(self, server, signer):
        assert "SAUTH_PARTICIPANT" not in Shown(server.get("/open")).env
        assert Shown(signer.get("/open")).env["SAUTH_PARTICIPANT"] == UID
        untouched(server, lambda: signer.get("/open", key=OLD), 401, "invalid_signature", "sig_mismatch")

    def test_another_participants_signature(self, server):
        caller = Caller(server).granted()
        stranger, own = Signer(server, STRANGER, OTHER + "#theirs"), Signer(server, ED, UID + "#ed25519")
        answer = untouched(server, lambda: stranger.get("/grant", {"Authorization": caller.header()}), 403,
                           "wrong_signer", "signer_mismatch", module="sauth")
        assert own.get("/grant", {"Authorization": caller.header(answer.nextnonce)}).status == 200

    def test_authorization_moved(self, server, signer):
        """The signature covers it, so that it cannot be put beside another grant."""
        mine, other = Caller(server).granted().header(), Caller(server).granted().header()
        pairs = signer.headers("GET", "/grant", {"Authorization": mine})
        pairs = [(name, other if name == "Authorization" else value) for name, value in pairs]
        untouched(server, lambda: server.get("/grant", pairs), 401, "invalid_signature", "sig_mismatch")
        pairs = signer.headers("GET", "/grant") + [("Authorization", other)]
        untouched(server, lambda: server.get("/grant", pairs), 401, "signature_component_missing", "sig_component_missing")

    def test_require_signed_with_a_user(self, server, signer):
        """One that is known but has not signed is 403, not another 401."""
        caller = Caller(server).granted()
        turned_away(server, caller.get("/quiet"), 403, "signature_required", "signature_wanted")
        assert signer.get("/quiet").status == 200

    def test_configuration(self, server):
        for line, said in (("Require signed @Method", "no component name"), ("ISignCover X-A", "lower case"),
                           ("ISignCover @status", "lower case"), ("ISignMaxAge 0", "whole number"),
                           ("ISignAlgorithms none", "expected"), ("ISignExternal shop.example", "expected"),
                           ("ISignExternal https://shop.example/x", "expected"), ("ISignExternal ftp://a", "expected"),
                           ('ISignTag "\xe9"', "ASCII"), ("ISignBody stream 1K", "no size")):
            server.configure(self.site.config + f'<Location "/x">\n{line}\n</Location>\n')
            good, text = server.check()
            assert not good and said in text, (line, text)
        for line in ("ISignSpoolTotal 1K", "ISignReplayCapacity 5"):
            server.configure(self.site.config + f'<VirtualHost *:1>\n{line}\n</VirtualHost>\n')
            assert not server.check()[0], line
        server.configure(self.site.config)
        assert server.check()[0]


class TestWithin:
    """Sub-requests, internal redirects and error pages: one decision, nothing used up twice."""

    site = Site(participants=PEOPLE, modules=("include", "rewrite", "actions", "negotiation", "cgid"),
                config=opened("in") + """
        <Location "/app">
            ISign require
            Require signed
        </Location>
        <Location "/page">
            ISign require
            Require signed
            SetOutputFilter INCLUDES
        </Location>
        <Location "/cgi-bin/other">
            ISign require
            ISignCover x-more
            Require all granted
        </Location>
        <Location "/watch">
            ISign observe
        </Location>
        <Location "/errors">
            ISign require
            Require all granted
        </Location>
        ErrorDocument 401 /errors/401.txt
        ErrorDocument 404 /errors/404.txt
        """ + opened("stream", "ISign require", "Require signed", "ISignBody stream"),
                files={"app/.htaccess": "RewriteEngine On\nRewriteRule ^script /in [L]\nRewriteRule ^narrow "
                                        "/cgi-bin/other [L]\n",
                       "watch/.htaccess": "RewriteEngine On\nRewriteRule ^script /in [L]\n",
                       "plain/.htaccess": "RewriteEngine On\nRewriteRule ^script /in [L]\nRewriteRule ^stream /stream [L]\n",
                       "page/index.shtml": '<!--#include virtual="/in" -->+<!--#include virtual="/in" -->\n',
                       "errors/401.txt": "sorry\n", "errors/404.txt": "nothing\n"})

    @pytest.mark.parametrize("path", ["/app/script", "/plain/script"])
    def test_rewritten(self, server, signer, path):
        """What was sent is what was signed, wherever it ends."""
        shown = Shown(signer.post(path + "?a=1", BODY, JSON))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == "verified" and shown.env["ISIGN_PARTICIPANT"] == UID
        assert len(server.log.matching("isign: verified")) == 1
        pairs = signer.headers("POST", "/in?a=1", JSON, BODY)
        answer = server.post(path + "?a=1", BODY, pairs)
        assert answer.status == 401 and answer.text == "sorry\n"
        server.log.expect("isign: refused reason=sig_mismatch")

    def test_rewritten_to_one_that_demands_more(self, server, signer):
        answer = signer.get("/app/narrow")
        assert answer.status == 401
        server.log.expect("isign: refused reason=sig_component_missing")
        shown = Shown(signer.get("/app/narrow", {"X-More": "1"}, cover=COVER + ("x-more",)))
        assert shown.env["ISIGN_RESULT"] == "verified"

    def test_observed_and_rewritten_to_one_that_demands(self, server, signer):
        before = server.journal()
        assert signer.get("/watch/script", key=OLD).status == 401
        server.log.expect("isign: would refuse reason=sig_mismatch")
        server.log.expect("isign: refused reason=sig_mismatch")
        assert server.journal() == before

    @pytest.mark.parametrize("path", ["/stream", "/plain/stream"])
    def test_stream_behind_a_redirect(self, server, signer, path):
        """A redirect loses filters; the body is hashed all the same."""
        shown = Shown(signer.post(path, BODY, JSON))
        assert shown.body == BODY and shown.env["ISIGN_RESULT"] == "pending"
        pairs = signer.headers("POST", path, JSON, BODY)
        answer = server.post(path, BODY[:-1] + b"!", pairs)
        server.log.expect("isign: broken off reason=digest_mismatch .*the app had begun")
        server.log.allow("AH0")
        assert answer.status != 200, repr(answer)

    def test_subrequests(self, server, signer):
        answer = signer.get("/page/index.shtml")
        assert answer.status == 200
        parts = answer.body.split(b"=====BODY=====\n")
        assert len(parts) == 3 and all(b"ISIGN_RESULT=verified" in one for one in parts[:2])
        assert len(server.log.matching("isign: verified")) == 1
        assert "private" in answer.header("Cache-Control")

    def test_error_page(self, server, signer):
        """Refused once, and the page about it is not refused again."""
        pairs = signer.headers("GET", "/in")
        assert server.get("/in", pairs).status == 200
        answer = server.get("/in", pairs)
        assert answer.status == 401 and answer.text == "sorry\n" and answer.header("Accept-Signature")
        server.log.expect("isign: refused reason=sig_nonce_replayed")
        assert len(server.log.matching("isign: refused")) == 1
        answer = signer.get("/app/none")
        assert answer.status == 404 and answer.text == "nothing\n"
        answer = server.get("/nowhere", signer.headers("GET", "/nowhere"))
        assert answer.status == 404 and answer.text == "nothing\n"

    def test_location_of_a_cgi(self, server, signer):
        shown = Shown(signer.get("/in?location=/in"))
        assert shown.env["ISIGN_RESULT"] == "verified" and len(server.log.matching("isign: verified")) == 1


class TestExternal:
    """Behind a real proxy that ends TLS (as far as the backend knows) and speaks to it under another name."""

    backend = Site(participants=PEOPLE, config=opened("in", "ISign require", "Require signed",
                                                      "ISignExternal https://orders.example"))
    site = Site(participants=None, ours=(), backend=backend,
                config='ProxyPass "/in" "http://127.0.0.1:@BACKEND@/in"\n')

    @pytest.fixture
    def far(self, server):
        signer = Signer(server.backend, ED, UID + "#ed25519")

        def call(method, body=None, **how):
            how = {"authority": "orders.example", "scheme": "https", **how}
            pairs = signer.headers(method, "/in?a=1", JSON, body, **how)
            return server.request(method, "/in?a=1", pairs, body, host="orders.example")
        yield call
        wrong = server.backend.log.settle()
        assert not wrong, wrong

    def test_passes(self, server, far):
        for cover in (None, COVER + ("@target-uri", "@scheme", "content-type")):
            assert Shown(far("GET", cover=cover)).env["ISIGN_RESULT"] == "verified"
        assert Shown(far("POST", BODY)).body == BODY

    def test_other_names(self, server, far):
        for how in ({"authority": f"127.0.0.1:{server.backend.port}"}, {"authority": "orders.example:8443"},
                    {"scheme": "http", "cover": COVER + ("@scheme", "content-type")}):
            answer = far("GET", **how)
            assert answer.status == 401 and answer.problem["code"] == "invalid_signature"
        server.backend.log.expect("isign: refused reason=sig_mismatch")

    def test_default_port(self, server, far):
        assert far("GET", authority="orders.example").status == 200


class TestBodies:
    site = Site(participants=PEOPLE, php_fcgi=True,
                config="ISignSpoolTotal 1M\n" + opened("in", "ISign require", "Require signed", "ISignBody spool 16K 4M")
                + opened("stream", "ISign require", "Require signed", "ISignBody stream")
                + '<Location "/php">\nISign require\nRequire signed\nISignBody stream\n</Location>\n')

    def test_continue_only_after_the_signature(self, server, signer):
        expect = {"Expect": "100-continue", "Content-Length": "13"}
        pairs = signer.headers("POST", "/in", {**JSON, **expect}, BODY)
        with server.connect() as connection:
            connection.send(server.message("POST", "/in", pairs))
            assert connection.interim()[0] == 100
            connection.send(BODY)
            assert Shown(connection.answer()).body == BODY
        with server.connect() as connection:
            connection.send(server.message("POST", "/in", pairs))
            answer = connection.answer()
        turned_away(server, answer, 401, "signature_replayed", "sig_nonce_replayed")
        assert answer.interim == []

    @pytest.mark.parametrize("path", ["/in", "/stream"])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_broken_off(self, server, signer, path, chunked):
        pairs = signer.headers("POST", path, JSON, BODY)
        whole = server.message("POST", path, pairs, BODY, chunked=chunked)
        before = server.journal()
        server.log.allow("isign: (refused|broken off)|AH0")
        with server.connect() as connection:
            connection.send(whole[:-8])
            connection.half_close()
            try:
                assert connection.answer().status >= 400
            except EOFError:
                pass
        if path == "/in":
            server.log.wait("reason=body_broken")
            assert server.journal() == before

    @pytest.mark.parametrize("size", [1, 13, 8000, 700000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_stream(self, server, signer, size, chunked):
        body = os.urandom(size)
        for path in ("/stream",) if chunked else ("/stream", "/php/index.php"):  # FastCGI wants a length
            shown = Shown(signer.post(path, body, chunked=chunked))
            assert shown.body == body and shown.env["ISIGN_RESULT"] == "pending"

    @pytest.mark.parametrize("size", [1, 13, 8000, 700000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_stream_changed(self, server, signer, size, chunked):
        """The app may have begun; it never has the whole."""
        body = os.urandom(size)
        pairs = signer.headers("POST", "/stream", JSON, body)
        answer = server.post("/stream", body[:-1] + bytes([body[-1] ^ 1]), pairs, chunked=chunked)
        assert answer.status != 200, repr(answer)
        server.log.expect("isign: broken off reason=digest_mismatch .*the app had begun")
        server.log.allow("AH0")

    def test_stream_changed_is_never_whole(self, server, signer):
        """Whoever reads Content-Length bytes misses the last."""
        body = os.urandom(50000)
        pairs = signer.headers("POST", "/php/index.php", JSON, body)
        server.log.allow("isign: broken off|AH0|AH1|proxy")
        answer = server.post("/php/index.php", b"!" + body[1:], pairs)
        assert answer.status != 200 or len(Shown(answer).body) < 50000

    def once_free(self, server, call):
        """A body is given back with its request, soon after the answer."""
        server.log.allow("isign: refused reason=spool_full")
        deadline = time.monotonic() + 5
        while (answer := call()).status == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer

    def test_total(self, server, signer):
        """Bodies of all together; what is given back can be taken again."""
        big = os.urandom(700000)
        pairs = signer.headers("POST", "/in", JSON, big)
        with server.connect() as holder:
            holder.send(server.message("POST", "/in", pairs, big)[:-1])
            time.sleep(0.5)
            answer = signer.post("/in", big, JSON)
            turned_away(server, answer, 503, "unavailable", "spool_full", level="error")
            small = os.urandom(1000)
            assert Shown(signer.post("/in", small)).body == small
            holder.send(big[-1:])
            assert Shown(holder.answer()).body == big
        for _ in range(3):
            assert Shown(self.once_free(server, lambda: signer.post("/in", big))).body == big

    def test_total_is_given_back_by_the_killed(self, server, signer):
        big = os.urandom(700000)
        for _ in range(2):
            with server.connect() as holder:
                pairs = signer.headers("POST", "/in", JSON, big)
                holder.send(server.message("POST", "/in", pairs, big)[:-1])
                deadline = time.monotonic() + 5
                while not (holders := with_bodies(server)) and time.monotonic() < deadline:
                    time.sleep(0.02)
                assert len(holders) == 1
                server.log.allow("AH00052|AH0|isign: refused reason=(spool_full|body_broken)")
                server.kill(holders[0])
            assert Shown(self.once_free(server, lambda: signer.post("/in", big))).body == big

    def test_above_max(self, server, signer):
        server.log.allow("AH0")
        turned_away(server, signer.post("/in", b"x" * (5 << 20)), 413, "body_too_large", "body_too_large")


class TestSpoolFault:
    site = Site(participants=PEOPLE, config=opened("in", "ISign require", "Require signed", "ISignBody spool 0 4M"))

    def test_no_temporary_file(self, make_server):
        """A body that cannot be kept is refused, not passed on unchecked."""
        server = make_server(self.site, start=False)
        place = server.root / "tmp"
        place.mkdir()
        place.chmod(0o777)
        server.environ = lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(place)}
        server.start()
        signer = Signer(server, ED, UID + "#ed25519")
        stamp = signer.stamp()
        assert together([lambda: signer.post("/in", BODY, created=stamp).status] * 16) == [200] * 16
        place.rmdir()
        before = len(server.journal())
        answers = [signer.post("/in", BODY) for _ in range(16)]
        failed = [answer for answer in answers if answer.status == 503]
        assert failed and all(answer.status in (200, 503) for answer in answers)
        assert len(server.journal()) == before + 16 - len(failed)
        turned_away(server, failed[0], 503, "unavailable", "fault_spool", level="error")


def with_bodies(server):
    """Children that hold a body in a file without a name."""
    found = set()
    for pid in server.children():
        try:
            for entry in os.scandir(f"/proc/{pid}/fd"):
                if "interauth-body-" in os.readlink(entry.path):
                    found.add(pid)
        except FileNotFoundError:
            continue
    return sorted(found)


def resident(server):
    """KiB of the largest child, shared pages aside."""
    sizes = [0]
    for pid in server.children():
        try:
            text = open(f"/proc/{pid}/smaps_rollup").read()
        except OSError:
            continue
        sizes.append(sum(int(size) for size in re.findall(r"^Private_\w+: +(\d+) kB", text, re.MULTILINE)))
    return max(sizes)


class TestLarge:
    """Memory does not grow with the body."""

    site = Site(participants=PEOPLE, config="ISignSpoolTotal 2G\nLimitRequestBody 0\n"
                + '<Directory "@ROOT@/sums">\nRequire all granted\n</Directory>\n'
                + "".join(f'ScriptAlias "/{name}" "@ROOT@/sums/sum"\n<Location "/{name}">\nISign require\n'
                          f"Require signed\n{body}\n</Location>\n"
                          for name, body in (("spool", "ISignBody spool 256K 2G"), ("stream", "ISignBody stream"))))

    sizes = [64] + ([1024] if os.environ.get("INTERAUTH_LONG") else [])

    @pytest.fixture(autouse=True)
    def program(self, server):
        path = server.root / "sums" / "sum"
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nsum=$(sha256sum)\n"
                        'echo "$CONTENT_LENGTH $sum"\n')
        path.chmod(0o755)

    @pytest.mark.parametrize("path", ["/spool", "/stream"])
    @pytest.mark.parametrize("mebibytes", sizes)
    def test_memory(self, server, signer, path, mebibytes):
        import hashlib
        piece = os.urandom(1 << 20)
        sums = hashlib.sha256()
        for _ in range(mebibytes):
            sums.update(piece)
        field = f"sha-256=:{base64.b64encode(sums.digest()).decode()}:"
        length = mebibytes << 20
        assert signer.post(path, b"x").status == 200
        before, most = resident(server), 0
        pairs = signer.headers("POST", path, {"Content-Digest": field, "Content-Length": str(length)})
        with server.connect(timeout=120) as connection:
            connection.send(server.message("POST", path, pairs))
            for number in range(mebibytes):
                connection.send(piece)
                if number % 16 == 15:
                    most = max(most, resident(server))
            answer = connection.answer()
        most = max(most, resident(server))
        assert answer.status == 200 and answer.text.split()[:2] == [str(length), sums.hexdigest()]
        assert most - before < 8 << 10, f"{most - before} KiB more"


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
            # Behind the signed fields a flip lets the signature verify, which uses its nonce up.
            one = whole if at < unsigned or unsigned < 0 else made()
            one = one[:at] + bytes([one[at] ^ mask]) + one[at + 1:]
            if tried % 100 == 0 and connection:
                connection.close()
                connection = None
            answer = None
            for _ in range(2):  # the server may have ended the connection after the refusal before
                connection = connection or server.connect(source=f"127.0.0.{30 + mask // 2 + tried // 100}")
                try:
                    connection.sock.settimeout(0.25)
                    connection.send(one)
                    answer = self.read(connection)
                    break
                except EOFError:
                    connection.close()
                    connection = None
            assert answer is None or answer.status >= 400, (at, one[max(0, at - 30):at + 30], answer)
            tried += 1
            if connection and (answer is None or answer.header("Connection") == "close"):
                connection.close()
                connection = None
        if connection:
            connection.close()
        assert tried > 280 and server.journal() == before
        assert Shown(server_exchange(server, whole)).env["ISIGN_RESULT"] == "verified", "the one that was not changed"

    def read(self, connection):
        """The answer; a message whose end was changed waits for more, until it gets no more."""
        try:
            return connection.answer()
        except TimeoutError:
            connection.half_close()
            connection.sock.settimeout(15)
            try:
                return connection.answer()
            except EOFError:
                return None


def server_exchange(server, data):
    with server.connect() as connection:
        connection.send(data)
        return connection.answer()


def has_http2():
    found = shutil.which("curl") and subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
    return bool(found) and "HTTP2" in found and (stock_dir() / "mod_http2.so").exists()


@pytest.mark.skipif(not has_http2(), reason="mod_http2 or a curl that speaks it is missing")
class TestHttp2:
    site = Site(participants=PEOPLE, modules=("http2",), config="Protocols h2c http/1.1\n" + opened("in"))

    def curl(self, server, pairs, body=None, method="GET", chunked=False):
        command = ["curl", "-sS", "--http2-prior-knowledge", "-o", "-", "-w", "\n%{http_version} %{http_code}", "-X", method]
        for name, value in pairs:
            command += ["-H", f"{name}: {value}"]
        if body is not None:
            command += ["--data-binary", "@-", "-H", "Content-Type: application/json"]
            command += ["-H", "Transfer-Encoding: chunked"] if chunked else []
        done = subprocess.run(command + [f"http://127.0.0.1:{server.port}/in"], input=body, capture_output=True,
                              timeout=20)
        text, _, said = done.stdout.rpartition(b"\n")
        version, status = said.decode().split()
        assert version == "2" or done.returncode == 92, done.stderr  # mod_http2 may reset a stream that it has answered
        return int(status), text

    def test_get(self, server, signer):
        pairs = signer.headers("GET", "/in")
        status, text = self.curl(server, pairs)
        assert status == 200 and b"ISIGN_RESULT=verified" in text and b"SERVER_PROTOCOL=HTTP/2.0" in text
        assert self.curl(server, pairs)[0] == 401
        server.log.expect("isign: refused reason=sig_nonce_replayed")

    @pytest.mark.parametrize("chunked", [False, True])
    def test_post(self, server, signer, chunked):
        """A body without a length is a body too."""
        method, headers = "POST", [("Content-Type", "application/json")]
        pairs = signer.headers(method, "/in", headers, BODY)
        status, text = self.curl(server, [one for one in pairs if one[0] != "Content-Type"], BODY, method, chunked)
        assert status == 200 and text.endswith(BODY) and b"ISIGN_DIGEST=sha-256" in text
        fields = signer.fields(method, "/in", headers, cover=COVER)
        before = server.journal()
        assert self.curl(server, fields, BODY, method, chunked)[0] in (0, 401)
        pairs = signer.headers(method, "/in", headers, BODY)
        changed = BODY[:-1] + b"!"
        assert self.curl(server, [one for one in pairs if one[0] != "Content-Type"], changed, method, chunked)[0] in (0, 400)
        server.log.expect("isign: refused reason=sig_(digest_uncovered|component_missing)")
        server.log.expect("isign: refused reason=digest_mismatch")
        assert server.journal() == before
