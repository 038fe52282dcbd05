"""Names of devices, and what of a network disk's name decides what it lies under."""

from __future__ import annotations

import contextlib
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libhooks import names
from libhooks.names import Name
from libhooks.policy import placenames
from libhooks.references.model import number

UUID = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"


@pytest.mark.parametrize(
    ("parse", "text", "told"),
    [
        (names.pci, "0000:41:00.0", "pci:0000:41:00.0"),
        (names.pci, "10000:E1:1f.7", "pci:10000:e1:1f.7"),
        (names.mdev, UUID.upper(), f"mdev:{UUID}"),
        (names.mdev, UUID.replace("-", ""), f"mdev:{UUID}"),
        (names.usb, "046D:c52b", "usb:046d:c52b"),
        (names.usb, "1-2", "usb:1-2"),
        (names.usb, "01-2.03.4", "usb:1-2.3.4"),
    ],
)
def test_devices(parse: Callable[[str], Name], text: str, told: str) -> None:
    """A device has one name, however it is spelt, and a policy writes it as it is shown."""
    assert str(parse(text)) == told
    assert placenames.device(told) == parse(text)
    assert parse(text).spoken == told.replace(":", " ", 1)


NOT_PCI = (
    *("", "41:00.0", "0000:41:00", "0000:41:20.0", "0000:41:00.8", "0:41:0.0", "0000:4g:00.0"),
    *("0000:41:00.0.0", "0000.41.00.0", "-001:41:00.0", "000000000:41:00.0", "0000:41:00:0"),
)
NOT_MDEV = ("", UUID[1:], "x" * 32)
NOT_USB = (
    *("", "1", "1-", "-1", "1-2-3", "1-2.", "1-0x2", "046d:", ":", "1:2:3", "12345:1", "+1:2", "0x4:0x5"),
    *("1-٣", "9" * 5000 + "-1", "1-" + "9" * 5000),
)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse, text)
        for parse, texts in ((names.pci, NOT_PCI), (names.mdev, NOT_MDEV), (names.usb, NOT_USB))
        for text in texts
    ],
)
def test_no_devices(parse: Callable[[str], Name], text: str) -> None:
    """What is not quite a device's name is none."""
    with pytest.raises(ValueError, match="^not a "):
        parse(text)


@given(st.text(max_size=20))
def test_any_text_at_all(text: str) -> None:
    """Whatever stands there, it is a name or it is not; and what is one is read back as it is shown."""
    for parse in (names.pci, names.mdev, names.usb):
        with contextlib.suppress(ValueError):
            assert parse(parse(text).parts[0]) == parse(text)


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("0x1F", 31), ("0X1f", 31), ("31", 31), ("037", 31), ("00", 0)]
)
def test_numbers(text: str, value: int) -> None:
    """Numbers are read as libvirt reads them, with C's prefixes."""
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "0x", "08", "1f", "-1", "+1", " 1", "1_0", "0x0x1", "9" * 5000])
def test_no_numbers(text: str) -> None:
    """What C would not read, we do not read either."""
    with pytest.raises(ValueError, match="^not a number: "):
        number(text)


@pytest.mark.parametrize(
    ("secret", "under", "remainder"),
    [("", "", ("i",)), ("A", "", ("i",)), ("", "A", ("i",)), ("A", "a", ("i",)), ("B", "A", None)],
)
def test_secret(secret: str, under: str, remainder: tuple[str, ...] | None) -> None:
    """Where both say by which secret, the same store by another secret is another host's name for it."""
    image = names.store("rbd", "vms/i", ("m",), secret)
    assert image.remainder(names.store("rbd", "vms", ("m",), under)) == remainder
