"""The harness: a real httpd, clients, and its log."""
from .apps import Shown
from .broken import broken_headers
from .digest import digest
from .httpd import Unstartable, free_port
from .sauth import Client
from .server import Server
from .site import (BASIC, ENDPOINT, OTHER, OTHER_SECRET, PAGE, PEOPLE, SECRET, UID, Site, b64url, location, participant,
                   participants_text, script)
from .verdict import passed, refused
from .wire import Response, Connection, exchange, request, together

__all__ = ["BASIC", "Client", "Connection", "ENDPOINT", "OTHER", "OTHER_SECRET", "PAGE", "PEOPLE", "SECRET",
           "Server", "Shown", "Site", "UID", "Unstartable", "b64url", "broken_headers", "digest", "exchange", "free_port",
           "location", "participant", "participants_text", "passed", "refused", "request", "script", "together"]
