"""Restarts, killed children and long requests: grants stay valid, and used nonces stay used."""
import threading
import time

import pytest

from harness import BASIC, Client, PAGE, Shown, Site, digest, passed, refused, together
from harness.ends import after_crash

BODY = b'{"order": 17}'


class TestGraceful:
    site = Site(config=BASIC)

    def test_grants_and_nonces_survive(self, server):
        client = Client(server).granted(nonces=8)
        held_fresh, used = client.generate(), client.header(client.generate())
        passed(server.get(PAGE, {"Authorization": used}))
        for _ in range(3):
            server.graceful()
            newest = passed(server.get(PAGE, {"Authorization": client.header()})).nextnonce
            refused(server, server.get(PAGE, {"Authorization": used}), 401, "replayed_nonce", "nonce_replayed")
        passed(server.get(PAGE, {"Authorization": client.header(held_fresh)}))
        passed(server.get(PAGE, {"Authorization": client.bare(newest)}))
        assert client.refresh().status == 200

    def test_access_requests_stay_used(self, server):
        client = Client(server)
        form = client.form(client.body())
        assert client.submit("request_access", form).status == 200
        server.graceful()
        refused(server, client.submit("request_access", form), 401, "replayed_request", "access_replayed")

    def test_no_second_warm_up(self, server):
        """A reload does not start the warm-up of the replay cache again."""
        Client(server).granted()
        server.graceful()
        assert Client(server).ask().status == 200

    def test_old_and_new_workers_share_their_state(self, server):
        """A request of an old worker continues while new ones serve: no nonce can be used in both."""
        client = Client(server).granted(nonces=4)
        slow = client.header()
        responses = []
        thread = threading.Thread(target=lambda: responses.append(
            server.get("/cgi-bin/orders?sleep=1.5", {"Authorization": slow})))
        thread.start()
        deadline = time.monotonic() + 5
        while "/cgi-bin/orders GET" not in server.journal() and time.monotonic() < deadline:
            time.sleep(0.01)
        server.graceful()
        refused(server, server.get(PAGE, {"Authorization": slow}), 401, "replayed_nonce", "nonce_replayed")
        passed(server.get(PAGE, {"Authorization": client.header()}))
        thread.join()
        passed(server.get(PAGE, {"Authorization": client.header(passed(responses[0]).nextnonce)}))

    def test_under_load(self, server):
        """Chains of nonces continue through ten reloads without a refusal."""
        stop = threading.Event()
        counts, wrong = [], []

        def chain():
            client, count = Client(server).granted(), 0
            while not stop.is_set():
                value = client.header()
                try:
                    response = server.get(PAGE, {"Authorization": value})
                except (EOFError, ConnectionError, AssertionError) as error:
                    wrong.append(repr(error))
                    return
                if response.status != 200:
                    wrong.append(repr(response))
                    return
                client.take(response)
                count += 1
            counts.append(count)

        threads = [threading.Thread(target=chain) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            server.graceful()
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == [] and len(counts) == 4 and min(counts) > 0

    def test_capacities_changed(self, server, client):
        server.configure("SAuthGrantCapacity 77\nSAuthReplayCapacity 78\n" + BASIC)
        server.graceful()
        server.log.wait(r"\[sauth:notice\] .*SAuthGrantCapacity 77 .*stop and start")
        server.log.wait(r"\[sauth:notice\] .*SAuthReplayCapacity 78 .*stop and start")
        passed(client.get(PAGE))
        server.configure(BASIC)
        server.graceful()

    def test_rules_changed(self, server, client):
        server.configure(BASIC.replace("Require capability read", "Require capability update"))
        server.graceful()
        refused(server, client.get(PAGE), 403, "insufficient_capability", "capability_missing")
        server.configure(BASIC)
        server.graceful()
        passed(client.get(PAGE))


class TestStop:
    """Without a state file a stop ends every grant; older tokens and nonces are refused."""

    site = Site(config=BASIC)

    def test_everything_is_forgotten(self, server):
        client = Client(server).granted()
        token, form = client.token, client.form(client.body())
        assert client.submit("request_access", form).status == 200
        server.stop()
        server.start()
        refused(server, server.get(PAGE, {"Authorization": client.header(token=token)}), 401, "invalid_credentials",
                "token_unknown")
        refused(server, client.submit("request_access", form), 503, "starting", "replay_cache_warming", level="info")
        passed(client.granted().get(PAGE))

    def test_older_fresh_nonces_are_stale(self, server):
        nonce = Client(server).generate()
        server.stop()
        server.start()
        client = Client(server).granted()
        refused(server, client.get(PAGE, nonce=nonce), 401, "stale_nonce", "nonce_foreign|nonce_stale", level="info")
        passed(client.get(PAGE))

    def test_killed_parent(self, server):
        """kill -9 of the parent."""
        Client(server).granted()
        after_crash(server)
        passed(Client(server).granted().get(PAGE))


class TestKilledChildren:
    """kill -9 of any worker at any time: nothing hangs, and used nonces stay used."""

    site = Site(config="".join(f"SAuth{what} 100000\n" for what in ("GrantCapacity", "GrantQuota", "ReplayCapacity",
                                                                    "ReplayQuota")) + BASIC)

    def workers(self, server):
        """Live workers that have served; a request is in the log only after its response."""
        deadline = time.monotonic() + 5
        while not (found := [pid for pid in dict.fromkeys(server.served_by()) if pid in server.children()]):
            assert time.monotonic() < deadline, "no worker that lives has served"
            time.sleep(0.01)
        return found

    def test_between_requests(self, server):
        client = Client(server).granted(nonces=32)
        used = []
        for _ in range(5):
            used.append(client.header())
            passed(server.get(PAGE, {"Authorization": used[-1]}))
            server.kill(self.workers(server)[-1])
            passed(server.get(PAGE, {"Authorization": client.header()}))
        for value in used:
            refused(server, server.get(PAGE, {"Authorization": value}), 401, "replayed_nonce", "nonce_replayed")

    def test_under_load(self, server):
        """Workers are killed while they serve: each value is valid at most once, and other requests succeed."""
        clients = [Client(server).granted(nonces=32) for _ in range(4)]
        accepted, lock, stop = {}, threading.Lock(), threading.Event()

        def load(client):
            while not stop.is_set() and client.nonces:
                value = client.header()
                for _ in range(2):
                    try:
                        response = server.get(PAGE, {"Authorization": value})
                    except (EOFError, ConnectionError, OSError):
                        continue
                    if response.status == 200:
                        with lock:
                            accepted[value] = accepted.get(value, 0) + 1
                        client.nonces.append(response.nextnonce)
        server.log.allow("reason=nonce_replayed|AH0")
        threads = [threading.Thread(target=load, args=[client]) for client in clients]
        for thread in threads:
            thread.start()
        for _ in range(12):
            time.sleep(0.1)
            workers = self.workers(server)
            if workers:
                server.kill(workers[-1])
        stop.set()
        for thread in threads:
            thread.join()
        assert accepted and set(accepted.values()) == {1}
        for client in clients:
            client.granted()
            passed(client.get(PAGE))
            assert client.refresh().status == 200

    def test_while_it_makes_grants(self, server):
        stop, made = threading.Event(), []

        def load():
            while not stop.is_set():
                try:
                    response = Client(server).ask()
                except (EOFError, ConnectionError, OSError):
                    continue
                assert response.status == 200, repr(response)
                made.append(response.json["token"])
        server.log.allow("AH0")
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(8):
            time.sleep(0.1)
            workers = self.workers(server)
            if workers:
                server.kill(workers[-1])
        stop.set()
        for thread in threads:
            thread.join()
        assert len(set(made)) == len(made) > 0
        client = Client(server)
        for token in made[-10:]:
            client.token = token
            passed(client.get(PAGE, nonce=client.generate()))


class TestOtherMpms:
    """The main flow with prefork and mod_cgi, and with worker."""

    @pytest.mark.parametrize("mpm", ["prefork", "worker"])
    def test_course(self, make_server, mpm):
        server = make_server(Site(config=BASIC + '<Location "/cgi-bin/orders">\nISign digest\n</Location>\n', mpm=mpm))
        client = Client(server).granted(nonces=16)
        values = [client.header(nonce) for nonce in client.nonces]
        responses = []
        together([lambda value=value: responses.append(server.get(PAGE, {"Authorization": value})) or 0
                  for value in values])
        assert [response.status for response in responses] == [200] * 16
        refused(server, server.get(PAGE, {"Authorization": values[0]}), 401, "replayed_nonce", "nonce_replayed")
        refused(server, server.get(PAGE), 401, "credentials_required", "credentials_missing", level="info")
        client.nonces = [response.nextnonce for response in responses]
        for chunked in (False, True):
            shown = Shown(passed(client.post("/cgi-bin/orders", BODY, {"Content-Digest": digest(BODY)},
                                             chunked=chunked)))
            assert shown.body == BODY and shown.env["SAUTH_PARTICIPANT"] == client.uid
            assert shown.env["ISIGN_RESULT"] == "verified"
        response = client.post("/cgi-bin/orders", BODY, {"Content-Digest": digest(b"x")})
        refused(server, response, 400, "digest_mismatch", "digest_mismatch", module="isign")
        server.graceful()
        passed(client.get(PAGE))
        refused(server, server.get(PAGE, {"Authorization": values[1]}), 401, "replayed_nonce", "nonce_replayed")
        assert client.refresh().status == 200
        passed(client.get(PAGE))
        server.restart()
        passed(client.granted().get(PAGE))
