"""participant make: the record of a participant that logs in by challenge, from a password file."""
import json
import os

import pytest

from challenge_service import secret_of

PASSWORD = "correct horse battery"


@pytest.fixture
def password(interauth):
    def write(text=PASSWORD.encode() + b"\n", mode=0o600):
        path = interauth.home / "password"
        path.write_bytes(text)
        path.chmod(mode)
        return path

    interauth.canaries.add(PASSWORD)
    return write


@pytest.fixture
def make(interauth, password):
    def make_record(*more, uid="guest", domain="example.org", path=None, expect=0):
        result = interauth("participant", "make", uid, "--password-file", path or password(), "--domain", domain, *more)
        assert result.returncode == expect, result.stderr
        return result

    return make_record


def test_the_record(make):
    result = make("--capability", "read", "--capability", "update")
    assert json.loads(result.stdout) == {
        "id": "guest", "status": "approved", "capabilities": ["read", "update"],
        "challenge_secret": {"hmac-sha256": secret_of("hmac-sha256", "guest", PASSWORD.encode(), "example.org")}}
    assert result.stderr == "" and '\n  "id": "guest",\n' in result.stdout
    assert result.stdout == make("--capability", "read,update").stdout == make("--capability", "read update").stdout
    assert make("--capability", "read", "--capability", "update", "--json").stdout.count("\n") == 1


def test_the_password_from_standard_input(interauth, make, password):
    def typed(data, *more):
        return interauth("participant", "make", "guest", "--password-file", "-", "--domain", "example.org", *more, data=data)

    profiles = ["--profile", "md5", "--profile", "hmac-sha256"]
    assert typed(PASSWORD.encode() + b"\n", *profiles).stdout == make(*profiles).stdout
    assert typed(b"").returncode == 1 and typed(b"x" * 5000).returncode == 3
    master, terminal = os.openpty()
    try:
        result = interauth.finish(interauth.start("participant", "make", "guest", "--password-file", "-", "--domain",
                                                  "example.org", stdin=terminal))
    finally:
        os.close(master)
        os.close(terminal)
    assert result.returncode == 2 and "--password-file -: standard input is a terminal" in result.stderr


def test_allow_refresh(make):
    assert json.loads(make("--allow-refresh").stdout)["allow_refresh"] is True


@pytest.mark.parametrize("separator, expected", [(None, "b1c57edb47f7c218829f64253eec41c1"),
                                                 (":", "61cf6851d089a1a84b5379eaaa4ef60a")])
def test_md5_as_published(make, password, separator, expected):
    more = ["--separator", separator] if separator else []
    result = make("--profile", "md5", *more, path=password(b"guest\n"))
    assert json.loads(result.stdout)["challenge_secret"] == {"md5": expected}
    assert result.stderr.count("\n") == 1 and "warning: md5" in result.stderr


def test_both_profiles(make, password):
    secrets = json.loads(make("--profile", "md5", "--profile", "hmac-sha256",
                              path=password(b"guest")).stdout)["challenge_secret"]
    assert secrets == {"md5": "b1c57edb47f7c218829f64253eec41c1", "hmac-sha256": secret_of("hmac-sha256", "guest", b"guest", "example.org")}


@pytest.mark.parametrize("text, password_is", [
    (b"guest", b"guest"), (b"guest\n", b"guest"), (b"guest\r\n", b"guest"), (b"guest\n\n", b"guest\n"),
    (b" guest ", b" guest "), (b"g\x00st", b"g\x00st"), ("\u00fcber".encode(), "\u00fcber".encode()),
    (b"x" * 1024 + b"\n", b"x" * 1024)])
def test_a_line_end_is_not_part_of_the_password(make, password, text, password_is):
    record = json.loads(make("--json", path=password(text)).stdout)
    assert record["challenge_secret"]["hmac-sha256"] == secret_of("hmac-sha256", "guest", password_is, "example.org")


@pytest.mark.parametrize("text", [b"", b"\n", b"\r\n", b"x" * 1025])
def test_no_password(interauth, make, password, text):
    result = make(path=password(text), expect=1)
    assert result.stdout == "" and "the password must be 1 to 1024 bytes" in result.stderr


def test_permissions_of_the_password_file(interauth, make, password):
    assert "everyone can read" in make(path=password(mode=0o604), expect=1).stderr
    assert "the group can read" in make(path=password(mode=0o640)).stderr
    make(path=interauth.home / "missing", expect=3)
    make(path=password(b"x" * 4000), expect=3)


@pytest.mark.parametrize("arguments, message", [
    (["make"], "make requires the ID"),
    (["make", "guest"], "--password-file"),
    (["make", "guest", "--password-file", "p"], "--domain"),
    (["make", "a b", "--password-file", "p", "--domain", "d"], "ID"),
    (["make", "a", "--password-file", "p", "--domain", "d\n"], "--domain"),
    (["make", "a", "--password-file", "p", "--domain", "d" * 256], "--domain"),
    (["make", "a", "--password-file", "p", "--domain", "https://api.example.org"], "not a URL"),
    (["make", "a", "--password-file", "p", "--domain", "api.example.org:443"], "not a URL"),
    (["list", "--file", "f", "--allow-refresh"], "did you mean make?"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--profile", "sha1"], "hmac-sha256 or md5"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--profile", "md5", "--profile", "md5"], "twice"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--separator", ":"], "profile md5"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--profile", "md5", "--separator", "123456789"], "at most 8"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--capability", "a é"], "--capability ??: not"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--capability", "r", "--capability", "r"], "twice"),
    (["make", "a", "--password-file", "p", "--domain", "d", "--file", "f"], "cannot be combined"),
    (["make", "a", "--pasword-file", "p"], "did you mean --password-file?"),
    (["list", "--file", "f", "--domain", "d"], "did you mean make?"),
    (["show", "a", "--file", "f", "--password-file", "p"], "did you mean make?"),
    (["mak", "a"], "did you mean make?"),
])
def test_usage(interauth, arguments, message):
    result = interauth("participant", *arguments)
    assert (result.returncode, result.stdout) == (2, ""), result.stderr
    assert message in result.stderr and result.stderr.count("\n") == 1


def test_the_record_is_read_back_without_its_secret(interauth, make):
    record = json.loads(make("--profile", "hmac-sha256", "--profile", "md5", "--capability", "read").stdout)
    path = interauth.home / "participants.json"
    path.write_text(json.dumps({"participants": [record]}))
    path.chmod(0o600)
    interauth.canaries.update(record["challenge_secret"].values())
    output = json.loads(interauth("participant", "show", "guest", "--file", path, "--json").stdout)
    assert [one["profile"] for one in output["challenge_secrets"]] == ["hmac-sha256", "md5"]
    assert len({one["fingerprint"] for one in output["challenge_secrets"]}) == 2


@pytest.mark.parametrize("profiles, expected", [(["hmac-sha256"], []), (["md5"], ["weak_challenge"]),
                                                (["md5", "hmac-sha256"], ["weak_challenge"])])
def test_check_knows_the_profiles(interauth, make, profiles, expected):
    record = json.loads(make("--capability", "read", *[word for name in profiles for word in ("--profile", name)]).stdout)
    path = interauth.home / "participants.json"
    path.write_text(json.dumps({"participants": [record]}))
    path.chmod(0o600)
    result = interauth("check", "--json", "--file", path)
    output = json.loads(result.stdout)["findings"]
    assert (result.returncode, [one["code"] for one in output]) == (0, expected)
    if expected:
        assert ("as well as hmac-sha256" in output[0]["text"]) == (len(profiles) == 2)
