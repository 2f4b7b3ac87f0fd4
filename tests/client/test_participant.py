"""participant and check with files."""
import base64
import json
import os
import pathlib
import re
import time

import pytest

KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"  # of RFC 8037, appendix A


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def record(uid, **members):
    whole = {"id": uid, "status": "approved", "capabilities": ["read"], "shared_secret": b64(os.urandom(32))}
    whole.update(members)
    return {name: value for name, value in whole.items() if value is not None}


@pytest.fixture
def write(interauth):
    def write_records(*records, mode=0o600, text=None):
        path = interauth.home / "participants.json"
        path.write_text(text if text is not None else json.dumps({"participants": records}, indent=1))
        path.chmod(mode)
        for one in records:
            interauth.canaries.update(secret["value"] for secret in one.get("shared_secrets", []))
            interauth.canaries.update([one["shared_secret"]] if "shared_secret" in one else [])
            interauth.canaries.update(one["challenge_secret"].values() if "challenge_secret" in one else [])
        return path

    return write_records


@pytest.fixture
def check(interauth):
    def check_for(*arguments):
        result = interauth("check", "--json", *arguments)
        output = json.loads(result.stdout)
        findings = [(one["weight"], one["code"]) for one in output["findings"]]
        assert output["errors"] == len([one for one in findings if one[0] == "error"])
        assert output["warnings"] == len([one for one in findings if one[0] == "warning"])
        return result.returncode, findings, output

    return check_for


