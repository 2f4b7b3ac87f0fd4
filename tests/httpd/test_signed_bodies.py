"""Bodies of signed requests: when they are read, their limits, large bodies, HTTP/2."""
import base64
import hashlib
import os
import re
import shutil
import subprocess
import time

import pytest

from harness import OTHER, PAGE, Shown, Site, UID, Unstartable, digest, location, participant, together
from harness.locate import stock_dir
from harness.signed import BODY, ED, JSON, PEOPLE, STRANGER, opened, turned_away
from harness.signer import COVER, Signer


class TestBodies:
    site = Site(participants=PEOPLE, php_fcgi=True,
                config="ISignSpoolTotal 4M\n" + opened("in", "ISign digest", "Require signed", "ISignBody spool 16K 4M")
                + opened("stream", "ISign digest", "Require signed", "ISignBody stream")
                + opened("any", "ISign digest", "Require all granted", "ISignBody spool 16K 4M")
                + '<Location "/php">\nISign digest\nRequire signed\nISignBody stream\n</Location>\n')

    def test_continue_only_after_the_signature(self, server, signer):
        expect = {"Expect": "100-continue", "Content-Length": "13"}
        pairs = signer.headers("POST", "/in", {**JSON, **expect}, BODY)
        with server.connect() as connection:
            connection.send(server.message("POST", "/in", pairs))
            assert connection.interim()[0] == 100
            connection.send(BODY)
            assert Shown(connection.response()).body == BODY
        with server.connect() as connection:
            connection.send(server.message("POST", "/in", pairs))
            response = connection.response()
        turned_away(server, response, 401, "signature_replayed", "sig_nonce_replayed")
        assert response.interim == []

    @pytest.mark.parametrize("path", ["/in", "/stream"])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_broken_off(self, server, signer, path, chunked):
        pairs = signer.headers("POST", path, JSON, BODY)
        whole = server.message("POST", path, pairs, BODY, chunked=chunked)
        before = server.journal()
        server.log.allow("isign: (refused|aborted)|AH0")
        with server.connect() as connection:
            connection.send(whole[:-8])
            connection.half_close()
            try:
                assert connection.response().status >= 400
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
        """The application may get the beginning of a changed body, but never all of it."""
        body = os.urandom(size)
        pairs = signer.headers("POST", "/stream", JSON, body)
        response = server.post("/stream", body[:-1] + bytes([body[-1] ^ 1]), pairs, chunked=chunked)
        assert response.status != 200, repr(response)
        server.log.expect("isign: aborted reason=digest_mismatch .*the application had begun")
        server.log.allow("AH0")

    def test_stream_changed_is_never_whole(self, server, signer):
        """An application that reads Content-Length bytes does not get the last one."""
        body = b"?" + os.urandom(49999)
        pairs = signer.headers("POST", "/php/index.php", JSON, body)
        server.log.allow("isign: aborted|AH0|AH1|proxy")
        response = server.post("/php/index.php", b"!" + body[1:], pairs)
        assert response.status != 200 or len(Shown(response).body) < 50000

    def once_free(self, server, call):
        """The share of a body is released with its request, soon after the response."""
        server.log.allow("isign: refused reason=spool_(full|quota)")
        deadline = time.monotonic() + 5
        while (response := call()).status in (429, 503) and time.monotonic() < deadline:
            time.sleep(0.05)
        return response

    def test_total(self, server, signer):
        """All bodies of a participant share a quarter; what is released can be used again."""
        big = os.urandom(700000)
        pairs = signer.headers("POST", "/in", JSON, big)
        with server.connect() as holder:
            holder.send(server.message("POST", "/in", pairs, big)[:-1])
            time.sleep(0.5)
            response = signer.post("/in", big, JSON)
            turned_away(server, response, 429, "too_many_bodies", "spool_quota participant=.*")
            other = Signer(server, STRANGER, OTHER + "#theirs")
            assert Shown(other.post("/in", big)).body == big
            small = os.urandom(1000)
            assert Shown(signer.post("/in", small)).body == small
            holder.send(big[-1:])
            assert Shown(holder.response()).body == big
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
                server.log.allow("AH00052|AH0|isign: refused reason=(spool_quota|body_broken)")
                server.kill(holders[0])
            assert Shown(self.once_free(server, lambda: signer.post("/in", big))).body == big

    def test_above_the_share(self, server, signer):
        """A body that exceeds an empty share is too large."""
        turned_away(server, signer.post("/in", b"x" * (1 << 20 | 1), JSON), 413, "body_too_large", "body_too_large")

    def test_stalled_bodies_leave_room(self, server, signer):
        """When one participant and all other clients use their whole shares, another participant still has space."""
        held = []
        piece = os.urandom(500000)
        server.log.allow("isign: refused reason=(spool_quota|spool_full|body_broken)")
        try:
            for _ in range(6):
                held.append(server.connect())
                held[-1].send(server.message("POST", "/in", signer.headers("POST", "/in", JSON, piece), piece)[:-1])
            for _ in range(8):
                held.append(server.connect())
                held[-1].send(server.message("POST", "/any", {"Content-Digest": digest(piece)}, piece)[:-1])
            server.log.wait("isign: refused reason=spool_quota participant=")
            server.log.wait("isign: refused reason=spool_full")
            other = Signer(server, STRANGER, OTHER + "#theirs")
            body = os.urandom(400000)
            assert Shown(other.post("/in", body)).body == body
        finally:
            for connection in held:
                connection.close()
        assert Shown(self.once_free(server, lambda: signer.post("/in", piece))).body == piece

    def test_above_max(self, server, signer):
        server.log.allow("AH0")
        turned_away(server, signer.post("/in", b"x" * (5 << 20)), 413, "body_too_large", "body_too_large")


