"""grant, call, refresh and check against a service on 127.0.0.1 that can misbehave."""
import base64
import hashlib
import json
import os
import re
import shlex
import stat
import subprocess
import time
import urllib.parse

import pytest

from conftest import UID
from loopback import Service


class TestGrant:
    def test_is_stored_in_a_private_file(self, interauth, ask, held, service, secret):
        result = ask("--json", "--lifespan", "60")
        output = json.loads(result.stdout)
        assert output["access_to"] == ["read"] and output["can_refresh"] is True and output["nonces"] == 1
        assert (output["endpoint"], output["uid"]) == (service.base, UID)
        assert stat.S_IMODE(interauth.state.stat().st_mode) == 0o600
        assert stat.S_IMODE(interauth.state.parent.stat().st_mode) == 0o700
        assert [path.name for path in sorted(interauth.state.parent.iterdir())] == ["state.json", "state.json.lock"]
        kept = held()[0]
        assert kept["token"] in service.grants and kept["secret_file"] == str(secret.path)
        assert secret.text not in interauth.state.read_text()

    def test_sends_the_options(self, ask, service):
        ask("--capability", "update", "--lifespan", "77", "--nonces", "5", "--id", "--aud", "https://a.example/sauth")
        form = dict(urllib.parse.parse_qsl(service.requests("/sauth/request_access")[0][3].decode()))
        body = json.loads(form["body"])
        assert len(base64.urlsafe_b64decode(body.pop("id") + "==")) == 16
        assert body == {"access_for": ["read", "update"], "token_lifespan": 77, "uid": UID, "nonces": 5,
                        "aud": "https://a.example/sauth"}
        assert len(form["hmac"]) == 64 and set(form) == {"uid", "timestamp", "hmac", "body"}

    def test_sha1(self, interauth, ask, service):
        ask("--hash", "sha1")
        form = dict(urllib.parse.parse_qsl(service.requests("/sauth/request_access")[0][3].decode()))
        assert len(form["hmac"]) == 40
        assert interauth("call", service.origin + "/app").returncode == 0

    def test_a_refusal_is_reported_without_control_characters(self, interauth, ask):
        result = ask("--capability", "everything", "--json", expect=1)
        assert "The participant does not hold that ?[31mcapability (capability_not_held, HTTP 403)" in result.stderr
        assert result.stderr.endswith("interauth grant: requested: read,everything\n")
        assert json.loads(result.stdout)["error"]["code"] == "capability_not_held"
        assert not interauth.state.exists()

    def test_a_url_without_an_endpoint(self, interauth, service, secret):
        result = interauth("grant", "--url", service.origin + "/none", "--uid", UID, "--secret-file", secret.path,
                           "--capability", "read", "--json")
        assert result.returncode == 1
        assert result.stderr.endswith("interauth grant: requested %s/none/request_access: is --url the location with "
                                      "SetHandler sauth?\n" % service.origin)
        assert json.loads(result.stdout) == {"error": {"code": "http_404", "message": "the server responded with HTTP 404"}}

    def test_two_requests_in_one_second(self, ask, held, service):
        service.replays = set()
        while time.time() % 1 > 0.5:
            time.sleep(0.02)
        tokens = []
        for _ in range(3):
            ask()
            tokens.append(held()[0]["token"])
        assert len(set(tokens)) == 3
        bodies = [json.loads(dict(urllib.parse.parse_qsl(seen[3].decode()))["body"])
                  for seen in service.requests("/sauth/request_access")]
        assert 4 <= len(bodies) <= 5, "none of these were of one second"
        assert "id" not in bodies[0] and "id" in bodies[-1]
        assert "id" not in held()[0] or not held()[0]["id"]

    def test_a_replay_twice_is_a_refusal(self, ask, service):
        service.access_refusal = "replayed_request"
        assert "replayed_request" in ask(expect=1).stderr
        assert len(service.requests("/sauth/request_access")) == 2

    def test_a_wrong_secret_is_refused(self, interauth, service):
        path = interauth.home / "other"
        interauth("secret", path)
        result = interauth("grant", "--url", service.base, "--uid", UID, "--secret-file", path, "--capability", "read")
        assert result.returncode == 1 and "invalid_credentials" in result.stderr

    def test_the_secret_may_come_from_the_environment(self, interauth, service, secret):
        environment = {"INTERAUTH_SECRET": secret.text}
        result = interauth("grant", "--url", service.base, "--uid", UID, "--capability", "read",
                           environment=environment)
        assert result.returncode == 0
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 2 and "--secret-file FILE --capability read\n" in result.stderr
        assert interauth("call", service.origin + "/app", environment=environment).returncode == 0

    @pytest.mark.parametrize("mode, status, message", [(0o604, 1, "everyone can read"), (0o602, 1, "everyone can write"),
                                                    (0o640, 0, "warning: "), (0o600, 0, None)])
    def test_permissions_of_the_secret(self, ask, service, secret, mode, status, message):
        secret.path.chmod(mode)
        result = ask(expect=status)
        assert message in result.stderr if message else result.stderr == ""
        assert len(service.requests("/sauth/request_access")) == (1 if status == 0 else 0)

    @pytest.mark.parametrize("text", ["", "short", "not base64url!!!!!!!!!!!!!!!!!!", "A" * 5000])
    def test_a_malformed_secret(self, ask, secret, text):
        secret.path.write_text(text)
        ask(expect=3 if len(text) > 4096 else 1)

    def test_waits_once_for_a_server_that_has_just_started(self, ask, service):
        service.starting = 1
        began = time.monotonic()
        result = ask()
        assert "just started" in result.stderr and time.monotonic() - began >= 1
        stamps = [dict(urllib.parse.parse_qsl(seen[3].decode()))["timestamp"]
                  for seen in service.requests("/sauth/request_access")]
        assert len(stamps) == 2 and int(stamps[1]) > int(stamps[0])

    def test_does_not_wait_twice(self, ask, service):
        service.starting = 2
        ask(expect=3)
        assert len(service.requests("/sauth/request_access")) == 2

    @pytest.mark.parametrize("after", ["61", "-1", "0", "soon"])
    def test_does_not_wait_too_long(self, ask, service, after):
        service.starting, service.retry_after = 1, after
        ask(expect=3)
        assert len(service.requests("/sauth/request_access")) == 1

    def test_an_unreachable_server_is_a_fault(self, interauth, secret):
        result = interauth("grant", "--url", "http://127.0.0.1:1/sauth", "--uid", UID, "--secret-file", secret.path,
                           "--capability", "read")
        assert result.returncode == 3 and result.stdout == ""

    def test_a_name_of_its_own(self, interauth, ask, held, service, secret):
        ask("--grant", "orders")
        assert held()[0]["name"] == "orders"
        result = interauth("grant", "--url", service.origin + "/other", "--uid", UID, "--secret-file", secret.path,
                           "--capability", "read", "--grant", "orders")
        assert result.returncode == 2 and "another grant has this name" in result.stderr
        assert not service.requests("/other/request_access")

    def test_a_second_grant_replaces_the_first(self, ask, held):
        ask()
        first = held()[0]
        ask()
        assert len(held()) == 1 and held()[0]["token"] != first["token"] and held()[0]["name"] == first["name"]


