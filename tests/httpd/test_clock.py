"""The settable clock is in the modules that tests load, and not in those that are installed."""
import re
import subprocess
from pathlib import Path

import pytest

from harness import BASIC, PAGE, Client, Site, passed, refused
from harness.locate import OURS, build_dir, our_module

MARK = b"INTERAUTH_TEST_CLOCK"


@pytest.mark.parametrize("name", OURS)
def test_installed_modules_have_no_settable_clock(name):
    if build_dir() is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    installed = build_dir() / "modules" / name / ".libs" / f"mod_{name}.so"
    assert MARK in Path(our_module(name)).read_bytes()
    assert MARK not in installed.read_bytes()
    for path in (installed, our_module(name)):
        exported = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True).stdout
        assert re.findall(r" [A-Z] (\w+)", exported) == [f"{name}_module"]


class TestClock:
    site = Site(config=BASIC)

    def test_every_worker_follows_it(self, server, client):
        for _ in range(8):
            passed(client.get(PAGE))
        server.clock.advance(3601)
        for _ in range(8):
            refused(server, client.get(PAGE), 401, "token_expired", "grant_expired", level="info")
        passed(Client(server).granted().get(PAGE))
