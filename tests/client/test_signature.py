"""sign, verify and explain: verify accepts what sign makes, and nothing else."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import time

import pytest

from signed import ALGORITHMS, BODY, Signer, refusal

HERE = os.path.dirname(os.path.abspath(__file__))
JSON_TYPE = ["-H", "Content-Type: application/json"]


@pytest.fixture(params=sorted(ALGORITHMS))
def any_signer(request, interauth):
    return Signer(interauth, request.param)


@pytest.fixture
def signer(interauth):
    return Signer(interauth, "ed25519")


def edit(path, old, new, count=1):
    data = path.read_bytes()
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new.encode(), count))
    return path


def seconds(text):
    """The seconds of a time as every verb prints it: RFC 3339 in UTC."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()


class TestRoundTrip:
    def test_with_every_algorithm(self, any_signer):
        path = any_signer.save("-d", BODY, *JSON_TYPE)
        result = any_signer.verify(path, "--json")
        assert (result.returncode, result.stderr) == (0, "")
        output = json.loads(result.stdout)
        assert output["verified"] is True and output["algorithm"] == ALGORITHMS[any_signer.kind]
        assert output["keyid"] == any_signer.keyid and output["label"] == "sig1"
        assert output["covered"] == ['"%s"' % name for name in (
            "@method", "@authority", "@path", "@query", "content-digest", "content-type")]
        assert abs(seconds(output["created"]) - time.time()) < 60
        assert len(base64.urlsafe_b64decode(output["nonce"] + "==")) == 16

    @pytest.mark.parametrize("old, new, tag", [
        ("POST", "PUT", "sig_mismatch"),
        ("/cgi-bin/orders", "/cgi-bin/order", "sig_mismatch"),
        ("item=1", "item=2", "sig_mismatch"),
        ("Host: orders.example", "Host: orders.example:8443", "sig_mismatch"),
        ("X-Role: reader", "X-Role: writer", "sig_mismatch"),
        ("X-Role: reader\r\n", "", "sig_field_missing"),
        (BODY, "amount=13", "digest_mismatch"),
        ("Signature: sig1=:", "Signature: sig1=:AAAA", "sig_length"),
        ("Signature: sig1=", "Signature: sig2=", "sig_label_unpaired"),
        ('"@path" ', "", "sig_mismatch"),
        ("created=1", "created=2", "sig_mismatch"),
        (";nonce=", ";nonc=", "sig_mismatch"),
    ])
    def test_every_change_is_detected(self, any_signer, old, new, tag):
        cover = ["@method", "@authority", "@path", "@query", "content-digest", "content-type", "x-role"]
        path = any_signer.save("-d", BODY, *JSON_TYPE, "-H", "X-Role: reader",
                               *(option for name in cover for option in ("--cover", name)))
        assert any_signer.verify(path).returncode == 0
        assert refusal(any_signer.verify(edit(path, old, new))) == tag

    def test_a_changed_signature(self, any_signer):
        path = any_signer.save()
        text = path.read_bytes().decode()
        value = re.search(r"Signature: sig1=:([^:]*):", text).group(1)
        raw = bytearray(base64.b64decode(value))
        raw[10] ^= 1
        path.write_bytes(text.replace(value, base64.b64encode(raw).decode()).encode())
        assert refusal(any_signer.verify(path)) in ("sig_mismatch", "sig_scalar")

    def test_another_key(self, any_signer, interauth):
        path = any_signer.save()
        other = Signer(interauth, any_signer.kind, fresh=True)
        assert refusal(other.verify(path)) == "sig_mismatch"

    def test_pss_is_not_v1_5(self, interauth):
        signer = Signer(interauth, "rsa")
        path = signer.save("--algorithm", "rsa-v1_5-sha256")
        assert refusal(signer.verify(path)) == "sig_mismatch"
        assert signer.verify(path, "--algorithm", "rsa-v1_5-sha256").returncode == 0

    @pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "rsa"])
    def test_pem_and_certificate(self, interauth, kind):
        home = interauth.home
        assert interauth("keygen", "--type", kind, "--format", "pem", home / "k.pem").returncode == 0
        run = lambda *command: subprocess.run(["openssl", *command], cwd=home, check=True, capture_output=True)
        run("pkey", "-in", "k.pem", "-pubout", "-out", "k.pub")
        run("req", "-new", "-x509", "-key", "k.pem", "-subj", "/CN=t", "-out", "k.crt")
        assert interauth("sign", "--key", home / "k.pem", "--save", home / "r", "https://a.example/").returncode == 0
        for public in ("k.pub", "k.crt"):
            assert interauth("verify", "--key", home / public, home / "r").returncode == 0

    @pytest.mark.parametrize("url, method, lines", [
        ("http://A.example", "GET", ["GET / HTTP/1.1", "Host: a.example"]),
        ("https://a.example:8443/x/../y?", "GET", ["Host: a.example:8443"]),
        ("https://[::1]:99/%7euser", "DELETE", ["DELETE /%7euser HTTP/1.1", "Host: [::1]:99"]),
    ])
    def test_urls(self, signer, url, method, lines):
        path = signer.save("--method", method, url=url)
        text = path.read_bytes().decode()
        assert all(line + "\r\n" in text for line in lines)
        assert signer.verify(path).returncode == 0

    def test_fields_that_are_added_on_sending(self, signer):
        path = signer.save("-d", BODY, "--cover", "host", "--cover", "content-length")
        text = path.read_bytes().decode()
        assert text.count("Host: ") == 1 and text.count(f"Content-Length: {len(BODY)}\r\n") == 1
        result = signer.verify(path, "--require", "host", "--require", "content-length", "--json")
        assert json.loads(result.stdout)["covered"] == ['"host"', '"content-length"'], result.stderr

    def test_components_with_parameters(self, signer):
        cover = ['"@query-param";name="note"', '"x-list";bs', '"priority";sf', '"priority";key="u"', "@scheme",
                 "@target-uri", "@request-target", "@method"]
        path = signer.save("-H", "X-List: a", "-H", "X-List: b", "-H", "Priority:  u=1,  i",
                           *(option for name in cover for option in ("--cover", name)))
        result = signer.verify(path, "--require", "@target-uri", "--json")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["covered"][:3] == cover[:3]
        assert refusal(signer.verify(path, "--require", "@target-uri", "--scheme", "http")) == "sig_mismatch"

    def test_an_existing_signature_stays(self, interauth, signer):
        other = Signer(interauth, "p256", "http://other.example")
        first = json.loads(signer.sign("--json").stdout)["fields"]
        given = [option for name, value in first.items() for option in ("-H", "%s: %s" % (name, value))]
        path = other.save("--label", "two", "--tag", "gate", *given)
        assert other.verify(path, "--label", "two").returncode == 0
        assert other.verify(path, "--tag", "gate").returncode == 0
        assert signer.verify(path, "--label", "sig1").returncode == 0
        assert refusal(signer.verify(path)) == "sig_ambiguous"
        assert refusal(signer.verify(path, "--label", "three")) == "sig_label_absent"
        assert refusal(signer.verify(path, "--tag", "other")) == "sig_tag_absent"
        assert "sig_label_repeated" in other.sign("--label", "sig1", *given, expect=2).stderr


