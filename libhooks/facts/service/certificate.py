"""Certificates, read by ``openssl x509``. Never on the hook's path."""

from __future__ import annotations

import calendar
import re
import time

from libhooks.facts.reading.programs import run
from libhooks.facts.reading.root import Garbage
from libhooks.facts.service.words import Certificate

OPENSSL = "/usr/bin/openssl"
_NAME = re.compile(r"(?:DNS|IP Address):([^,\s]+)")
_COMMON_NAME = re.compile(r"^subject=.*?\bCN\s*=\s*([^,/\n]+)", re.MULTILINE)


def decode(pem: bytes) -> Certificate:
    """The first certificate of a PEM file. Raises OSError where openssl can't be run, or finds none."""
    told = run(OPENSSL, "x509", "-noout", "-dates", "-subject", "-ext", "subjectAltName", data=pem).decode(
        "utf-8", "replace"
    )
    names = _NAME.findall(told) or [name.strip() for name in _COMMON_NAME.findall(told)]
    return Certificate(
        _date(told, "notBefore"), _date(told, "notAfter"), tuple(name.lower() for name in names)
    )


def _date(told: str, what: str) -> float:
    """``notAfter=Jun  1 12:00:00 2031 GMT``"""
    found = re.search(rf"^{what}=(.*) GMT$", told, re.MULTILINE)
    try:
        return calendar.timegm(time.strptime(found[1] if found else "", "%b %d %H:%M:%S %Y"))
    except ValueError:
        raise Garbage(f"openssl tells no {what}") from None
