"""Loaded by way of PYTHONPATH: for this process alone, Klarna's names lead to the playground."""

import os
import socket

_HOST, _PORT = os.environ["KLARNA_AT"].split(":")
_usual = socket.getaddrinfo


def _redirected(name, port, *rest, **more):
    if isinstance(name, str) and name.endswith(".klarna.com"):
        return _usual(_HOST, int(_PORT), *rest, **more)
    if name not in ("127.0.0.1", "localhost"):
        raise OSError(f"{name} is not to be called by a test")
    return _usual(name, port, *rest, **more)


socket.getaddrinfo = _redirected