class TestCall:
    def test_chains_nonces(self, interauth, ask, held, service):
        ask("--nonces", "2")
        first, second = held()[0]["nonces"]
        result = interauth("call", service.origin + "/app/a?b=c")
        assert (result.returncode, result.stderr) == (0, "")
        assert json.loads(result.stdout)["path"] == "/app/a?b=c"
        assert service.spent == {first}
        assert held()[0]["nonces"][0] == second and len(held()[0]["nonces"]) == 2
        for _ in range(3):
            assert interauth("call", service.origin + "/app").returncode == 0
        assert len(service.requests("/sauth/generate_nonce")) == 0
        assert len(service.seen) == 5

    def test_takes_the_next_nonce_from_a_refusal(self, interauth, ask, held, service):
        ask()
        before = held()[0]["nonces"]
        result = interauth("call", service.origin + "/app/denied")
        assert result.returncode == 1
        assert "The grant does not contain the required capability (insufficient_capability, HTTP 403)" in result.stderr
        assert json.loads(result.stdout)["code"] == "insufficient_capability"
        assert len(held()[0]["nonces"]) == 1 and held()[0]["nonces"] != before

    def test_without_nonces_it_requests_one(self, interauth, ask, service):
        service.give_nonces = False
        ask()
        assert interauth("call", service.origin + "/app").returncode == 0
        assert len(service.requests("/sauth/generate_nonce")) == 1 and len(service.requests("/app")) == 1

    def test_without_nonces_and_their_endpoint_it_uses_www_authenticate(self, interauth, ask, service):
        service.give_nonces = service.nonce_endpoint = False
        ask()
        result = interauth("call", "-d", "x=1", service.origin + "/app")
        assert result.returncode == 0
        first, second = service.requests("/app")
        assert first[2]["Authorization"] is None and second[2]["Authorization"].startswith("SAuth response=")
        assert first[3] == second[3] == b"x=1"
        assert json.loads(result.stdout)["body"] == "x=1"

    def test_a_stale_nonce_is_replaced_once(self, interauth, ask, held, service):
        ask("--nonces", "3")
        service.nonces.clear()
        result = interauth("call", "-d", "x=1", service.origin + "/app")
        assert (result.returncode, result.stderr) == (0, "")
        assert len(service.requests("/app")) == 2
        assert len(held()[0]["nonces"]) == 1
        assert interauth("call", service.origin + "/app").returncode == 0
        assert len(service.requests("/app")) == 3

    def test_a_nonce_stale_twice_is_a_refusal(self, interauth, ask, service, monkeypatch):
        ask()
        service.nonces.clear()
        monkeypatch.setattr(service, "nonce", lambda: base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode())
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1 and "stale_nonce" in result.stderr
        assert len(service.requests("/app")) == 2

    def test_other_refusals_are_not_tried_again(self, interauth, ask, service):
        ask()
        service.grants.clear()
        service.refusal = "wrong_presentation"
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1 and "wrong_presentation" in result.stderr
        assert len(service.requests("/app")) == 1 and len(service.requests("/sauth/request_access")) == 1

    @pytest.mark.parametrize("code", ["invalid_credentials", "token_revoked", "token_expired"])
    def test_a_refused_grant_is_requested_again(self, interauth, ask, held, service, code):
        ask()
        first = held()[0]["token"]
        service.grants.clear()
        service.refusal = code
        result = interauth("call", "-d", "x=1", service.origin + "/app")
        interauth.canaries.update(service.grants)
        interauth.inspect(result)
        assert result.returncode == 0 and json.loads(result.stdout)["body"] == "x=1"
        assert result.stderr == "interauth call: obtained a new grant from %s\n" % service.base
        assert held()[0]["token"] != first
        assert [body for _, _, _, body in service.requests("/app")] == [b"x=1"] * 2
        assert interauth("call", service.origin + "/app").stderr == ""

    @pytest.mark.parametrize("held_nonces", [True, False])
    def test_a_call_requests_one_grant(self, interauth, ask, held, service, held_nonces):
        service.give_nonces = service.nonce_endpoint = held_nonces
        ask()
        service.refusal = "token_revoked"
        grants, service.grants = service.grants, type("Forgetful", (dict,), {"__contains__": lambda *_: False})()
        path = interauth.home / "out"
        result = interauth("call", "--json", "-o", path, service.origin + "/app")
        assert result.returncode == 1 and "(token_revoked, HTTP 401)" in result.stderr
        assert json.loads(result.stdout)["error"]["code"] == json.loads(path.read_text())["code"] == "token_revoked"
        assert len(service.requests("/sauth/request_access")) == 2
        assert len([1 for seen in service.requests("/app") if seen[2]["Authorization"]]) == 2
        assert held()[0]["token"] not in grants

    def test_a_new_grant_is_not_requested_again(self, interauth, ask, service):
        ask("--lifespan", "1")
        time.sleep(1.1)
        service.grants = type("Forgetful", (dict,), {"__contains__": lambda *_: False})()
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1 and "(invalid_credentials, HTTP 401)" in result.stderr
        assert len(service.requests("/sauth/request_access")) == 2 and len(service.requests("/app")) == 1

    def test_a_refusal_of_the_new_grant_is_reported(self, interauth, ask, held, service, secret):
        ask()
        before = held()
        service.grants.clear()
        service.refusal = "token_revoked"
        service.access_refusal = "invalid_credentials"
        path = interauth.home / "out"
        result = interauth("call", "--json", "-o", path, service.origin + "/app")
        assert result.returncode == 1
        assert "(invalid_credentials, HTTP 401)" in result.stderr and "(token_revoked, HTTP 401)" in result.stderr
        assert "interauth grant --url %s --uid %s --secret-file %s --capability read\n" % (
            service.base, UID, secret.path) in result.stderr
        assert json.loads(result.stdout)["error"]["code"] == json.loads(path.read_text())["code"] == "token_revoked"
        assert len(service.requests("/sauth/request_access")) == 2 and len(service.requests("/app")) == 1
        assert [one["token"] for one in held()] == [one["token"] for one in before]

    def test_without_capabilities_it_prints_the_command(self, interauth, ask, service, secret):
        ask()
        state = json.loads(interauth.state.read_text())
        state["grants"][0].update(access_for=[], secret_file=str(interauth.home / "it's mine"))
        secret.path.rename(interauth.home / "it's mine")
        interauth.state.write_text(json.dumps(state))
        service.grants.clear()
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1 and "invalid_credentials" in result.stderr
        command = re.search("with: (.*)\n", result.stderr).group(1)
        assert shlex.split(command) == ["interauth", "grant", "--url", service.base, "--uid", UID, "--secret-file",
                                        str(interauth.home / "it's mine"), "--capability", "NAME"]
        assert len(service.requests("/sauth/request_access")) == 1 and len(service.requests("/app")) == 1

    def test_a_401_of_the_application_requests_no_grant(self, interauth, ask, service):
        ask()
        service.response = (401, [("Content-Type", "application/problem+json"), ("WWW-Authenticate", "Basic realm=x")],
                          b'{"code":"invalid_credentials"}')
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1 and result.stdout == '{"code":"invalid_credentials"}'
        assert len(service.requests("/sauth/request_access")) == 1 and len(service.requests("/app")) == 1

    def test_sixteen_at_once_request_one_new_grant(self, interauth, ask, service):
        ask()
        service.grants.clear()
        running = [interauth.start("call", service.origin + "/app") for i in range(16)]
        results = [interauth.finish(process) for process in running]
        assert [result.returncode for result in results] == [0] * 16, [result.stderr for result in results]
        assert len(service.grants) == 1

    def test_an_expired_grant_is_requested_again(self, interauth, ask, held, service):
        ask("--lifespan", "1")
        first = held()[0]["token"]
        time.sleep(1.1)
        result = interauth("call", service.origin + "/app")
        interauth.canaries.update(service.grants)
        interauth.inspect(result)
        assert result.returncode == 0 and "obtained a new grant from" in result.stderr
        assert held()[0]["token"] != first

    def test_a_grant_that_the_server_calls_expired_is_requested_again(self, interauth, ask, held, service):
        ask()
        first = held()[0]["token"]
        service.grants[first] = 0
        result = interauth("call", "-d", "x", service.origin + "/app")
        assert result.returncode == 0 and held()[0]["token"] != first
        assert len(service.requests("/app")) == 2

    @pytest.mark.parametrize("words", [["read,update"], ["read update"], ["read", "update"], ["read, ", ",update"]])
    def test_capabilities_are_separated_by_spaces_or_commas(self, interauth, held, service, secret, words):
        options = [option for word in words for option in ("--capability", word)]
        login = ["--uid", UID, "--secret-file", secret.path]
        result = interauth("grant", "--url", service.base, *login, *options)
        assert result.returncode == 0 and ": read,update at " in result.stdout, result.stderr
        assert held()[0]["access_for"] == ["read", "update"]
        interauth("forget", "--all")
        assert interauth("call", "--endpoint", service.base, *login, *options, service.origin + "/app").returncode == 0
        assert held()[0]["access_for"] == ["read", "update"]

    def test_requests_its_first_grant(self, interauth, held, service, secret):
        result = interauth("call", "--endpoint", service.base, "--uid", UID, "--secret-file", secret.path,
                           "--capability", "read", service.origin + "/app")
        interauth.canaries.update(service.grants)
        interauth.inspect(result)
        assert result.returncode == 0 and held()[0]["access_for"] == ["read"]
        assert interauth("call", service.origin + "/app").returncode == 0

    def test_requests_a_missing_capability(self, interauth, ask, held, service):
        ask()
        old = held()[0]["token"]
        result = interauth("call", "--capability", "update", service.origin + "/app")
        interauth.canaries.update(service.grants)
        interauth.inspect(result)
        assert result.returncode == 0
        assert result.stderr == (f"interauth call: grant {held()[0]['name']} lacks update\n"
                                 f"interauth call: obtained a new grant from {service.base}\n")
        assert held()[0]["access_for"] == held()[0]["access_to"] == ["read", "update"] and held()[0]["token"] != old
        for wanted in ("read", "update", "update,read"):
            assert interauth("call", "--capability", wanted, service.origin + "/app").stderr == ""
        assert len(service.requests("/sauth/request_access")) == 2

    def test_a_refused_capability_leaves_the_grant_unchanged(self, interauth, ask, held, service):
        ask()
        before = held()
        result = interauth("call", "--capability", "everything", service.origin + "/app")
        assert result.returncode == 1 and "capability_not_held" in result.stderr
        assert held() == before and service.requests("/app") == []
        assert interauth("call", service.origin + "/app").returncode == 0

    def test_a_capability_that_was_not_granted_is_reported(self, interauth, ask, held, service):
        ask()
        state = json.loads(interauth.state.read_text())
        state["grants"][0]["access_for"].append("update")
        interauth.state.write_text(json.dumps(state))
        result = interauth("call", "--capability", "update", service.origin + "/app")
        assert result.returncode == 0 and len(service.requests("/sauth/request_access")) == 1
        assert "lacks update, which was requested but not granted; to request it again: interauth grant " in result.stderr

    def test_a_token_is_sent_only_to_its_server(self, interauth, ask, service):
        ask("--grant", "orders")
        seen = len(service.seen)
        elsewhere = service.origin.replace("127.0.0.1", "localhost")
        result = interauth("call", elsewhere + "/app")
        assert result.returncode == 1 and "there is no grant for " + elsewhere in result.stderr
        assert len(service.seen) == seen
        assert interauth("call", "--grant", "orders", elsewhere + "/app").returncode == 0
        assert interauth("call", "--grant", "nosuch", service.origin + "/app").returncode == 1

    def test_two_matching_grants_are_ambiguous(self, interauth, ask, held, service):
        ask("--grant", "one")
        state = json.loads(interauth.state.read_text())
        state["grants"].append(dict(state["grants"][0], name="two", uid="someone"))
        interauth.state.write_text(json.dumps(state))
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 2 and "--grant: one " in result.stderr
        assert interauth("call", "--grant", "one", service.origin + "/app").returncode == 0
        assert interauth("call", "--uid", UID, service.origin + "/app").returncode == 0

    def test_sixteen_at_once(self, interauth, ask, held, service):
        ask()
        running = [interauth.start("call", "-d", str(i), service.origin + "/app") for i in range(16)]
        results = [interauth.finish(process) for process in running]
        assert [result.returncode for result in results] == [0] * 16, [result.stderr for result in results]
        assert sorted(int(json.loads(result.stdout)["body"]) for result in results) == list(range(16))
        assert len(service.requests("/app")) == 16, "a nonce was spent twice"
        assert 1 <= len(held()[0]["nonces"]) <= 16 and set(held()[0]["nonces"]) <= service.nonces
        running = [interauth.start("call", service.origin + "/app") for i in range(16)]
        assert [interauth.finish(process).returncode for process in running] == [0] * 16
        assert len(service.requests("/app")) == 32 and set(held()[0]["nonces"]) <= service.nonces

    def test_sixteen_at_once_request_one_grant(self, interauth, held, service, secret):
        running = [interauth.start("call", "--endpoint", service.base, "--uid", UID, "--secret-file", secret.path,
                                   "--capability", "read", service.origin + "/app") for i in range(16)]
        assert [interauth.finish(process).returncode for process in running] == [0] * 16
        assert len(service.grants) == 1

    def test_no_secret_in_the_arguments(self, interauth, ask, service):
        ask()
        service.response = (200, [], b"x" * 10)
        process = interauth.start("call", "-T", "-", service.origin + "/app", stdin=-1)
        deadline = time.monotonic() + 10
        arguments = b""
        while service.origin.encode() not in arguments and time.monotonic() < deadline:
            with open("/proc/%d/cmdline" % process.pid, "rb") as file:
                arguments = file.read()
        interauth.finish(process, b"body")
        assert arguments.split(b"\0")[1] == b"call"
        assert not any(canary.encode() in arguments for canary in interauth.canaries)


