"""Calls by challenge against a service that can misbehave; test_challenge.py has the real one."""
import json
import re
import stat
import time

import pytest

from challenge_service import ChallengeService, secret_of

PASSWORD = "correct horse battery"
REQUEST = '{"id": 7}'


@pytest.fixture
def service():
    running = ChallengeService(PASSWORD.encode())
    yield running
    running.close()


@pytest.fixture
def password(interauth, service):
    path = interauth.home / "password"
    path.touch(mode=0o600)
    path.write_text(PASSWORD + "\n")
    interauth.canaries.update([PASSWORD, *service.secrets.values()])
    return path


@pytest.fixture
def call(interauth, service, password):
    """Calls the application; `first` says where and as whom to log in. Tokens become canaries."""
    def call_app(*more, first=True, expect=0, method="photo.get", data=REQUEST, environment=None):
        login = ["--endpoint", service.base, "--uid", "guest", "--password-file", password] if first else []
        data = ["-d", data] if data is not None else []
        result = interauth("invoke", *login, *data, *more, method, service.app, environment=environment)
        assert result.returncode == expect, result.stderr
        for token in service.tokens:
            assert token not in result.stderr
        return result

    return call_app


def held(interauth):
    return json.loads(interauth.state.read_text())["grants"][0]


@pytest.mark.parametrize("more", [[], ["--profile", "md5"], ["--xml"], ["--profile", "md5", "--xml"]])
def test_login_and_calls(interauth, service, call, more):
    data = "<id>7</id>" if "--xml" in more else REQUEST
    assert call(*more, data=data).stdout == service.response.decode()
    assert call(*(["--xml"] if "--xml" in more else []), data=data, first=False).stdout == service.response.decode()
    assert service.methods() == ["auth.request", "auth.token", "photo.get", "photo.get"]
    assert all(data.encode() in body for _, path, body in service.calls if path == "/app")


def test_what_is_stored(interauth, service, call, password):
    call()
    assert stat.S_IMODE(interauth.state.stat().st_mode) == 0o600
    text = interauth.state.read_text()
    assert PASSWORD not in text and not any(secret in text for secret in service.secrets.values())
    record = held(interauth)
    assert record["token"] in service.tokens and record["secret_file"] == str(password)
    assert record["challenge"] == {"profile": "hmac-sha256", "domain": "example.org", "lifetime": 600}
    listed = interauth("grants")
    assert listed.stdout.startswith(f"login {record['name']}: hmac-sha256 at {service.base}/challenge for guest\n")
    assert json.loads(interauth("grants", "--json").stdout)["grants"][0]["profile"] == "hmac-sha256"
    assert interauth("check", "--state", interauth.state).returncode == 0
    for verb in (["refresh", "--grant", record["name"]], ["call", service.app], ["call", "--grant", record["name"], service.app]):
        result = interauth(*verb)
        assert result.returncode == 1 and "there is no grant" in result.stderr
    assert interauth("forget", record["name"]).returncode == 0
    assert "there is no login for" in call(first=False, expect=1).stderr


def test_the_password_from_standard_input(interauth, service):
    login = ["--endpoint", service.base, "--uid", "guest"]

    def invoke(*more, data=PASSWORD.encode()):
        return interauth("invoke", "photo.get", service.app, *more, data=data)

    first = invoke(*login, "--password-file", "-", "-d", REQUEST)
    assert first.returncode == 0, first.stderr
    assert "secret_file" not in held(interauth) and PASSWORD not in interauth.state.read_text()
    assert invoke("--password-file", "-", "-d", REQUEST).returncode == 0
    assert service.methods() == ["auth.request", "auth.token", "photo.get", "photo.get"], "one login"
    again = invoke("-d", REQUEST)
    assert again.returncode == 2 and "no password: use --password-file" in again.stderr
    both = invoke("--password-file", "-", "-d", "@-")
    assert both.returncode == 2 and "both read standard input" in both.stderr


