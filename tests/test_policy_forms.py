"""The values that keys take, and what is said of those they don't."""

from __future__ import annotations

import ipaddress
from typing import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libhooks import names
from libhooks.adjust import ADJUSTMENTS
from libhooks.names import Name
from libhooks.policy import forms, placenames, schema
from libhooks.policy.diagnostic import Wrong
from libhooks.policy.model import Journal, Policy


@pytest.mark.parametrize(
    ("parse", "value", "name"),
    [
        (placenames.storage, "/srv//vm/./images/", names.path("/srv/vm/images")),
        (placenames.storage, "/srv/with blanks/größe", names.path("/srv/with blanks/größe")),
        (placenames.storage, "pool:default", names.pool("default")),
        (placenames.storage, {"protocol": "nbd"}, names.store("nbd", "")),
        (
            placenames.storage,
            {"protocol": "iscsi", "name": "iqn.2026-01.org.example:vms/1", "hosts": "filer"},
            names.store("iscsi", "iqn.2026-01.org.example:vms/1", ("filer",)),
        ),
        (placenames.network, "bridge:br-0.12", names.bridge("br-0.12")),
        (placenames.network, "network:prod net/web", names.network("prod net", "web")),
        (placenames.network, "direct:bond0.12/passthrough", names.direct("bond0.12", "passthrough")),
        (placenames.network, "ovs:ovsbr0", names.ovs("ovsbr0")),
        (placenames.address, "192.0.2.11", names.address("192.0.2.11")),
        (placenames.address, "1::", names.address("1::")),
        (placenames.address, "::ffff:192.0.2.1", names.address("::ffff:192.0.2.1")),
        (placenames.file, "/usr/share/OVMF/OVMF_CODE.fd", names.path("/usr/share/OVMF/OVMF_CODE.fd")),
    ],
)
def test_names_of_each_kind(parse: Callable[[object], Name], value: object, name: Name) -> None:
    """Each kind of place takes the forms of the design's table."""
    assert parse(value) == name


NOT_STORAGE: list[object] = [
    "",
    " ",
    "images",
    "file:///srv",
    "pool:",
    "pool:a/b",
    "/..",
    "/a\0b",
    "//",
    {},
    1,
]
NOT_STORES: list[object] = [
    {"protocol": "rbd", "name": "a/../b"},
    {"protocol": "rbd", "name": "/"},
    *({"protocol": "rbd", "name": "a", "hosts": [host]} for host in ("", "a:0", "a:b:1", "a:70000", "[a]:1")),
]
NOT_NETWORKS: list[object] = [
    "br0",
    "bridge:",
    "bridge:a/b",
    "network:/x",
    "direct:e/x",
    "ovs:",
    "ovs: a",
    [],
]
NOT_ADDRESSES: list[object] = ["", "0.0.0.0", "127.9.9.9", "::", "::1", "[2001:db8::1]", "1.2.3", 1]
NOT_FILES: list[object] = ["OVMF.fd", "/", "/a/../b", "pool:a"]


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        *((placenames.storage, value) for value in NOT_STORAGE + NOT_STORES),
        *((placenames.network, value) for value in NOT_NETWORKS),
        *((placenames.address, value) for value in NOT_ADDRESSES),
        *((placenames.file, value) for value in NOT_FILES),
    ],
)
def test_what_is_no_name(parse: Callable[[object], Name], value: object) -> None:
    """Whatever else stands there is a mistake, not a place."""
    with pytest.raises(Wrong):
        parse(value)


@settings(deadline=None, database=None)
@given(
    st.one_of(
        st.ip_addresses().map(str),
        st.ip_addresses(v=6).map(lambda one: one.exploded),
        st.text("0123456789abcdefAF:.", max_size=20),
        st.lists(st.sampled_from(["0", "", "1", "ffff", "192.0.2.1", "12345"]), max_size=9).map(":".join),
    )
)
def test_addresses_are_those_of_the_standard_library(text: str) -> None:
    """An address is one exactly if Python's ipaddress says so; every host's own are left out."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    mapped = getattr(address, "ipv4_mapped", None)
    everywhere = address is not None and (
        address.is_loopback or address.is_unspecified or (mapped is not None and mapped.is_loopback)
    )
    if address is None or everywhere:
        with pytest.raises(Wrong):
            placenames.address(text)
    else:
        assert placenames.address(text) == names.address(text)


@pytest.mark.parametrize("value", [True, 0, -1, 601, "10", float("nan"), float("inf"), None, [1]])
def test_a_time_is_seconds(value: object) -> None:
    """Neither text nor a truth is a time, nor one without end."""
    with pytest.raises(Wrong):
        forms.seconds(value)


@pytest.mark.parametrize("value", [True, 1.0, "1", 0, 2])
def test_the_version_is_one(value: object) -> None:
    """The number 1, and nothing that equals it by accident."""
    with pytest.raises(Wrong):
        forms.version(value)


@pytest.mark.parametrize("secret", ["hunter2", "AQBSV2lkAAAAABAAx0=="])
def test_no_secret_is_shown(secret: str) -> None:
    """Where a secret stands instead of its UUID, no message repeats it."""
    with pytest.raises(Wrong) as raised:
        placenames.storage({"protocol": "rbd", "name": "vms", "secret": secret})
    assert secret not in raised.value.message + raised.value.help


def test_every_key_says_what_it_is() -> None:
    """The table that everything comes from has a form and a sentence for each key, and each once."""
    assert len({key.path for key in schema.KEYS}) == len(schema.KEYS)
    assert [key.path for key in schema.KEYS if not key.help.endswith(".") or not key.form.words] == []
    assert len(set(schema.CODES)) == len(schema.CODES)


def test_defaults_are_the_model_s() -> None:
    """What the table says of defaults is what a policy without the key has."""
    told = {".".join(key.path): key.default for key in schema.KEYS if key.default}
    assert told == {
        "mode": '"enforce"',
        "origin": '"verify"',
        "waivers": '"allow"',
        "journal.path": f'"{Journal().path}"',
        "journal.required": str(Journal().required).lower(),
        "journal.cases": str(Journal().cases).lower(),
        "hook.deadline": f"{Policy().deadline:g}",
        "policy.on-invalid": f'"{Policy().on_invalid.value}"',
        **{f"adjust.{key}": '"keep"' for key in ADJUSTMENTS},
    }