class TestRequest:
    DIGEST = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}

    def field(self, data, algorithm="sha-256"):
        return "%s=:%s:" % (algorithm, base64.b64encode(self.DIGEST[algorithm](data).digest()).decode())

    def arrived_request(self, result):
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def test_data(self, interauth, ask, service):
        ask()
        seen = self.arrived_request(interauth("call", "-d", "a=b\r\nc", service.origin + "/app"))
        assert (seen["method"], seen["body"]) == ("POST", "a=b\r\nc")
        assert seen["headers"]["content-type"] == "application/x-www-form-urlencoded"
        assert seen["headers"]["content-digest"] == self.field(b"a=b\r\nc")
        assert seen["headers"]["user-agent"].startswith("interauth/")

    @pytest.mark.parametrize("data", [b"", b"line\n", bytes(range(256)) * 1000])
    def test_files_and_standard_input(self, interauth, ask, service, data):
        ask()
        path = interauth.home / "body"
        path.write_bytes(data)
        for arguments, stdin in ((["-d", "@%s" % path], None), (["-d", "@-"], data), (["-T", path], None),
                                 (["-T", "-"], data)):
            seen = self.arrived_request(interauth("call", *arguments, service.origin + "/app", data=stdin))
            assert seen["method"] == ("POST" if arguments[0] == "-d" else "PUT")
            assert seen["body"].encode("latin-1") == data
            assert seen["headers"]["content-digest"] == self.field(data)
            assert seen["headers"]["content-length"] == str(len(data))
        assert sorted(path.name for path in interauth.home.iterdir()) == [".local", "body", "secret"]

    def test_a_body_is_sent_again_after_a_stale_nonce(self, interauth, ask, service):
        data = os.urandom(300000)
        ask()
        service.nonces.clear()
        seen = self.arrived_request(interauth("call", "-T", "-", service.origin + "/app", data=data))
        assert seen["body"].encode("latin-1") == data
        assert [body for _, _, _, body in service.requests("/app")] == [data, data]

    def test_headers_method_and_digest(self, interauth, ask, service):
        ask()
        seen = self.arrived_request(interauth("call", "-X", "PATCH", "-H", "X-One: 1", "-H", "X-Empty:", "--digest=sha-512",
                                   "-HContent-Type: text/plain", "-d{}", service.origin + "/app"))
        assert seen["method"] == "PATCH" and seen["headers"]["content-type"] == "text/plain"
        assert (seen["headers"]["x-one"], seen["headers"]["x-empty"]) == ("1", "")
        assert seen["headers"]["content-digest"] == self.field(b"{}", "sha-512")
        own = self.arrived_request(interauth("call", "-H", "Content-Digest: sha-256=:AAAA:", "-d", "x", service.origin + "/app"))
        assert own["headers"]["content-digest"] == "sha-256=:AAAA:"
        assert "content-digest" not in self.arrived_request(interauth("call", service.origin + "/app"))["headers"]

    def test_a_missing_body_file(self, interauth, ask, service):
        ask()
        assert interauth("call", "-T", interauth.home / "missing", service.origin + "/app").returncode == 3
        assert interauth("call", "-T", interauth.home, service.origin + "/app").returncode == 3
        assert not service.requests("/app")


