"""A description of a server: which modules, which apps, which participants, which configuration."""
import base64
import json
import os
from dataclasses import dataclass, field

ENDPOINT = """
<Location "/sauth">
    SetHandler sauth
    Require all granted
</Location>
"""

BASIC = ENDPOINT + """
<Location "/cgi-bin/orders">
    AuthType SAuth
    AuthName "orders"
    Require capability read
</Location>
<Location "/files">
    AuthType SAuth
    AuthName "files"
    Require capability read
</Location>
"""

PAGE = "/files/plain.txt"  # of every server; protected by BASIC

UID = "http://www.example.org"
SECRET = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
OTHER = "http://other.example.org"
OTHER_SECRET = b"another secret of 29 bytes...."


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def participant(uid=UID, capabilities=("read", "update"), secret=SECRET, **members):
    """One record of a participants file. `secret` None leaves it out; `members` are added or, as None, removed."""
    record = {"id": uid, "status": "approved", "roles": ["consumer"], "capabilities": list(capabilities),
              "allow_refresh": True, "token_max_lifespan": 86400}
    if secret is not None:
        record["shared_secret"] = b64url(secret)
    record.update(members)
    return {name: value for name, value in record.items() if value is not None}


PEOPLE = [participant(UID, ["read", "update"], roles=["consumer", "auditor"]),
          participant(OTHER, ["read"], OTHER_SECRET, roles=["provider"])]


def participants_text(records):
    return json.dumps({"participants": records}, indent=2) + "\n"


def write_participants(path, records):
    """Writes the file as an administrator's tool would: complete, then renamed into place."""
    write_secret(path, records if isinstance(records, (str, bytes)) else participants_text(records))


def write_secret(path, text):
    data = text if isinstance(text, bytes) else text.encode()
    new = f"{path}.new"
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    os.rename(new, path)


def location(path, requirement, more=""):
    return f'<Location "{path}">\n    AuthType SAuth\n    AuthName "{path}"\n{more}\n{requirement}\n</Location>\n'


def script(name, requirement, more=""):
    """A location that is its own CGI under another name."""
    return f'ScriptAlias "/{name}" "@ROOT@/cgi-bin/show"\n' + location(f"/{name}", requirement, more)


@dataclass
class Site:
    """`@ROOT@`, `@PORT@`, `@FCGI@` and `@BACKEND@` in `config` and `files` are replaced."""

    config: str = ""
    participants: list = field(default_factory=lambda: [participant()])  # None: no RegistryFile
    ours: tuple = ("registry", "isign", "sauth")  # which of our modules are loaded
    ours_first: bool = False  # they are loaded before the stock modules
    modules: tuple = ()  # stock modules beside the usual ones
    foreign: tuple = ()  # (name, file) of third-party modules, loaded with the stock ones
    probe: bool = False  # mod_sauth has the dialect of tests/httpd/dialect too
    mpm: str = "event"
    skew: int = 30  # SAuthClockSkew
    php_fcgi: bool = False  # php-cgi -b behind mod_proxy_fcgi for .php
    php_action: bool = False  # php-cgi by Action for .php
    backend: "Site" = None  # a second httpd
    files: dict = field(default_factory=dict)  # below the document root: name -> text
    log_level: str = "info"
    expect: tuple = ()  # alarming lines that its start logs
