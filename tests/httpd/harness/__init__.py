"""A real httpd for tests: started, spoken to and read, with nothing in between."""
from .apps import Shown
from .sauth import Caller
from .server import Server, Unstartable
from .site import BASIC, Site, participant
from .verdict import passed, refused
from .wire import Answer, Connection, exchange, request

__all__ = ["Answer", "BASIC", "Caller", "Connection", "Server", "Shown", "Site", "Unstartable", "exchange",
           "participant", "passed", "refused", "request"]