class TestResponse:
    def response(self, interauth, ask, service, status, headers=(), body=b"", arguments=()):
        ask()
        service.response = (status, list(headers), body)
        return interauth("call", *arguments, service.origin + "/app")

    @pytest.mark.parametrize("status, expected", [(200, 0), (204, 0), (404, 1), (418, 1), (500, 3), (503, 3)])
    def test_exit_status(self, interauth, ask, service, status, expected):
        result = self.response(interauth, ask, service, status, body=b"" if status == 204 else b"output")
        assert result.returncode == expected
        assert result.stdout == ("" if status == 204 else "output")
        assert result.stderr == ("" if expected == 0 else
                                 "interauth call: the server responded with HTTP %d\n" % status)

    def test_redirects_are_not_followed(self, interauth, ask, service):
        result = self.response(interauth, ask, service, 302, [("Location", service.origin + "/open")], b"there")
        assert (result.returncode, result.stdout) == (0, "there")
        assert not service.requests("/open")

    def test_include(self, interauth, ask, service):
        result = self.response(interauth, ask, service, 200, [("X-Note", "yes")], b"body", ["-i"])
        head, body = result.stdout.split("\r\n\r\n")
        assert head.startswith("HTTP/1.1 200 OK\r\n") and "X-Note: yes" in head and body == "body"

    def test_output_to_standard_output_and_clustered_options(self, interauth, ask, service):
        result = self.response(interauth, ask, service, 200, [("X-Note", "yes")], b"body", ["-iXPOST", "-o", "-"])
        assert result.stdout.startswith("HTTP/1.") and result.stdout.endswith("\r\n\r\nbody")
        assert not (interauth.home / "-").exists()
        result = self.response(interauth, ask, service, 200, body=b"body", arguments=["--outp=-"])
        assert result.stdout == "body"

    def test_output_and_json(self, interauth, ask, service):
        body = os.urandom(3000000)
        path = interauth.home / "out"
        result = self.response(interauth, ask, service, 200, body=body, arguments=["--json", "-o", path])
        assert json.loads(result.stdout) == {"status": 200, "content_type": "text/plain", "bytes": len(body)}
        assert path.read_bytes() == body
        service.response = None
        refused = interauth("call", "--json", "-o", path, service.origin + "/app/denied")
        assert refused.returncode == 1
        assert json.loads(refused.stdout)["error"]["code"] == "insufficient_capability"
        assert json.loads(path.read_text())["code"] == "insufficient_capability"

    def test_output_that_cannot_be_written(self, interauth, ask, service):
        result = self.response(interauth, ask, service, 200, body=b"x" * 100, arguments=["-o", "/dev/full"])
        assert result.returncode == 3
        assert interauth("call", "-o", interauth.home / "no/where", service.origin + "/app").returncode == 3

    def test_head(self, interauth, ask, service):
        result = self.response(interauth, ask, service, 200, body=b"xyz", arguments=["-X", "HEAD", "-i"])
        assert result.returncode == 0 and "Content-Length: 3" in result.stdout

    @pytest.mark.parametrize("body, seen", [(b"no newline", "no newline\r\ninterauth call: "),
                                            (b"newline\n", "newline\r\ninterauth call: "), (b"", "interauth call: ")])
    def test_on_a_terminal_a_message_starts_on_a_new_line(self, interauth, ask, service, body, seen):
        ask()
        service.response = (404, [], body)
        ours, theirs = os.openpty()
        process = subprocess.Popen([interauth.path, "call", service.origin + "/app"], env=interauth.environment,
                                   stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=interauth.home)
        assert process.wait(timeout=60) == 1
        os.close(theirs)
        text = os.read(ours, 4096).decode()
        os.close(ours)
        assert text == seen + "the server responded with HTTP 404\r\n"

    def test_a_problem_that_is_too_long_is_a_fault(self, interauth, ask, service):
        ask()
        service.response = (400, [("Content-Type", "application/problem+json")], b" " * 1100000)
        assert interauth("call", service.origin + "/app").returncode == 3


