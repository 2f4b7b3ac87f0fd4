"""Finds httpd, its modules, and the modules under test."""
import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

OURS = ("registry", "isign", "sauth")


def apxs(name):
    for program in ("apxs", "apxs2"):
        try:
            return subprocess.run([program, "-q", name], capture_output=True, text=True, check=True).stdout.strip()
        except FileNotFoundError:
            continue
    raise RuntimeError("apxs not found; on Debian: apt-get install apache2-dev")


@functools.lru_cache(maxsize=None)
def httpd():
    named = os.environ.get("INTERAUTH_HTTPD")
    return named or os.path.join(apxs("SBINDIR"), apxs("PROGNAME"))


@functools.lru_cache(maxsize=None)
def stock_dir():
    return Path(apxs("LIBEXECDIR"))


@functools.lru_cache(maxsize=None)
def static_modules():
    """Names such as "log_config" of the modules that are part of the httpd binary."""
    listing = subprocess.run([httpd(), "-l"], capture_output=True, text=True, check=True).stdout
    return {line.strip()[len("mod_"):-len(".c")] for line in listing.splitlines() if line.strip().startswith("mod_")}


@functools.lru_cache(maxsize=None)
def security2():
    """mod_security2 of Debian, installed or unpacked, or None."""
    named = os.environ.get("INTERAUTH_SECURITY2")
    path = Path(named) if named else stock_dir() / "mod_security2.so"
    return path if path.is_file() else None


@functools.lru_cache(maxsize=None)
def taker():
    """A module that reads bodies before all others (mod_taker.c), compiled once."""
    place = tempfile.mkdtemp(prefix="interauth-taker-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.chmod(place, 0o755)
    made = os.path.join(place, "mod_taker.so")
    flags = f"{apxs('CFLAGS')} {apxs('EXTRA_CPPFLAGS')}".split()
    places = [f"-I{apxs(name)}" for name in ("INCLUDEDIR", "APR_INCLUDEDIR", "APU_INCLUDEDIR")]
    source = Path(__file__).with_name("mod_taker.c")
    subprocess.run(["gcc", "-shared", "-fPIC", *flags, "-O0", "-w", *places, str(source), "-o", made], check=True)
    return made


def build_dir():
    """The build directory, or None where the environment names none."""
    named = os.environ.get("INTERAUTH_BUILD")
    return Path(named).resolve() if named else None


def our_module(name):
    """
    The file of one of our modules, linked with a clock that tests can set; "dialect/sauth" has the probe besides. A build
    directory without it is an error, not a reason to skip.
    """
    folder, name = name.split("/") if "/" in name else ("clock", name)
    path = build_dir() / "tests" / "httpd" / folder / ".libs" / f"mod_{name}.so"
    if not path.is_file():
        raise FileNotFoundError(f"INTERAUTH_BUILD is set, but {path} does not exist")
    return path
