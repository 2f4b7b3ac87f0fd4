"""The page about upgrades: its commands, one after the other, with a server and a root directory of the test."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import BASIC, PAGE, Client, Site, locate, passed
from harness.locate import OURS
from harness.signed import ED, PEOPLE, opened
from harness.signer import Signer
from harness.site import UID
from pages import block, read, rows
from test_guides import run

GUIDE = "docs/guides/upgrade.md"
TEXT = read(GUIDE)
STATE = 'SAuthStateFile "@ROOT@/state/grants"\nISignStateFile "@ROOT@/state/nonces"\n'


def installed(root):
    """What lies in a root directory."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink())


def make(build, root, target):
    run(f"make -C '{build}' {target} DESTDIR='{root}' prefix=/usr/local", root, dict(os.environ))


class TestUpgrade:
    @pytest.fixture
    def server(self, make_server, tmp_path, monkeypatch):
        """A server with a copy of the modules that can be replaced."""
        self.modules = {name: locate.our_module(name) for name in OURS}
        self.directory = tmp_path / "modules"
        self.directory.mkdir()
        self.install()
        monkeypatch.setattr(locate, "our_module", lambda name, folder="clock": self.directory / f"mod_{name}.so")
        server = make_server(Site(participants=PEOPLE, config=STATE + BASIC + opened("in", "ISign digest", "Require signed")),
                             start=False)
        (server.root / "state").mkdir(mode=0o700)
        return server.start()

    def install(self):
        for name, path in self.modules.items():
            subprocess.run(["install", path, self.directory / f"mod_{name}.so"], check=True)  # as `make install` does

    def follow(self, server, build, tmp_path, text, before_restart=lambda: None):
        def check():
            accepted, said = server.check()
            assert accepted, said

        def again():
            before_restart()
            server.stop()
            server.start()

        def make_install():
            make(build, tmp_path / "root", "install")
            self.install()

        steps = {"make install": make_install, "apache2ctl configtest": check, "systemctl restart apache2": again,
                 "systemctl reload apache2": server.graceful}
        for line in text.splitlines():
            steps[line]()

    def test_commands(self, server, build, tmp_path):
        """Grants, their nonces and used signatures stay; the server serves until the restart."""
        (tmp_path / "root").mkdir()
        client, signer = Client(server).granted(nonces=4), Signer(server, ED, UID + "#ed25519")
        pairs = signer.headers("GET", "/in")
        assert server.get("/in", pairs).status == 200
        inodes = {path.name: path.stat().st_ino for path in self.directory.iterdir()}
        self.follow(server, build, tmp_path, block(GUIDE, "Upgrade", "sh"), lambda: passed(client.get(PAGE)))
        assert all(path.stat().st_ino != inodes[path.name] for path in self.directory.iterdir())
        passed(client.get(PAGE))
        server.log.expect("isign: refused reason=sig_nonce_replayed")
        assert server.get("/in", pairs).status == 401
        assert server.get("/in", signer.headers("GET", "/in")).status == 200

    def test_reload(self, server):
        """A reload takes the new files and keeps grants."""
        def is_old():
            """Whether the parent process has the file that was replaced in memory."""
            maps = Path(f"/proc/{server.process.pid}/maps").read_text()
            found = re.findall(r"/mod_sauth\.so( \(deleted\))?$", maps, re.MULTILINE)
            assert found
            return any(found)

        client = Client(server).granted(nonces=4)
        assert not is_old()
        self.install()
        assert is_old()
        server.graceful()
        assert not is_old()
        passed(client.get(PAGE))
        server.restart()
        passed(client.get(PAGE))

    def test_capacities(self, server):
        """Those that the page lists come into force with a stop and start, and say so at a reload."""
        row = next(cells[0] for cells in rows(TEXT) if cells[0].startswith("`RegistryCapacity`"))
        names = re.findall(r"`(\w+)`", row)
        config = "".join(f"{name} 77\n" for name in names)
        server.configure(STATE + config + BASIC)
        server.graceful()
        said = "\n".join(server.log.wait(r":notice\] .*after a stop and start", 3))
        assert all(name in said for name in names) and len(names) == 5
        server.stop()
        before = len(server.log.matching("after a stop and start"))
        server.start()
        server.graceful()
        assert len(server.log.matching("after a stop and start")) == before