class TestState:
    def test_that_everyone_can_read_is_refused(self, interauth, ask, service):
        ask()
        interauth.state.chmod(0o644)
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1 and "everyone can read these tokens; make it private" in result.stderr
        interauth.state.chmod(0o640)
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 0 and "warning" in result.stderr
        assert stat.S_IMODE(interauth.state.stat().st_mode) == 0o600

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"version":2,"grants":[]}', '{"version":1,"grants":[{}]}',
                                      '{"version":1,"grants":[]}x'])
    def test_that_is_malformed_is_a_fault_and_stays(self, interauth, ask, text):
        interauth.state.parent.mkdir(parents=True)
        interauth.state.touch(mode=0o600)
        interauth.state.write_text(text)
        ask(expect=3)
        assert interauth.state.read_text() == text

    def test_is_never_a_link(self, interauth, ask):
        interauth.state.parent.mkdir(parents=True)
        interauth.state.symlink_to(interauth.home / "elsewhere")
        ask(expect=3)
        assert not (interauth.home / "elsewhere").exists()

    def test_in_another_file(self, interauth, service, secret, ask):
        path = interauth.home / "my.json"
        ask("--state", path)
        assert not interauth.state.exists() and stat.S_IMODE(path.stat().st_mode) == 0o600
        assert interauth("call", "--state", path, service.origin + "/app").returncode == 0
        xdg = {"XDG_STATE_HOME": str(interauth.home / "xdg")}
        interauth("grant", "--url", service.base, "--uid", UID, "--secret-file", secret.path, "--capability", "read",
                  environment=xdg)
        assert (interauth.home / "xdg/interauth/state.json").exists()

    def test_check_looks_at_it(self, interauth, ask, held):
        ask("--lifespan", "1", "--hash", "sha1")
        time.sleep(1.1)
        result = interauth("check", "--state", interauth.state, "--json")
        assert result.returncode == 0
        assert [one["code"] for one in json.loads(result.stdout)["findings"]] == ["expired", "weak_hash"]
        interauth.state.chmod(0o604)
        result = interauth("check", "--state", interauth.state)
        assert result.returncode == 1 and "everyone can read these tokens" in result.stdout
        assert "secret" not in result.stdout + result.stderr


