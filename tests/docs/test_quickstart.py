"""./quickstart, as a new user runs it."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from pages import TOP

STEPS = 14


def left_over(temporary):
    return sorted(path.name for path in temporary.iterdir())


@pytest.fixture
def temporary():
    """A TMPDIR that a server's workers can enter (pytest's own is private), and that is seen to be empty afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="interauth-docs-"))
    directory.chmod(0o755)
    yield directory
    left = left_over(directory)
    shutil.rmtree(directory)
    assert left == []


def test_once_then_until_interrupted(source, temporary):
    environ = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([source / "quickstart", "--once"], env=environ, capture_output=True, text=True, timeout=600,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.rstrip().endswith("All steps succeeded.")
    assert [line.split(".")[0] for line in done.stdout.splitlines() if line[:1].isdigit()] == [
        str(number) for number in range(1, STEPS + 1)]
    for reason in ("credentials_missing", "digest_mismatch", "nonce_replayed", "capability_missing", "mac_mismatch",
                   "sig_mismatch", "call_replayed"):
        assert f"reason={reason}" in done.stdout
    assert left_over(temporary) == []

    # Built already, it starts at once and stays until Ctrl-C; nothing of it is left then.
    running = subprocess.Popen([source / "quickstart"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, stdin=subprocess.DEVNULL, start_new_session=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a shell's "&" ignores it
    try:
        said = ""
        for line in running.stdout:
            said += line
            if line.startswith("The configuration is "):
                break
        assert "The configuration is " in said, said
        address = next(line.split()[-1] for line in said.splitlines() if line.strip().startswith("curl -i "))
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address, timeout=10)
        assert refused.value.code == 401
        for line in said.splitlines():
            if line.startswith("  ") and "/interauth " in line:
                tried = subprocess.run(["bash", "-c", line], env={**environ, "XDG_STATE_HOME": address_state(said)},
                                       capture_output=True, text=True, timeout=60, check=False)
                assert tried.returncode == 0, line + tried.stdout + tried.stderr
        os.killpg(running.pid, signal.SIGINT)
        assert running.wait(30) == 130
    finally:
        if running.poll() is None:
            running.terminate()
            running.wait(30)
        running.stdout.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=1)
        except urllib.error.HTTPError:
            time.sleep(0.1)
        except urllib.error.URLError:
            break
    else:
        pytest.fail("httpd still runs")


def address_state(said):
    return next(line.split("=", 1)[1] for line in said.splitlines() if line.strip().startswith("export XDG_STATE_HOME="))


@pytest.mark.parametrize("command", ["quickstart", "runtests"])
class TestArguments:
    def run(self, command, *arguments, environ=None):
        return subprocess.run([TOP / command, *arguments], capture_output=True, text=True, env=environ, timeout=120,
                              stdin=subprocess.DEVNULL, check=False)

    def test_help(self, command):
        done = self.run(command, "--help")
        assert done.returncode == 0 and done.stdout.startswith(f"usage: ./{command}")

    def test_wrong(self, command):
        done = self.run(command, "--onec")
        assert done.returncode == 2 and f"usage: ./{command}" in done.stderr

    def test_nothing_is_missing(self, command):
        done = self.run(command, "--deps-only")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_missing(self, command, tmp_path):
        """Without root: the line to run, and status 3. dpkg-query says that a package is not there."""
        bin_dir = tmp_path / "bin"
        bin_dir.mkdir()
        (bin_dir / "dpkg-query").write_text("#!/bin/sh\nfor name; do :; done\n[ \"$name\" = make ] || echo installed\n")
        (bin_dir / "id").write_text("#!/bin/sh\necho 1000\n")
        for name in ("apt-get", "sudo", "su"):
            (bin_dir / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/called-{name}\n")
        for path in bin_dir.iterdir():
            path.chmod(0o755)
        done = self.run(command, "--deps-only", environ={"PATH": f"{bin_dir}:/usr/bin:/bin"})
        assert done.returncode == 3 and done.stdout == ""
        assert done.stderr.endswith("apt-get update && apt-get install --no-install-recommends make\n")
        assert not list(tmp_path.glob("called-*"))