@pytest.mark.skipif(not shutil.which("a2dismod"), reason="a2dismod is not installed (Debian's package apache2)")
def test_uninstall(build, tmp_path):
    """What the commands of the installation made is gone, but what the page lists."""
    make(build, tmp_path, "install")
    for name in ("mods-available", "mods-enabled", "conf-available", "conf-enabled"):
        (tmp_path / "etc/apache2" / name).mkdir(parents=True)
    (tmp_path / "home/.local/state/interauth").mkdir(parents=True)
    (tmp_path / "home/.local/state/interauth/state.json").touch()
    for name in ("authn_core", "authz_core", "cgid"):
        (tmp_path / "etc/apache2/mods-available" / f"{name}.load").write_text(f"LoadModule {name}_module x\n")
    (tmp_path / "etc/apache2/conf-available/serve-cgi-bin.conf").touch()
    (tmp_path / "usr/lib/cgi-bin").mkdir(parents=True, exist_ok=True)
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("apache2ctl", "systemctl"):
        (commands / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/called"\n')
        (commands / name).chmod(0o755)
    env = {**os.environ, "APACHE_CONFDIR": str(tmp_path / "etc/apache2"), "HOME": str(tmp_path / "home"),
           "PATH": f"{commands}:{build}:{os.environ['PATH']}"}

    def here(text):
        for path in ("/usr/local", "/usr/lib/cgi-bin", "/etc/apache2", "/etc/interauth", "/var/lib/interauth"):
            text = text.replace(path, f"{tmp_path}{path}")
        return text.replace("make uninstall", f"make -C '{build}' uninstall DESTDIR='{tmp_path}' prefix=/usr/local")

    (tmp_path / "var/lib").mkdir(parents=True)
    for heading in ("Load the modules", "Create a participant", "Keep grants across restarts", "Protect an application"):
        run(here(block("docs/guides/debian.md", heading, "sh")), tmp_path, env)
    (tmp_path / "called").unlink()
    logs = block("docs/guides/debian.md", "See refusals in the log", "sh").splitlines()
    run(here("\n".join(line for line in logs if line.startswith(("echo", "a2enconf")))), tmp_path, env)
    run(here(block(GUIDE, "Uninstall", "sh")), tmp_path, env)
    assert (tmp_path / "called").read_text() == "apache2ctl configtest\nsystemctl restart apache2\n"
    mine = re.compile(r"interauth|sauth|isign|registry")
    left = [name for name in installed(tmp_path) if mine.search(name)]
    listed = {path for cells in rows(TEXT) for path in re.findall(r"`([^`]+)`", cells[0]) if "interauth" in path}
    assert left == ["etc/apache2/conf-available/interauth-log.conf", "etc/apache2/conf-available/interauth-state.conf",
                    "etc/apache2/conf-available/interauth.conf",
                    "etc/interauth/participants.json", "etc/interauth/shop.secret", "home/.local/state/interauth/state.json"]
    assert (tmp_path / "var/lib/interauth").is_dir()
    assert {"/etc/interauth", "/var/lib/interauth", "/etc/apache2/conf-available/interauth.conf", "interauth-state.conf",
            "interauth-log.conf", "~/.local/state/interauth"} < listed
    run(here(block(GUIDE, "Uninstall", "sh", 1)), tmp_path, env)
    assert [name for name in installed(tmp_path) if mine.search(name)] == left[:3]
    assert not (tmp_path / "var/lib/interauth").exists()