class TestGrantsAndForget:
    @pytest.fixture
    def two(self, interauth, ask, service, secret):
        ask("--grant", "orders", "--nonces", "3")
        other = Service("other", secret.raw)
        result = interauth("grant", "--url", other.base, "--uid", "other", "--secret-file", secret.path,
                           "--capability", "update", "--capability", "read", "--lifespan", "1")
        assert result.returncode == 0
        interauth.canaries.update(other.grants, service.nonces, other.nonces)
        yield other
        other.close()

    def test_none(self, interauth):
        result = interauth("grants")
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "interauth grants: there are no grants\n")
        assert json.loads(interauth("grants", "--json").stdout) == {"grants": []}
        assert interauth("forget", "--all").returncode == 0
        assert interauth("forget", "orders").returncode == 1
        assert not interauth.state.exists()

    def test_list(self, interauth, two, service, held):
        output = json.loads(interauth("grants", "--json").stdout)["grants"]
        assert output[0] == {"grant": "orders", "endpoint": service.base, "uid": UID, "access_to": ["read"],
                           "expires": held()[0]["expires"], "can_refresh": True, "nonces": 3}
        assert (output[1]["endpoint"], output[1]["uid"], output[1]["access_to"]) == (two.base, "other", ["update", "read"])
        time.sleep(1.1)
        result = interauth("grants")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == (
            "grant orders: read at %s for %s\nexpires %s, can be refreshed, nonces: 3\n"
            "grant %s: update,read at %s for other\nexpired %s, can be refreshed, nonces: 1\n" % (
                service.base, UID, held()[0]["expires"], held()[1]["name"], two.base, held()[1]["expires"]))
        assert len(service.seen) == 1, "no server is asked"

    def test_without_a_token(self, interauth, ask):
        ask()
        state = json.loads(interauth.state.read_text())
        del state["grants"][0]["token"]
        interauth.state.write_text(json.dumps(state))
        assert interauth("grants").stdout.endswith("\nno token\n")
        assert "expires" not in json.loads(interauth("grants", "--json").stdout)["grants"][0]

    def test_forget_one(self, interauth, two, service, held):
        before = interauth.state.read_text()
        assert interauth("forget", "nosuch").returncode == 1
        assert interauth.state.read_text() == before
        result = interauth("forget", "orders")
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == "forgot grant orders at %s for %s\n" % (service.base, UID)
        assert [one["uid"] for one in held()] == ["other"]
        assert stat.S_IMODE(interauth.state.stat().st_mode) == 0o600
        assert interauth("call", service.origin + "/app").returncode == 1

    def test_forget_all(self, interauth, two, held):
        assert interauth("forget", "--all").stdout.count("forgot grant ") == 2
        assert held() == []

    def test_elsewhere(self, interauth, ask):
        path = interauth.home / "my.json"
        ask("--state", path)
        name = json.loads(interauth("grants", "--state", path, "--json").stdout)["grants"][0]["grant"]
        assert interauth("forget", "--state", path, name).returncode == 0
        assert json.loads(path.read_text())["grants"] == [] and not interauth.state.exists()


class TestRefresh:
    def test_extends_the_lifetime_of_the_token(self, interauth, ask, held, service):
        ask("--lifespan", "5")
        before = held()[0]
        result = interauth("refresh", "--lifespan", "600", "--json")
        after = held()[0]
        assert result.returncode == 0
        assert after["token"] == before["token"] and after["expires"] > before["expires"]
        assert json.loads(result.stdout)["expires"] == after["expires"]
        body = json.loads(dict(urllib.parse.parse_qsl(service.requests("/sauth/refresh_access")[0][3].decode()))["body"])
        assert body == {"token": before["token"], "token_lifespan": 600, "uid": UID}
        assert interauth("refresh", "--url", service.base + "/", "--uid", UID).returncode == 0
        assert interauth("refresh", "--grant", after["name"]).returncode == 0

    def test_a_refusal(self, interauth, ask, service):
        ask()
        service.grants.clear()
        result = interauth("refresh")
        assert result.returncode == 1 and "No such token (token_unknown, HTTP 403)" in result.stderr

    def test_without_a_grant(self, interauth, service):
        assert interauth("refresh").returncode == 1
        assert interauth("refresh", "--url", service.base).returncode == 1


