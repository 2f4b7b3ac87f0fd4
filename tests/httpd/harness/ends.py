"""Stops and crashes of a server."""
import os
import signal
import time
from pathlib import Path

ENDED_BADLY = "AH00098|AH01241|AH00489|AH00052|Unclean shutdown|cgid"


def with_state(make_server, site, start=True):
    """A server with a directory for state files."""
    return make_server(site, start, lambda server: (server.root / "state").mkdir(mode=0o700))


def again(server):
    """A clean stop, and a start."""
    server.stop()
    return server.start()


def end_uncleanly(server):
    """kill -9 of the parent and of every child; returns when all of them are gone."""
    children = server.children()
    server.process.kill()
    server.process.wait()
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + 20
    while any(is_running(pid) for pid in children) or server.listens():
        assert time.monotonic() < deadline, "a killed child lives"
        time.sleep(0.01)
    server.process = None


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def after_crash(server):
    server.log.allow(ENDED_BADLY)
    end_uncleanly(server)
    return server.start()


def stop_without_directory(server, ours, at_risk):
    """If the directory of a state file is missing at a stop, the log says that nothing was saved, also after a reload."""
    state, hidden = server.root / "state", server.root / "hidden"
    for reload in (False, True):
        state.rename(hidden)
        if reload:
            server.log.expect(ours + ".*No such file")
            server.graceful()
        server.stop()
        hidden.rename(state)
        line = server.log.wait(f"{ours}.*nothing was saved at this stop: {at_risk}", 2 if reload else 1)[-1]
        assert str(state) in line
        server.log.expect(ours + ".*nothing was saved at this stop")
        server.start()