class TestSign:
    def test_prints_the_fields_to_add(self, signer):
        result = signer.sign("-d", BODY)
        names = [line.split(": ")[0] for line in result.stdout.splitlines()]
        assert names == ["Content-Type", "Content-Digest", "Signature-Input", "Signature"]
        digest = base64.b64encode(hashlib.sha256(BODY.encode()).digest()).decode()
        assert "Content-Digest: sha-256=:%s:\n" % digest in result.stdout
        assert [line.split(": ")[0] for line in signer.sign().stdout.splitlines()] == ["Signature-Input", "Signature"]

    def test_json_has_the_base(self, signer):
        output = json.loads(signer.sign("--json", "--tag", "t", "--expires", "60").stdout)
        lines = output["base"].split("\n")
        assert lines[:4] == ['"@method": GET', '"@authority": orders.example', '"@path": /cgi-bin/orders',
                             '"@query": ?item=1&note=a%20b']
        assert lines[4] == '"@signature-params": ' + output["fields"]["Signature-Input"][len("sig1="):]
        assert seconds(output["expires"]) == seconds(output["created"]) + 60 and output["tag"] == "t"

    def test_authorization_is_covered(self, signer):
        path = signer.save("-H", "Authorization: Bearer x")
        assert '"authorization"' in json.loads(signer.verify(path, "--json").stdout)["covered"]
        assert refusal(signer.verify(edit(path, "Bearer x", "Bearer y"))) == "sig_mismatch"

    def test_a_body_from_a_file_and_from_standard_input(self, interauth, signer):
        body = os.urandom(200000)
        (interauth.home / "body").write_bytes(body)
        path = signer.save("-d", "@" + str(interauth.home / "body"), "--digest", "sha-512")
        assert path.read_bytes().endswith(b"\r\n\r\n" + body) and b"sha-512=:" in path.read_bytes()
        assert signer.verify(path).returncode == 0
        path.unlink()
        result = interauth("sign", *signer.give, "--save", path, "-d", "@-", "https://a.example/", data=body)
        assert result.returncode == 0 and signer.verify(path).returncode == 0

    def test_a_saved_request_is_private_and_not_overwritten(self, signer):
        path = signer.save()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = path.read_bytes()
        assert "already exists" in signer.sign("--save", path, expect=1).stderr
        assert path.read_bytes() == before

    def test_a_public_key_that_everyone_can_read(self, interauth):
        public = interauth.home / "k.pub"
        public.write_text(interauth("keygen", "k.jwk").stdout)
        public.chmod(0o644)
        result = interauth("sign", "--key", public, "https://orders.example/")
        assert result.returncode == 1 and "key_public" in result.stderr and "chmod" not in result.stderr

    @pytest.mark.parametrize("kind", ["ed25519", "hmac"])
    @pytest.mark.parametrize("mode, status, message", [(0o604, 1, "everyone can read"), (0o602, 1, "everyone can write"),
                                                    (0o640, 0, "warning: "), (0o600, 0, None)])
    def test_permissions_of_the_key(self, interauth, kind, mode, status, message):
        signer = Signer(interauth, kind)
        signer.private.chmod(mode)
        result = signer.sign(expect=status)
        assert message in result.stderr if message else result.stderr == ""
        assert (result.stdout == "") == (status != 0)

    def test_the_keyid(self, interauth, signer):
        keyid = lambda *options: json.loads(interauth("sign", "--json", *signer.give, *options,
                                                      "https://a.example/").stdout)["keyid"]
        thumbprint = base64.urlsafe_b64encode(hashlib.sha256(json.dumps(
            {name: signer.jwk[name] for name in ("crv", "kty", "x")}, separators=(",", ":")).encode()).digest())
        assert keyid() == thumbprint.rstrip(b"=").decode()
        assert keyid("--uid", "a") == "a#k1"
        assert keyid("--uid", "a", "--keyid", "mine") == "mine"

    def test_each_nonce_is_new(self, signer):
        nonces = {json.loads(signer.sign("--json").stdout)["nonce"] for _ in range(4)}
        assert len(nonces) == 4
        assert "nonce" not in json.loads(signer.sign("--json", "--no-nonce").stdout)

    @pytest.mark.parametrize("text, tag", [
        ("no key", "key_malformed"), ("[]", "key_malformed"), ("{}", "key_public"), ('{"kty":"OKP","crv":"Ed25519","x":"AA"}', "key_public"),
        ('{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}', "key_type_unknown"),
    ])
    def test_a_malformed_key(self, interauth, text, tag):
        path = interauth.home / "key"
        path.touch(mode=0o600)
        path.write_text(text)
        assert refusal(interauth("sign", "--key", path, "https://a.example/")) == tag

    def test_key_parts_that_do_not_match(self, interauth, signer):
        other = Signer(interauth, "ed25519", fresh=True)
        mixed = {**json.loads(other.private.read_text()), "x": signer.jwk["x"]}
        other.private.write_text(json.dumps(mixed))
        assert refusal(other.sign(expect=1)) == "key_pair"

    @pytest.mark.parametrize("more, message", [
        (["--cover", "X-Foo"], "sig_component_case"), (["--cover", "x-foo"], "x-foo cannot be covered"),
        (["--cover", "@status"], "sig_status_misused"), (["--cover", "@signature-params"], "sig_component_self"),
        (["--cover", '"@path'], "sig_malformed"), (["--cover", "@method", "--cover", "@method"], "sig_component_repeated"),
        (["--label", "Big"], "--label"), (["--tag", "\u00e9"], "printable"), (["--uid", "a b"], "--uid"),
        (["-H", "Content-Length: 3"], "set by interauth"), (["--method", "a b"], "--method"), (["--expires", "0"], "from 1"),
    ])
    def test_what_cannot_be_signed_is_reported(self, interauth, signer, more, message):
        result = interauth("sign", *signer.give, *more, "https://a.example/")
        assert result.returncode == 2 and result.stdout == "", result.stderr
        assert message in result.stderr

    def test_one_key_is_required(self, interauth, signer):
        for options in ([], [*signer.give, "--secret-file", signer.private]):
            assert interauth("sign", *options, "https://a.example/").returncode == 2
        hmac = Signer(interauth, "hmac")
        assert "requires --uid or --keyid" in interauth("sign", *hmac.give, "https://a.example/").stderr


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class TestVerify:
    def test_time(self, signer):
        path = signer.save("--expires", "100")
        verdict = lambda *options: refusal(signer.verify(path, *options))
        assert verdict("--now", stamp(102)) == "sig_expired"
        assert verdict("--now", stamp(400)) == "sig_created_old"
        assert verdict("--now", stamp(-40)) == "sig_created_future"
        assert verdict("--now", stamp(60), "--max-age", "10") == "sig_created_old"
        assert signer.verify(path, "--now", stamp(90)).returncode == 0
        assert signer.verify(path, "--now", stamp(-40), "--skew", "60").returncode == 0
        unbounded = signer.save()
        assert signer.verify(unbounded, "--now", stamp(5000), "--max-age", "6000").returncode == 0

    def test_required_components(self, signer):
        path = signer.save("--cover", "@method", "--cover", "@path")
        result = signer.verify(path)
        assert refusal(result) == "sig_component_missing" and "(@authority)" in result.stderr
        assert signer.verify(path, "--require", "@path").returncode == 0
        assert refusal(signer.verify(path, "--require", "x-foo")) == "sig_component_missing"
        path = signer.save("-d", BODY, "--cover", "@method")
        assert refusal(signer.verify(path, "--require", "@method")) == "sig_digest_uncovered"

    def test_without_a_keyid(self, interauth):
        """With a given key, no keyid is needed. In a participants file, the key cannot be found without one."""
        signer = Signer(interauth, "hmac")
        base = json.loads(signer.sign("--json").stdout)["base"]
        text = signer.private.read_text().strip()
        secret = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        keyid = re.search(r';keyid="[^"]*"', base).group(0)
        base = base.replace(keyid, "")
        made = base64.b64encode(hmac.new(secret, base.encode(), "sha256").digest()).decode()
        path = interauth.home / "keyless"
        path.write_text("GET /cgi-bin/orders?item=1&note=a%%20b HTTP/1.1\r\nHost: orders.example\r\n"
                        "Signature-Input: sig1=%s\r\nSignature: sig1=:%s:\r\n\r\n" %
                        (base.rpartition('"@signature-params": ')[2], made))
        result = signer.verify(path)
        assert result.returncode == 0 and "keyid" not in result.stdout, result
        text = made.replace(made[:4], "AAAA")
        path.write_text(path.read_text().replace(made, text))
        assert refusal(signer.verify(path)) == "sig_mismatch"
        people = interauth.home / "people.json"
        people.write_text(json.dumps({"participants": [{"id": signer.uid}]}))
        assert refusal(interauth("verify", "--participants", people, path)) == "sig_keyid_missing"

    def test_a_nonce_is_required(self, signer):
        path = signer.save("--no-nonce")
        assert refusal(signer.verify(path)) == "sig_nonce_missing"
        assert signer.verify(path, "--no-nonce").returncode == 0

    def test_without_a_signature(self, signer):
        path = signer.save()
        text = re.sub(r"Signature[^\n]*\n", "", path.read_bytes().decode())
        path.write_bytes(text.encode())
        assert refusal(signer.verify(path)) == "sig_missing"

    def test_digests(self, signer):
        path = signer.save("-d", BODY, "-H", "Content-Digest: md5=:AAAAAAAAAAAAAAAAAAAAAA==:")
        assert refusal(signer.verify(path)) == "digest_deprecated"
        path = signer.save("-d", BODY, "-H", "Content-Digest: sha-256=:AAAA:")
        assert refusal(signer.verify(path)) == "digest_malformed"

    def test_an_alg_that_does_not_match_the_key(self, signer):
        path = signer.save()
        assert refusal(signer.verify(edit(path, ";keyid=", ';alg="hmac-sha256";keyid='))) == "sig_alg_mismatch"

    @pytest.mark.parametrize("old, new, message", [
        ("HTTP/1.1", "HTTP/2", "line 1"), ("POST /", "POST  /", "line 1"), ("Host:", "Host :", "line 2"),
        ("Host: orders.example\r\n", "", "Host"), ("Content-Length: 9", "Content-Length: 8", "Content-Length"),
        ("Content-Length: 9\r\n", "", "Content-Length"), ("Content-Length: 9", "Transfer-Encoding: chunked", "Transfer"),
        ("\r\nContent-Type", "\r\n Content-Type", "line 3"), ("Content-Length: 9", "Content-Length: 9\r\nContent-Length: 9", "Content-Length"),
        ("\r\n\r\n" + BODY, "\r\n", "empty line"), ("Host: o", "Host: \0o", "empty line"),
    ])
    def test_malformed_requests(self, signer, old, new, message):
        path = edit(signer.save("-d", BODY), old, new)
        result = signer.verify(path)
        assert result.returncode == 1 and result.stdout == "" and message in result.stderr, result.stderr

    def test_lines_that_end_in_lf_and_a_target_with_its_host(self, signer):
        path = signer.save("-d", BODY)
        text = path.read_bytes()
        path.write_bytes(text.replace(b"\r\n", b"\n"))
        assert signer.verify(path).returncode == 0
        path.write_bytes(text.replace(b"POST /", b"POST https://orders.example/").replace(
            b"Host: orders.example", b"Host: ignored.example"))
        assert signer.verify(path).returncode == 0

    @pytest.mark.parametrize("name", ["empty", "binary", "directory", "missing"])
    def test_a_file_that_is_no_request(self, interauth, signer, name):
        path = interauth.home / name
        if name == "directory":
            path.mkdir()
        elif name != "missing":
            path.write_bytes(b"" if name == "empty" else os.urandom(5000))
        assert signer.verify(path).returncode == (3 if name in ("directory", "missing") else 1)

    def test_a_private_key_is_not_a_public_key(self, signer):
        path = signer.save()
        signer.check = ["--key", signer.private]
        assert refusal(signer.verify(path)) == "key_private"

    def test_json_after_a_refusal(self, signer):
        path = edit(signer.save("-d", BODY), BODY, "amount=99")
        result = signer.verify(path, "--json")
        output = json.loads(result.stdout)
        assert result.returncode == 1 and "digest_mismatch" in result.stderr
        assert output["verified"] is False and output["error"]["code"] == "digest_mismatch" and "algorithm" not in output

    def test_one_source_of_keys(self, interauth, signer):
        path = signer.save()
        for options in ([], [*signer.check, "--participants", "x"]):
            assert interauth("verify", *options, path).returncode == 2
        assert signer.verify(path, "--now", "yesterday").returncode == 2