class TestCheckServer:
    def check(self, interauth, url):
        result = interauth("check", "--url", url, "--json")
        output = json.loads(result.stdout)
        return result.returncode, [(one["weight"], one["code"]) for one in output["findings"]], output

    def test_a_good_one(self, interauth, service):
        status, findings, output = self.check(interauth, service.origin + "/open")
        assert (status, findings) == (0, []) and abs(output["clock_offset"]) <= 1

    def test_an_endpoint_gets_no_unknown_method(self, interauth, service):
        assert self.check(interauth, service.base + "/challenge")[0] == 0
        assert [seen[:2] for seen in service.seen] == [("HEAD", "/"), ("TRACE", "/")]

    @pytest.mark.parametrize("offset, text", [(0, "clock: the server agrees with this machine\n"),
                                              (3, "clock: the server is 3 s ahead of this machine\n"),
                                              (-3, "clock: the server is 3 s behind this machine\n")])
    def test_its_clock_in_words(self, interauth, service, offset, text):
        service.clock_offset = offset
        for _ in range(5):  # the second may end in the middle of an exchange
            while time.time() % 1 > 0.6:
                time.sleep(0.02)
            result = interauth("check", "--url", service.origin + "/open")
            if result.stdout.startswith(text):
                break
        assert result.stdout == text + "0 errors, 0 warnings\n"

    @pytest.mark.parametrize("offset, status, weight", [(100, 1, "error"), (-100, 1, "error"), (10, 0, "warning")])
    def test_its_clock(self, interauth, service, offset, status, weight):
        service.clock_offset = offset
        got, findings, output = self.check(interauth, service.origin + "/open")
        assert (got, findings) == (status, [(weight, "clock")]) and abs(output["clock_offset"] - offset) <= 1

    def test_trace(self, interauth, service):
        service.trace = True
        assert self.check(interauth, service.origin + "/open")[:2] == (0, [("warning", "trace")])

    def test_an_unreachable_server(self, interauth):
        assert self.check(interauth, "http://127.0.0.1:1/")[:2] == (3, [("fault", "unreachable")])


class TestLocationsThatAcceptSomethingElse:
    @pytest.mark.parametrize("headers, message", [
        ([("WWW-Authenticate", 'Challenge realm="photos"')], "this location accepts calls by challenge: interauth invoke METHOD http"),
        ([("WWW-Authenticate", 'Signature realm="photos"')], "this location accepts a signature alone: use --no-grant --sign FILE\n"),
        ([("Accept-Signature", 'sig1=("@method");created')], "this location accepts a signature alone: use --no-grant --sign FILE\n"),
        ([("WWW-Authenticate", 'Challenge realm="photos"'), ("WWW-Authenticate", 'SAuth realm="photos"')], None),
    ])
    def test_is_reported(self, interauth, ask, service, headers, message):
        ask()
        service.response = (401, headers, b"")
        result = interauth("call", service.origin + "/app")
        assert result.returncode == 1
        assert message in result.stderr if message else "this location" not in result.stderr


def test_a_lost_authorization_is_reported(interauth, ask, service):
    ask()
    headers = [("WWW-Authenticate", 'SAuth realm="orders"'), ("Content-Type", "application/problem+json")]
    service.response = (401, headers, b'{"title":"Credentials required","status":401,"code":"credentials_required"}')
    result = interauth("call", service.origin + "/app")
    assert result.returncode == 1 and "Authorization was sent but did not reach the server: does a proxy remove it?\n" in result.stderr


@pytest.mark.parametrize("status", [401, 403])
def test_a_required_signature_is_reported(interauth, ask, service, status):
    ask()
    headers = [("WWW-Authenticate", 'SAuth realm="orders"'), ("Content-Type", "application/problem+json")]
    service.response = (status, headers, b'{"title":"A signature is required","status":%d,"code":"signature_required"}' % status)
    result = interauth("call", service.origin + "/app")
    assert result.returncode == 1 and "interauth call: sign the request: use --sign FILE\n" in result.stderr


@pytest.mark.parametrize("code, hint", [
    ("invalid_credentials", "interauth grant: check the id %s and its secret; the server's error log shows the reason\n"),
    ("stale_timestamp", "interauth grant: compare the clocks with: interauth check --url http")])
def test_a_refused_access_request_says_what_to_check(ask, service, code, hint):
    service.access_refusal = code
    assert hint.replace("%s", service.uid) in ask(expect=1).stderr


class TestVerbose:
    """The canaries of every command ensure that no token or secret is shown."""

    def test_grant_call_and_refresh(self, interauth, ask, service, held):
        result = ask("-v")
        token = held()[0]["token"]
        lines = result.stderr.splitlines()
        assert "* POST %s/request_access" % service.base in lines and "< HTTP/1.1 200 OK" in lines
        sent = next(line for line in lines if line.startswith("> uid="))
        assert "&hmac=[masked]&body=" in sent and '"access_for":["read"]' in sent
        assert any(line.startswith("< {") and '"token": [masked]' in line for line in lines), result.stderr
        for arguments in (["call", "-v", service.origin + "/app"], ["refresh", "--verbose"],
                          ["check", "-v", "--url", service.origin + "/open"]):
            result = interauth(*arguments)
            assert result.returncode == 0 and token not in result.stderr
            assert "\n> " in result.stderr and "\n< HTTP/1.1" in result.stderr
            if arguments[0] == "call":
                assert "> Authorization: SAuth [masked]\n" in result.stderr
            if arguments[0] == "refresh":
                assert '"token":[masked]' in result.stderr

    @pytest.mark.parametrize("data", [
        "a=1&token=CANARY&b=2", "a=1&TOKEN=x%26CANARY%22CANARY&b=2", '{"a":1,"token" : "CANARY","b":2}',
        '{"a":1,"password":"x\\"CANARY","b":2}', "<a>1</a><secret>CANARY</secret><b>2</b>",
        "a=1&body=%7B%22token%22%3A%22CANARY%22%7D&b=2", '{"a":1,"text":"{\\"token\\":\\"CANARY\\"}","b":2}'])
    def test_bodies(self, interauth, ask, service, data):
        ask()
        service.response = (400, [("Content-Type", "application/problem+json"), ("Set-Cookie", "CANARY")], data.encode())
        result = interauth("call", "-v", "-d", data, "-H", "Cookie: CANARY", service.origin + "/app")
        assert result.stderr.count("[masked]") >= 5 and "CANARY" not in result.stderr, result.stderr
        assert [line for line in result.stderr.splitlines() if line[0] == ">" and "a" in line and "b" in line and "2" in line]

    def test_the_terminal_is_not_controlled(self, interauth, ask, service):
        ask()
        service.response = (403, [("Content-Type", "application/problem+json")], b"\x1b[2Jx")
        assert "< ?[2Jx\n" in interauth("call", "-v", service.origin + "/app").stderr

    def test_nothing_without(self, interauth, ask, service):
        assert ask().stderr == ""


