"""--json of every verb: one shape of errors, one format of times, and options named in messages."""
import json
import re

import pytest

from test_participant import record

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
TIMES = {"expires", "created", "not_after", "valid_from", "valid_until", "timeout", "timestamp"}


def inspect(value, name=None):
    """Times have one format and errors one shape, at any depth."""
    if isinstance(value, dict):
        for member, inner in value.items():
            if member == "error":
                assert sorted(inner) == ["code", "message"], inner
                assert all(isinstance(text, str) and text for text in inner.values())
            inspect(inner, member)
    elif isinstance(value, list):
        for inner in value:
            inspect(inner, name)
    elif name in TIMES:
        assert isinstance(value, str) and TIME.fullmatch(value), (name, value)


@pytest.fixture
def run(interauth):
    def run_json(*arguments):
        result = interauth(*arguments, "--json")
        output = json.loads(result.stdout)
        inspect(output)
        assert ("error" in output) == (result.returncode != 0), (arguments, output)
        return result.returncode, output

    return run_json


@pytest.fixture
def file(interauth):
    def write(*records, name="participants.json"):
        path = interauth.home / name
        path.write_text(json.dumps({"participants": records}))
        path.chmod(0o600)
        return path

    return write


def test_success_of_each_verb(interauth, run, ask, service, secret, file):
    ask("--grant", "g")
    home = interauth.home
    records = file(record("a", expires="2035-12-20T00:00:00+01:00", shared_secret=None,
                          shared_secrets=[{"value": secret.text, "not_after": "2035-12-20T00:00:00.5Z"}],
                          endpoints=[{"url": "https://a.example/", "valid_from": "2026-01-01T00:00:00Z",
                                      "valid_until": "2036-01-01T00:00:00Z"}]))
    signed = home / "signed"
    (home / "password").write_text("something long\n")
    (home / "password").chmod(0o600)
    message = home / "message"
    message.write_text("HTTP/1.1 200 OK\r\nDate: Sun, 13 Mar 2011 07:06:40 GMT\r\n\r\n")
    (home / "k.pub").write_text(json.dumps(run("keygen", home / "k")[1]))
    for arguments in (["secret", home / "s"], ["grants"], ["refresh", "--grant", "g"],
                      ["call", "-o", home / "out", service.origin + "/app"],
                      ["sign", "--key", home / "k", "--expires", "60", "--save", signed, "https://a.example/"],
                      ["verify", "--key", home / "k.pub", signed], ["explain", "--key", home / "k.pub", signed],
                      ["explain", "mac_mismatch"], ["explain", message], ["explain", signed],
                      ["participant", "list", "--file", records], ["participant", "show", "a", "--file", records],
                      ["participant", "make", "b", "--password-file", home / "password", "--domain", "d"],
                      ["check", "--file", records, "--secret-file", secret.path], ["forget", "g"], ["grants"]):
        status, output = run(*arguments)
        assert status == 0, (arguments, output)


def test_failure_of_each_verb(interauth, run, ask, service, secret, file):
    ask()
    home = interauth.home
    broken = file(record("a"), record("a"))
    message = home / "message"
    message.write_text("Authorization: SAuth x=\n")
    service.response = (404, [], b"no")
    for arguments in (["keygen", "/no/where"], ["secret", "/no/where"], ["refresh", "--grant", "none"],
                      ["call", "-o", home / "out", service.origin + "/app"], ["call", "-o", home / "out", "x:"],
                      ["invoke", "-o", home / "out", "a", service.origin], ["invoke", "a"],
                      ["grant", "--url", service.base, "--uid", "a", "--capability", "x"],
                      ["sign", "--key", message, "https://a.example/"], ["verify", "--key", message, message],
                      ["explain", "--key", message, message], ["explain", message], ["explain", "no_such_tag"],
                      ["participant", "list", "--file", broken], ["participant", "show", "x", "--file", broken],
                      ["participant", "make", "x"], ["participant", "none"], ["forget", "none"], ["forget"],
                      ["grants", "none"], ["check", "--file", broken], ["check", "--file", home / "none"],
                      ["check", "--url", "http://127.0.0.1:1/"], ["check"]):
        status, _ = run(*arguments)
        assert status in (1, 2, 3), arguments


def test_check_with_errors_names_the_worst(run, file, interauth):
    path = file(record("a", capabilities=[]))
    assert "error" not in run("check", "--file", path)[1]
    path.chmod(0o644)
    status, output = run("check", "--file", path)
    assert (status, output["error"]["code"]) == (1, "permissions") and output["error"]["message"].startswith(str(path) + ": ")
    status, output = run("check", "--file", path, "--state", interauth.home / "none")
    assert (status, output["error"]["code"]) == (3, "unreadable")


@pytest.mark.parametrize("arguments, named", [
    (["grant", "--uid", "a", "--capability", "x", "--url", "ftp://a/"], "--url"),
    (["grant", "--uid", "a", "--capability", "x", "--url", "https://u:p@a/"], "--url"),
    (["grant", "--uid", "a", "--capability", "x", "--url", "https://a/sauth?x"], "--url"),
    (["grant", "--uid", "a", "--capability", "x", "--url", "https://a/sauth/request_access"], "--url"),
    (["refresh", "--url", "nonsense://"], "--url"),
    (["call", "--endpoint", "ftp://a/", "--uid", "a", "https://a/"], "--endpoint"),
    (["invoke", "--endpoint", "ftp://a/", "--uid", "a", "m", "https://a/"], "--endpoint"),
    (["call", "ftp://a/"], "URL"),
    (["sign", "https://a/"], "--key"),
    (["explain", "--base", "x", "mac_mismatch"], "--base"),
    (["verify", "x"], "--key"),
    (["check"], "--file"),
    (["participant", "list", "--file", "f", "--domain", "d"], "--domain"),
    (["participant", "list", "--file", "f", "--allow-refresh"], "--allow-refresh"),
    (["participant", "make", "a", "--file", "f"], "--file"),
])
def test_messages_name_the_option(interauth, secret, arguments, named):
    result = interauth(*arguments, environment={"INTERAUTH_SECRET": secret.text})
    assert result.returncode == 2 and result.stdout == ""
    assert re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(named), result.stderr), result.stderr