def test_list(interauth, write):
    path = write(record("http://a.example", capabilities=["read", "update"], expires="2035-12-20T00:00:00Z"),
                 record("b", status="suspended", capabilities=None))
    result = interauth("participant", "list", "--file", path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "http://a.example\tapproved\t2035-12-20T00:00:00Z\tread,update\nb\tsuspended\tnever\n"
    output = json.loads(interauth("participant", "list", "--file", path, "--json").stdout)["participants"]
    assert output[0] == {"id": "http://a.example", "status": "approved", "roles": [], "capabilities": ["read", "update"],
                       "expires": "2035-12-20T00:00:00Z"}
    assert [one["id"] for one in output] == ["http://a.example", "b"]


def test_show_prints_no_secrets(interauth, write):
    path = write(record("a", shared_secret=None, shared_secrets=[
        {"value": b64(os.urandom(32)), "not_after": "2030-01-01T00:00:00Z"}, {"value": b64(os.urandom(32))}],
        keys=[{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": KEY}]))
    result = interauth("participant", "show", "a", "--file", path, "--json")
    output = json.loads(result.stdout)
    assert result.returncode == 0
    assert [one.get("not_after") for one in output["secrets"]] == ["2030-01-01T00:00:00Z", None]
    fingerprints = {one["fingerprint"] for one in output["secrets"]}
    assert len(fingerprints) == 2 and all(len(one) == 16 for one in fingerprints)
    assert output["keys"][0]["kid"] == "k1"
    assert json.loads(interauth("participant", "show", "a", "--file", path).stdout) == output


def test_no_challenge_secret_is_shown(interauth, write):
    secrets = {"md5": os.urandom(16).hex(), "hmac-sha256": os.urandom(32).hex()}
    path = write(record("a", challenge_secret=secrets), record("b", challenge_secret={"md5": secrets["md5"]}))
    for arguments in (["participant", "show", "a"], ["participant", "list"], ["check"]):
        for form in ([], ["--json"]):
            result = interauth(*arguments, "--file", path, *form)
            assert result.stdout and not any(one in result.stdout + result.stderr for one in secrets.values())


def test_show_prints_an_empty_list_on_one_line(interauth, write):
    path = write(record("a", name='of [ ] and \\" { }', roles=[], capabilities=[], endpoints=[]))
    result = interauth("participant", "show", "a", "--file", path)
    assert '\n  "roles": [],\n  "capabilities": [],\n' in result.stdout
    assert result.stdout.endswith("\n}\n") and not result.stdout.endswith("\n\n")
    output = json.loads(result.stdout)
    assert output["name"] == 'of [ ] and \\" { }' and output["endpoints"] == []


def test_an_unknown_participant_is_refused(interauth, write):
    result = interauth("participant", "show", "nobody", "--file", write(record("a")))
    assert (result.returncode, result.stdout) == (1, "")
    assert "no participant nobody" in result.stderr


def test_a_bad_file_is_refused_with_its_position(interauth, write):
    broken = write(text='{"participants": [\n {"id": "a"},\n {"id": }\n]}')
    result = interauth("participant", "list", "--file", broken)
    assert result.returncode == 1 and "line 3" in result.stderr
    wrong = write(record("a"), record("b", surprise=1))
    result = interauth("participant", "list", "--file", wrong)
    assert result.returncode == 1 and "participant 2 (b)" in result.stderr
    assert interauth("participant", "list", "--file", interauth.home / "missing").returncode == 3


def test_check_accepts_a_good_file(check, write):
    assert check("--file", write(record("a"), record("b", expires="2035-12-20T00:00:00Z")))[:2] == (0, [])


@pytest.mark.parametrize("mode, status, weight", [(0o644, 1, "error"), (0o666, 1, "error"), (0o620, 1, "error"),
                                                  (0o640, 0, "warning")])
def test_check_looks_at_permissions(check, write, mode, status, weight):
    assert check("--file", write(record("a"), mode=mode))[:2] == (status, [(weight, "permissions")])


def test_check_reports_the_position_of_a_syntax_error(check, write):
    status, findings, output = check("--file", write(text='{"participants": [\n {"id": }]}'))
    assert (status, findings) == (1, [("error", "syntax")])
    assert "line 2" in output["findings"][0]["text"]


SECRET = b64(os.urandom(32))


@pytest.mark.parametrize("records, expected", [
    ([record("a", expires="2020-01-01T00:00:00Z")], ["expired"]),
    ([record("a", expires=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400)))], ["expires_soon"]),
    ([record("a", shared_secret=None, shared_secrets=[{"value": SECRET, "not_after": "2020-01-01T00:00:00Z"}])],
     ["expired", "no_usable_secret"]),
    ([record("a", shared_secret=None)], ["no_credentials"]),
    ([record("a", shared_secret=None, challenge_secret={"hmac-sha256": "1" * 64})], []),
    ([record("a", challenge_secret={"hmac-sha256": "1" * 64}), record("b", challenge_secret={"hmac-sha256": "1" * 64})],
     ["secret_shared"]),
    ([record("a", challenge_secret={"md5": "1" * 32}), record("b", challenge_secret={"md5": "1" * 32})],
     ["weak_challenge", "weak_challenge", "secret_shared"]),
    ([record("a", challenge_secret={"md5": "1" * 32}), record("b", challenge_secret={"md5": "2" * 32})],
     ["weak_challenge", "weak_challenge"]),
    ([record("a", challenge_secret={"md5": "A" * 32})], ["syntax"]),
    ([record("http://a/"), record("http://A")], ["overlapping_ids"]),
    ([record("a", shared_secret=SECRET), record("b", shared_secret=SECRET)], ["secret_shared"]),
    ([record("a", token_max_lifespan=31 * 86400)], ["long_lifespan"]),
    ([record("a", capabilities=[])], ["no_capabilities"]),
    ([record("a#b")], ["ambiguous_id"]),
    ([record("a", endpoints=[{"url": "http://a.example/"}])], ["cleartext"]),
    ([record("a", keys=[{"kid": "k", "kty": "RSA", "n": b64(bytes([255]) * 128), "e": "AQAB"}])], ["syntax"]),
    ([record("a", keys=[{"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": KEY, "exp": 1000000000}])], ["expired"]),
    ([record("a", keys=[{"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": KEY}]),
      record("b", keys=[{"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": KEY}])], ["syntax"]),
    ([record("a", keys=[{"kid": "k", "file": "secret"}])], ["keys"]),
    ([], ["empty"]),
])
def test_check_finds_weaknesses(interauth, check, write, records, expected):
    (interauth.home / "secret").write_text("no key")
    status, findings, _ = check("--file", write(*records))
    assert [code for _, code in findings] == expected
    assert status == (1 if any(weight == "error" for weight, _ in findings) else 0)
    assert status == (1 if {"secret_shared", "syntax", "keys"} & set(expected) else 0)


@pytest.mark.parametrize("text, mode, status, codes", [
    (b64(os.urandom(32)), 0o600, 0, []),
    (b64(os.urandom(16)), 0o600, 0, ["short_secret"]),
    (b64(os.urandom(15)), 0o600, 1, ["short_secret"]),
    (b64(b"\x00" * 32), 0o600, 1, ["weak_secret"]),
    ("not base64url!", 0o600, 1, ["syntax"]),
    (b64(os.urandom(32)), 0o640, 0, ["permissions"]),
    (b64(os.urandom(32)), 0o604, 1, ["permissions"]),
], ids=["good", "short", "too-short", "zeros", "encoding", "group", "others"])
def test_check_looks_at_secret_files(interauth, check, text, mode, status, codes):
    path = interauth.home / "s"
    path.write_text(text + "\n")
    path.chmod(mode)
    interauth.canaries.add(text)
    got, findings, _ = check("--secret-file", path)
    assert (got, [code for _, code in findings]) == (status, codes)


WEAK = [
    (bytes(range(16)), "error", "follows a pattern"),
    (b"\x00" * 32, "error", "has few different bytes"),
    (bytes([7, 1, 9, 200, 31, 7, 9, 9] * 4), "error", "has few different bytes"),
    (bytes(range(100, 140)), "error", "follows a pattern"),
    (bytes([7, 1, 9, 200, 31, 78, 95, 11, 12, 250] * 2), "error", "follows a pattern"),
    (b"correct horse battery staple....", "warning", "is text that can be guessed"),
]


@pytest.mark.parametrize("secret, weight, text", WEAK)
def test_check_names_the_participant_with_a_weak_secret(interauth, check, write, secret, weight, text):
    weak = record("http://weak.example", shared_secret=None,
                  shared_secrets=[{"value": b64(os.urandom(32))}, {"value": b64(secret)}])
    status, findings, output = check("--file", write(record("a"), weak, record("b")))
    assert (status, findings) == (0, [("warning", "weak_secret")])
    assert output["findings"][0]["text"] == "http://weak.example: a shared secret %s; make a new one with: interauth secret" % text
    path = interauth.home / "s"
    path.write_text(b64(secret) + "\n")
    path.chmod(0o600)
    status, findings, output = check("--secret-file", path)
    assert (status, findings) == (1 if weight == "error" else 0, [(weight, "weak_secret")])
    assert output["findings"][0]["text"] == "this secret %s; make a new one with: interauth secret" % text


def test_check_recognizes_documented_secrets(check, write):
    top = pathlib.Path(__file__).parents[2]
    shown = set()
    for path in [top / "README.md", *sorted((top / "docs").rglob("*")), *sorted((top / "conf").rglob("*"))]:
        if path.is_file():
            shown.update(re.findall(r'"(?:shared_secret|value)"\s*:\s*"([A-Za-z0-9_-]{22,})"',
                                    path.read_text(errors="replace")))
    assert shown
    for secret in shown:
        assert ("warning", "weak_secret") in check("--file", write(record("a", shared_secret=secret)))[1], secret


def test_check_accepts_random_secrets(check, write):
    made = [record("a%d" % i, shared_secret=b64(os.urandom(16 + i % 32))) for i in range(500)]
    assert check("--file", write(*made))[:2] == (0, [])


def test_check_without_the_file_is_a_fault(check, interauth):
    assert check("--file", interauth.home / "missing")[:2] == (3, [("fault", "unreadable")])
    assert check("--secret-file", interauth.home / "missing")[:2] == (3, [("fault", "unreadable")])
    assert check("--state", interauth.home / "missing")[:2] == (3, [("fault", "unreadable")])


def test_check_prints_text_for_people(interauth, write):
    result = interauth("check", "--file", write(record("a", capabilities=[])))
    assert result.returncode == 0
    assert result.stdout.endswith("[no_capabilities]\n0 errors, 1 warning\n")
    result = interauth("check", "--file", write(record("a", capabilities=[]), record("b", capabilities=[]), mode=0o644))
    assert result.stdout.endswith("\n1 error, 2 warnings\n")