class TestErrorsAsJson:
    @pytest.mark.parametrize("arguments, status, code, message", [
        (["grant", "--json", "--nosuch"], 2, "usage", "unknown option --nosuch"),
        (["grant", "--nonces", "0", "--json"], 2, "usage", "--nonces takes a number"),
        (["call", "--json", "-o", "f", "http://127.0.0.1:1/"], 1, "refused", "there is no grant"),
        (["refresh", "--json"], 1, "refused", "there is no such grant"),
        (["forget", "--json", "g"], 1, "refused", "no grant named g"),
        (["participant", "list", "--file", "missing", "--json"], 3, "fault", "missing: "),
        (["verify", "--json", "--key", "missing", "request"], 3, "fault", "missing: "),
        (["explain", "--json", "--key", "missing", "request"], 3, "fault", "missing: "),
        (["sign", "--json", "--key", "missing", "http://127.0.0.1/"], 3, "fault", "missing: "),
        (["keygen", "--json", "--kid", "a b", "f"], 2, "usage", "--kid"),
        (["secret", "--json", "/no/where"], 3, "fault", "/no/where: "),
        (["check", "--json"], 2, "usage", "nothing to check"),
    ])
    def test_one_shape(self, interauth, arguments, status, code, message):
        result = interauth(*arguments)
        output = json.loads(result.stdout)
        assert result.returncode == status, result.stderr
        assert list(output) == ["error"] and sorted(output["error"]) == ["code", "message"]
        assert output["error"]["code"] == code and message in output["error"]["message"]
        assert output["error"]["message"] in result.stderr

    @pytest.mark.parametrize("status, code", [(404, "http_404"), (500, "http_500")])
    def test_a_response_without_a_code(self, interauth, ask, service, status, code):
        ask()
        service.response = (status, [], b"no")
        result = interauth("call", "--json", "-o", interauth.home / "out", service.origin + "/app")
        assert json.loads(result.stdout)["error"] == {"code": code, "message": "the server responded with HTTP %d" % status}

    def test_forget(self, interauth, ask, service):
        ask("--grant", "mine")
        output = {"forgotten": [{"grant": "mine", "endpoint": service.base, "uid": UID}]}
        assert json.loads(interauth("forget", "--json", "mine").stdout) == output
        assert json.loads(interauth("forget", "--json", "--all").stdout) == {"forgotten": []}


class TestStoredOptions:
    def test_a_replaced_grant_is_reported(self, interauth, ask, service):
        ask("--grant", "mine")
        output = "this replaces grant mine for read; to get all of them, use --capability update,read\n"
        result = interauth("grant", "--url", service.base, "--uid", UID, "--capability", "update",
                           "--secret-file", interauth.home / "secret")
        assert result.returncode == 0 and output in result.stderr
        again = interauth("grant", "--url", service.base, "--uid", UID, "--capability", "update",
                          "--secret-file", interauth.home / "secret")
        assert "replaces" not in again.stderr

    @pytest.mark.parametrize("verb", ["call", "refresh"])
    def test_a_secret_file_that_works(self, interauth, ask, held, service, secret, verb):
        ask()
        other = interauth.home / "other"
        secret.path.rename(other)
        target = [service.origin + "/app"] if verb == "call" else []
        assert interauth(verb, "--secret-file", "other", *target).returncode == 0
        assert held()[0]["secret_file"] == str(other)
        assert interauth(verb, *target).returncode == 0

    def test_a_secret_file_that_does_not_work(self, interauth, ask, held, service, secret):
        ask()
        assert interauth("secret", "wrong").returncode == 0
        interauth("call", "--secret-file", "wrong", service.origin + "/app")
        interauth("refresh", "--secret-file", "wrong")
        assert held()[0]["secret_file"] == str(secret.path)


class TestTls:
    def test_tls_to_a_port_without_tls(self, interauth, service):
        assert interauth("secret", "made").returncode == 0
        output = interauth("call", "--no-grant", "--sign-secret", "made", "--uid", "u", service.origin.replace("http:", "https:"))
        assert output.returncode == 3 and "does this port require http://?" in output.stderr

    @pytest.fixture
    def certificate(self, interauth):
        pair = [interauth.home / "cert.pem", interauth.home / "key.pem"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                        "-out", pair[0], "-keyout", pair[1]], check=True, capture_output=True)
        return pair

    def test_only_a_trusted_server_is_used(self, interauth, secret, certificate):
        service = Service(UID, secret.raw, certificate)
        try:
            ask = ["grant", "--url", service.base, "--uid", UID, "--secret-file", secret.path, "--capability", "read"]
            assert interauth(*ask).returncode == 3
            assert service.seen == []
            assert interauth(*ask, "--cacert", certificate[0]).returncode == 0
            assert interauth("call", service.origin + "/app").returncode == 0
            assert interauth("check", "--url", service.origin).returncode == 3
            plain = interauth("grant", "--url", service.base.replace("https:", "http:"), *ask[3:])
            assert plain.returncode == 3 and "does this port require https://?" in plain.stderr
            assert interauth("check", "--url", service.origin, "--cacert", certificate[0]).returncode == 0
        finally:
            service.close()