@pytest.mark.parametrize("profile", ["hmac-sha256", "md5"])
def test_a_token_whose_window_ended_is_refreshed(interauth, service, call, profile):
    call("--profile", profile)
    state = json.loads(interauth.state.read_text())
    old = state["grants"][0]["token"]
    state["grants"][0]["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
    interauth.state.write_text(json.dumps(state))
    service.calls.clear()
    call(first=False)
    assert service.methods() == ["auth.refresh", "photo.get"]
    assert held(interauth)["token"] not in (None, old)


def test_after_two_windows_a_new_login_is_made(interauth, service, call):
    call()
    state = json.loads(interauth.state.read_text())
    state["grants"][0]["expires"] = "2020-01-01T00:00:00Z"
    interauth.state.write_text(json.dumps(state))
    service.calls.clear()
    call(first=False)
    assert service.methods() == ["auth.request", "auth.token", "photo.get"]


def test_a_refused_token_is_replaced_once(service, call):
    call()
    service.tokens.clear()
    service.calls.clear()
    result = call(first=False)
    assert "logged in again" in result.stderr
    assert service.methods() == ["photo.get", "auth.request", "auth.token", "photo.get"]
    service.calls.clear()
    service.refuse = [(401, "token_revoked"), (401, "replayed_challenge"), (401, "invalid_credentials")]
    result = call(first=False, expect=1)
    assert service.methods() == ["photo.get", "auth.request"] and "replayed_challenge, HTTP 401" in result.stderr


def test_a_superseded_challenge_is_replaced_once(service, call):
    service.overrides = {"auth.request": {}}
    service.refuse = []
    answered = []

    class Once(list):
        """Refuses the first auth.token."""
        def __bool__(self):
            return service.methods()[-1] == "auth.token" and not answered

        def pop(self, index=0):
            answered.append(1)
            return 401, "replayed_challenge"

    service.refuse = Once()
    call()
    assert service.methods() == ["auth.request", "auth.token", "auth.request", "auth.token", "photo.get"]


def test_a_server_that_has_just_started_is_waited_for(service, call):
    call()
    service.calls.clear()
    service.refuse = [(503, "starting")]
    assert "just started" in call(first=False).stderr
    assert service.methods() == ["photo.get", "photo.get"]
    assert service.calls[0][2] != service.calls[1][2]  # its own nonce


def test_a_wait_that_is_too_long_is_reported(service, call):
    call()
    service.calls.clear()
    service.refuse, service.retry_after = [(503, "starting")], "90"
    output = call(first=False, expect=3).stderr
    assert "retry after 90 s" in output and "just started" not in output
    assert service.methods() == ["photo.get"]


def test_a_mistyped_password_file_is_not_stored(interauth, service, call, password):
    call()
    before = held(interauth)
    wrong = interauth.home / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("wrong")
    result = call("--password-file", wrong, first=False, expect=1)
    assert result.stderr.count("Not this ?[31mway") == 1 and "invalid_credentials, HTTP 401" in result.stderr
    call("--password-file", interauth.home / "missing", first=False, expect=3)
    assert held(interauth) == before
    service.calls.clear()
    assert call(first=False).stderr == "" and service.methods() == ["photo.get"]
    copy = interauth.home / "copy"
    copy.touch(mode=0o600)
    copy.write_text(PASSWORD)
    call("--password-file", copy, first=False)
    assert held(interauth)["secret_file"] == str(copy)
    service.calls.clear()
    call("--password-file", copy, first=False)
    assert service.methods() == ["photo.get"]


def test_a_changed_password_is_refused_in_one_line(interauth, service, call, password):
    call()
    password.write_text("wrong")
    output = call(first=False, expect=1).stderr
    assert output.count("Not this ?[31mway") == 1 and "no new login was possible" in output


def test_a_refused_refresh_is_requested_once(interauth, service, call):
    call()
    assert json.loads(interauth("grants", "--json").stdout)["grants"][0]["can_refresh"] is True
    assert "expires no later than 20" in interauth("grants").stdout

    def end_window():
        state = json.loads(interauth.state.read_text())
        state["grants"][0]["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
        interauth.state.write_text(json.dumps(state))
        service.calls.clear()

    end_window()
    service.refuse = [(403, "refresh_not_allowed")]
    call(first=False)
    assert service.methods() == ["auth.refresh", "auth.request", "auth.token", "photo.get"]
    end_window()
    call(first=False)
    assert service.methods() == ["auth.request", "auth.token", "photo.get"]
    assert json.loads(interauth("grants", "--json").stdout)["grants"][0]["can_refresh"] is False
    assert "cannot be refreshed" in interauth("grants").stdout
    interauth("forget", "--all")
    call()
    assert json.loads(interauth("grants", "--json").stdout)["grants"][0]["can_refresh"] is True


def flip(response):
    return response.replace(b"photo", b"phote")


@pytest.mark.parametrize("spoil, message", [
    (flip, "the signature of the response is invalid"),
    (lambda response: re.sub(rb'"signature":"..', b'"signature":"00', response), "the signature of the response is invalid"),
    (lambda response: response + b" ", "the signature of the response is invalid"),
    (lambda response: re.sub(rb',"signature":"\w+"', b"", response), "is not signed"),
    (lambda response: b"", "is not signed"),
    (lambda response: b"<html></html>", "is not signed"),
])
def test_a_changed_response_is_discarded(interauth, service, call, spoil, message):
    call()
    service.spoil = spoil
    result = call("-o", interauth.home / "out", first=False, expect=3)
    assert result.stdout == "" and message in result.stderr
    assert not (interauth.home / "out").exists()


def test_a_response_to_another_call_is_discarded(service, call):
    responses = []
    service.spoil = lambda response: responses.append(response) or responses[0]
    call()
    assert "belongs to another call" in call(first=False, expect=3).stderr


def test_md5_responses_are_not_signed(service, call):
    service.spoil = flip
    assert "phote" in call("--profile", "md5").stdout


def test_xml_responses(service, call):
    service.response = b"<xml><status>valid</status><response>1</response></xml>\n"
    service.media_type = "text/xml"
    assert call("--xml", data="<a b='c'>t<i/></a>").stdout == service.response.decode()
    service.spoil = lambda response: response.replace(b"<response>1", b"<response>2")
    call("--xml", data=None, first=False, expect=3)


@pytest.mark.parametrize("overrides, status, text", [
    ({"auth.request": {"challenge": "x"}}, 3, "is not a challenge"),
    ({"auth.request": {"lifetime": 0}}, 3, "is not a challenge"),
    ({"auth.request": {"lifetime": "600"}}, 3, "is not a challenge"),
    ({"auth.request": {"profile": "md5"}}, 3, "not for the profile"),
    ({"auth.request": {"domain": ""}}, 3, "has no valid domain"),
    ({"auth.request": {"domain": "evil.example"}}, 1, "invalid_credentials"),
    ({"auth.token": {"token": "0" * 64}}, 3, "differs from the one that was computed"),
])
def test_a_failed_login(interauth, service, call, overrides, status, text):
    service.overrides = overrides
    assert text in call(expect=status).stderr
    assert not interauth.state.exists() and "photo.get" not in service.methods()


def test_another_domain_than_before_is_refused(service, call):
    call()
    service.tokens.clear()
    service.overrides = {"auth.request": {"domain": "evil.example"}}
    service.calls.clear()
    result = call(first=False, expect=1)
    assert "the domain was example.org and is now evil.example" in result.stderr
    assert service.methods() == ["photo.get", "auth.request"]


def test_a_wrong_password(interauth, service, call, password):
    password.write_text("wrong")
    result = call(expect=1)
    assert "invalid_credentials, HTTP 401" in result.stderr and "user guest" in result.stderr
    assert "Not this ?[31mway" in result.stderr
    assert not interauth.state.exists()


def test_a_refusal_of_the_application(interauth, service, call):
    call()
    service.refuse = [(403, "insufficient_capability")]
    result = call("-o", interauth.home / "out", "--json", first=False, expect=1)
    assert json.loads(result.stdout)["error"]["code"] == "insufficient_capability"
    assert "insufficient_capability, HTTP 403" in result.stderr and "not signed" in result.stderr
    service.refuse = [(500, "fault")]
    call(first=False, expect=3)


def test_header_output_and_more_fields(interauth, service, call):
    result = call("-i", "-H", "X-Trace: 1")
    assert result.stdout.startswith("HTTP/1.1 200 OK\r\n") and result.stdout.endswith("\r\n\r\n" + service.response.decode())


@pytest.mark.parametrize("data", [REQUEST, " [1, 2]\n", '"text"', "null", "17", '{"\u00fc": "\\u00fc"}', None])
def test_any_json_value_is_a_request(service, call, data):
    call(data=data)
    sent = service.calls[-1][2]
    assert json.loads(sent)["request"] == (json.loads(data) if data is not None else {})
    assert sent.endswith(b'"request":' + (data or "{}").strip().encode() + b"}")


def test_a_request_from_a_file(interauth, service, call):
    path = interauth.home / "request.json"
    path.write_text('\n{"id":\n 8}\n')
    call(data="@%s" % path)
    assert json.loads(service.calls[-1][2])["request"] == {"id": 8}


@pytest.mark.parametrize("more, data, message", [
    ([], "{", "not a JSON value"), ([], "", "not empty"), ([], '1,"method":"x"', "not a JSON value"),
    ([], '{"a":1,"a":2}', "not a JSON value"), (["--xml"], "<a>", "not the content"), (["--xml"], "</request>", "not the content"),
    (["--xml"], "&x;", "not the content"),
    (["--separator", ":"], REQUEST, "profile md5"),
    (["--profile", "sha1"], REQUEST, "--profile takes one of"),
    (["--profile", "md5", "--separator", "123456789"], REQUEST, "at most 8"),
    (["-X", "PUT"], REQUEST, "unknown option -X"), (["--capability", "read"], REQUEST, "unknown option --capability"),
    (["--sign", "k"], REQUEST, "unknown option --sign"), (["-H", "Content-Type: text/plain"], REQUEST, "set by interauth"),
    (["--json"], REQUEST, "--json requires --output"), 
])
def test_usage(service, call, more, data, message):
    result = call(*more, data=data, expect=2)
    assert message in result.stderr and service.calls == []
    assert result.stdout == "" or "--json" in more


def test_the_name_of_a_method(interauth):
    result = interauth("invoke", "two words", "http://127.0.0.1:1/")
    assert result.returncode == 2 and "METHOD" in result.stderr


@pytest.mark.parametrize("option", ["--password-file", "--profile", "--separator", "--xml"])
def test_call_has_no_login_options(interauth, option):
    result = interauth("call", option, "x", "http://127.0.0.1:1/")
    assert result.returncode == 2 and "unknown option " + option in result.stderr


def test_a_first_login_needs_its_options(interauth, service):
    result = interauth("invoke", "m", service.app)
    assert result.returncode == 1 and "interauth invoke --endpoint BASE --uid ID --password-file FILE METHOD URL" in result.stderr
    result = interauth("invoke", "--endpoint", service.base + "/challenge", "--uid", "u", "m", service.app)
    assert result.returncode == 2 and "is an endpoint" in result.stderr


def test_md5_is_refused_without_tls(interauth, password):
    """Nothing is sent to the server, which does not exist."""
    result = interauth("invoke", "--profile", "md5", "--endpoint", "http://192.0.2.1/sauth", "--uid", "guest",
                       "--password-file", password, "m", "http://127.0.0.1:1/")
    assert result.returncode == 1 and "requires TLS" in result.stderr


@pytest.mark.parametrize("separator", ["", ":"])
def test_md5_with_a_separator(interauth, password, separator):
    service = ChallengeService(PASSWORD.encode(), separator=":")
    try:
        more = ["--separator", separator] if separator else []
        result = interauth("invoke", "--profile", "md5", *more, "--endpoint", service.base, "--uid", "guest",
                           "--password-file", password, "m", service.app)
        assert result.returncode == (0 if separator else 1), result.stderr
    finally:
        service.close()


def test_verbose_shows_no_credentials(interauth, service, call):
    result = call("-v")
    assert '"token":[masked]' in result.stderr and '"signature":[masked]' in result.stderr
    assert not any(token in result.stderr for token in service.tokens), result.stderr


def test_many_calls_log_in_once(interauth, service, call, password):
    first = ["invoke", "--endpoint", service.base, "--uid", "guest", "--password-file", password,
             "photo.get", service.app]
    started = [interauth.start(*first) for _ in range(4)]
    assert [interauth.finish(one).returncode for one in started] == [0] * 4
    assert service.methods().count("auth.request") == 1


def test_the_service_agrees_with_the_published_vectors():
    assert secret_of("md5", "guest", b"guest", "example.org") == "b1c57edb47f7c218829f64253eec41c1"
    assert secret_of("md5", "guest", b"guest", "example.org", ":") == "61cf6851d089a1a84b5379eaaa4ef60a"