class TestSpoolFault:
    site = Site(participants=PEOPLE, config=opened("in", "ISign digest", "Require signed", "ISignBody spool 0 4M"))

    def test_no_temporary_file(self, make_server):
        """A body that cannot be stored is refused, not passed on unchecked."""
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
        responses = [signer.post("/in", BODY) for _ in range(16)]
        failed = [response for response in responses if response.status == 503]
        assert failed and all(response.status in (200, 503) for response in responses)
        assert len(server.journal()) == before + 16 - len(failed)
        turned_away(server, failed[0], 503, "unavailable", "fault_spool", level="error")
        server.log.expect(rf"\[isign:error\] .*\(2\)No such file or directory: .*a body cannot be stored in a file in {place}")

    def site_in(self, path):
        return Site(participants=PEOPLE, config=f"ISignSpoolDirectory {path}\n" + self.site.config)

    def test_directory(self, make_server):
        """Files are created in the configured directory only; a full disk and a missing directory are logged."""
        server = make_server(self.site_in("bodies"), start=False)
        place = server.root / "bodies"
        place.mkdir()
        place.chmod(0o777)
        server.environ = lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": "/nowhere"}
        server.start()
        signer = Signer(server, ED, UID + "#ed25519")
        assert Shown(signer.post("/in", BODY)).body == BODY
        place.chmod(0o700)  # root's alone
        turned_away(server, signer.post("/in", BODY), 503, "unavailable", "fault_spool", level="error")
        server.log.expect(rf"\(13\)Permission denied: .*isign: a body cannot be stored in a file in {place}")
        server.log.expect(rf"isign: ISignSpoolDirectory: no file can be created in {place}")
        server.graceful()
        assert server.get("/in").status == 403
        server.log.expect("isign: refused reason=signature_required")
        server.log.allow("AH01630")

    @pytest.mark.parametrize("mode, error", [(None, "(2)No such file or directory"), (0o700, "(13)Permission denied"),
                                             ("file", "(20)Not a directory")])
    @pytest.mark.skipif(os.getuid() != 0, reason="only root has another user to try")
    def test_directory_is_checked(self, make_server, mode, error):
        server = make_server(self.site_in("bodies"), start=False)
        place = server.root / "bodies"
        if mode == "file":
            place.write_text("")
        elif mode:
            place.mkdir(mode)
        good, said = server.check()
        assert not good and f"{error}: " in said and f"ISignSpoolDirectory: no file can be created in {place}" in said, said
        with pytest.raises(Unstartable):
            server.start()
        if mode != "file":
            place.mkdir(exist_ok=True)
            place.chmod(0o777)
            assert server.check()[0] and not list(place.iterdir())


def with_bodies(server):
    """Children that have an unlinked file of a body open."""
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
    """KiB of the largest child, without shared pages."""
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

    site = Site(participants=PEOPLE, config="ISignSpoolTotal 8G\nLimitRequestBody 0\n"
                + '<Directory "@ROOT@/sums">\nRequire all granted\n</Directory>\n'
                + "".join(f'ScriptAlias "/{name}" "@ROOT@/sums/sum"\n<Location "/{name}">\nISign digest\n'
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
            response = connection.response()
        most = max(most, resident(server))
        assert response.status == 200 and response.text.split()[:2] == [str(length), sums.hexdigest()]
        assert most - before < 8 << 10, f"{most - before} KiB more"


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
        """A body without a Content-Length is checked too."""
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


class TestManyCapabilities:
    """The cost of a request is linear in the length of its list, not quadratic."""

    names = [f"{'c' * 200}-{number}" for number in range(1024)]
    site = Site(participants=[participant(UID, names, keys=[ED.jwk("ed25519")])],
                config=location("/files", f"Require capability {names[-1]}", "SAuthAccept signature\nISign digest"))

    def test_memory(self, server, signer):
        before = resident(server)
        assert signer.get(PAGE).status == 200
        assert resident(server) - before < 8 << 10  # KiB