class TestParticipants:
    @pytest.fixture
    def people(self, interauth):
        """Signers by kind, and a function that writes the participants file and verifies with it."""
        signers = {kind: Signer(interauth, kind, "http://%s.example" % kind) for kind in ("ed25519", "p384", "hmac")}
        path = interauth.home / "participants.json"

        def verify(request, **changed):
            records = []
            for kind, one in signers.items():
                record = {"id": one.uid, "status": "approved", "capabilities": ["read"]}
                if one.secret:
                    record["shared_secrets"] = [{"value": "A" * 43}, {"value": one.private.read_text().strip()}]
                else:
                    record["keys"] = [{**one.jwk, **changed.pop("key", {})}]
                records.append({**record, **changed} if kind == "ed25519" else record)
            path.touch(mode=0o600)
            path.write_text(json.dumps({"participants": records}))
            return interauth("verify", "--json", "--participants", path, request)

        return signers, verify

    @pytest.mark.parametrize("kind", ["ed25519", "p384", "hmac"])
    def test_prints_the_signer(self, people, kind):
        signers, verify = people
        result = verify(signers[kind].save())
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["participant"] == signers[kind].uid

    def test_a_thumbprint_is_a_keyid(self, interauth, people):
        signers, verify = people
        path = interauth.home / "request"
        assert interauth("sign", *signers["p384"].give, "--save", path, "https://a.example/").returncode == 0
        assert json.loads(verify(path).stdout)["participant"] == signers["p384"].uid

    @pytest.mark.parametrize("keyid", ["http://ed25519.example#k2", "http://nobody.example#k1", "http://ed25519.example",
                                       "nobody", "A" * 43, "#", "http://hmac.example#k1"])
    def test_an_unknown_keyid(self, people, keyid):
        signers, verify = people
        result = verify(signers["ed25519"].save("--keyid", keyid))
        assert result.returncode == 1 and "sig_key_unknown" in result.stderr

    def test_the_key_of_another(self, interauth, people):
        signers, verify = people
        other = Signer(interauth, "ed25519", signers["ed25519"].uid, fresh=True)
        assert "sig_mismatch" in verify(other.save()).stderr
        assert "sig_length" in verify(other.save("--keyid", signers["p384"].keyid)).stderr

    @pytest.mark.parametrize("key, tag", [({"exp": 1}, "sig_key_expired"), ({"nbf": 4102444800}, "sig_key_early")])
    def test_keys_outside_their_validity(self, people, key, tag):
        signers, verify = people
        assert tag in verify(signers["ed25519"].save(), key=key).stderr

    @pytest.mark.parametrize("changed, tag", [({"status": "suspended"}, "participant_inactive"),
                                              ({"expires": "2020-01-01T00:00:00Z"}, "participant_expired")])
    def test_inactive_participants(self, people, changed, tag):
        signers, verify = people
        assert tag in verify(signers["ed25519"].save(), **changed).stderr

    def test_a_key_in_its_own_file(self, interauth, people):
        signers, verify = people
        home = interauth.home
        interauth("keygen", "--format", "pem", "--kid", "f1", home / "f1.pem")
        subprocess.run(["openssl", "pkey", "-in", "f1.pem", "-pubout", "-out", "f1.pub"], cwd=home, check=True)
        keys = {"keys": [{"kid": "f1", "file": "f1.pub"}]}
        path = home / "request"
        interauth("sign", "--key", home / "f1.pem", "--keyid", "http://ed25519.example#f1", "--save", path, "https://a.example/")
        assert verify(path, **keys).returncode == 0
        (home / "f1.pub").write_text("no key")
        result = verify(path, **keys)
        assert result.returncode == 1 and "key_malformed" in result.stderr
        (home / "f1.pub").unlink()
        assert verify(path, **keys).returncode == 3


class TestExplain:
    @pytest.fixture
    def pair(self, interauth, signer):
        """A saved request, and the file of what was signed."""
        fields = signer.sign("--json", "-d", BODY)
        output = json.loads(fields.stdout)
        path = interauth.home / "arrived"
        head = "".join("%s: %s\r\n" % field for field in output["fields"].items())
        path.write_bytes(("POST /cgi-bin/orders?item=1&note=a%%20b HTTP/1.1\r\nHost: orders.example\r\n%sContent-Length: %d"
                          "\r\n\r\n%s" % (head, len(BODY), BODY)).encode())
        signed = interauth.home / "signed.json"
        signed.write_text(fields.stdout)
        return path, signed, output["base"]

    def test_a_valid_request(self, signer, pair):
        path, signed, base = pair
        result = signer.explain(path, "--base", signed)
        assert (result.returncode, result.stderr) == (0, "")
        assert "outcome: ok\n" in result.stdout and "both sides have the same base\n" in result.stdout
        output = json.loads(signer.explain(path, "--base", signed, "--json").stdout)
        assert output["base"] == base and output["compared"] == "same" and "difference" not in output

    def test_a_request_that_was_changed(self, signer, pair):
        path, signed, _ = pair
        edit(path, "Host: orders.example", "Host: inner.example:8080")
        result = signer.explain(path, "--base", signed)
        assert result.returncode == 1 and result.stderr == ""
        for line in ("first difference: line 2, byte 15", '  here:  "@authority": inner.example:8080',
                     '  there: "@authority": orders.example', "outcome: sig_mismatch"):
            assert line + "\n" in result.stdout
        mark = next(line for line in result.stdout.splitlines() if line.strip() == "^")
        assert mark.index("^") == len("  here:  ") + 14
        assert "valid for the base of the other side" in result.stdout and "Host" in result.stdout
        output = json.loads(signer.explain(path, "--base", signed, "--json").stdout)
        assert output["compared"] == "request"
        assert (output["difference"]["line"], output["difference"]["byte"]) == (2, 15)

    def test_another_key(self, interauth, signer, pair):
        path, signed, _ = pair
        other = Signer(interauth, "ed25519", fresh=True)
        output = json.loads(other.explain(path, "--base", signed, "--json").stdout)
        assert output["compared"] == "key" and output["error"]["code"] == "sig_mismatch"

    def test_a_base_that_the_other_side_builds_incorrectly(self, interauth, signer, pair):
        path, _, base = pair
        claimed = interauth.home / "claimed"
        claimed.write_bytes(base.replace('"@path": /cgi-bin/orders', '"@path": /cgi-bin/orders\t\x1b[31m\u00e9').encode())
        result = signer.explain(path, "--base", claimed)
        assert result.returncode == 0 and "the other side builds the base incorrectly" in result.stdout
        assert '  there: "@path": /cgi-bin/orders\\t\\x1b[31m\\xc3\\xa9\n' in result.stdout
        assert "\x1b" not in result.stdout

    @pytest.mark.parametrize("change, line", [(lambda base: base + "\n", None), (lambda base: base + "\r\n", None),
                                              (lambda base: base + "\n\n", 7), (lambda base: base[:-1], 7),
                                              (lambda base: base.replace("\n", "\r\n"), 1), (lambda base: "", 1)])
    def test_ends(self, interauth, signer, pair, change, line):
        path, _, base = pair
        claimed = interauth.home / "claimed"
        claimed.write_bytes(change(base).encode())
        output = json.loads(signer.explain(path, "--base", claimed, "--json").stdout)
        assert output.get("difference", {}).get("line") == line

    def test_neither(self, signer, pair):
        path, signed, base = pair
        signed.write_text(base.replace("POST", "PUT"))
        edit(path, "POST", "PATCH")
        output = json.loads(signer.explain(path, "--base", signed, "--json").stdout)
        assert output["compared"] == "unsigned" and output["difference"]["line"] == 1

    def test_a_missing_component_is_named(self, signer):
        path = signer.save("--cover", "x-a", "--cover", "x-b", "-H", "X-A: 1", "-H", "X-B: 1")
        result = signer.explain(edit(path, "X-B: 1\r\n", ""))
        assert result.returncode == 1
        assert 'outcome: sig_field_missing\n' in result.stdout and '("x-b")' in result.stdout
        assert "to do: send the field, and look for a proxy that removes it\n" in result.stdout

    def test_files_without_a_base(self, interauth, signer, pair):
        claimed = interauth.home / "claimed"
        for text in ("{", "{}", '{"base": 1}'):
            claimed.write_text(text)
            assert signer.explain(pair[0], "--base", claimed).returncode == 1
        assert signer.explain(pair[0], "--base", interauth.home / "missing").returncode == 3

    def test_a_line_of_the_log_is_explained_by_its_reason(self, interauth):
        line = "[sauth:warn] [client 127.0.0.1:1] sauth: refused reason=mac_mismatch location=/orders"
        asked = interauth("explain", "mac_mismatch")
        assert asked.returncode == 0 and asked.stdout.startswith("outcome: mac_mismatch\n")
        for text in (line, "reason=mac_mismatch", '{"message":"sauth: refused reason=mac_mismatch"}'):
            assert interauth("explain", text).stdout == asked.stdout

    def test_every_tag_is_explained_as_in_the_guide(self, interauth):
        with open(os.path.join(HERE, "../../docs/guides/troubleshooting.md")) as guide:
            rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", guide.read(), re.M)
        with open(os.path.join(HERE, "../../include/interauth/result.h")) as header:
            tags = re.findall(r'X\((?:IA_\w+), +-?\d+, "(\w+)", "(\w+)", (\d+)', header.read())
        output = {tag: (means, todo) for tag, means, todo in rows}
        assert len(tags) > 150
        for tag, code, status in tags:
            result = json.loads(interauth("explain", "--json", tag).stdout)
            assert (result["tag"], result["code"], result["status"]) == (tag, code, int(status))
            for name, cell in zip(("meaning", "todo"), output[tag]):
                cell = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", cell).replace("`", "").replace("\\|", "|")
                assert result[name] == cell

    def test_a_tag_as_text(self, interauth):
        result = interauth("explain", "mac_mismatch")
        assert (result.returncode, result.stderr) == (0, "")
        assert re.fullmatch(r"outcome: mac_mismatch\nresponse: 401 invalid_credentials \(.+\)\nmeaning: .+\nto do: .+\n",
                            result.stdout)
        result = interauth("explain", "mac_mismach")
        assert result.returncode == 1 and "did you mean mac_mismatch?" in result.stderr

    def test_a_file_named_like_a_tag(self, interauth, signer, pair):
        (interauth.home / "mac_mismatch").write_text("nonsense")
        assert interauth("explain", "--key", pair[0], "mac_mismatch").stderr != ""
