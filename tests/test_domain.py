"""Domain documents: read safely, edited in place on a copy, written back as they came."""

from __future__ import annotations

from typing import Iterator

import pytest
from lxml import etree

from libhooks.decision import Edit, Spot, Undecidable
from libhooks.domain import Domain, children, parse
from libhooks.protocol import MAX_BYTES

DOCUMENT = b"""\
<domain type="kvm">
  <name>web1</name>
  <uuid> C7A5 </uuid>
  <devices>
    <disk type="file">
      <source file="/a"/>
      <target dev="vda"/>
    </disk>
    <disk type="file">
      <source file="/b"><host name="1"/><host name="2"/></source>
    </disk>
    <interface/>
  </devices>
</domain>
"""


def edited(document: bytes, *edits: tuple[str, str | None, str | None]) -> bytes:
    """A document with edits made, each given as XPath, old and new."""
    made = (Edit(Spot("", xpath), old, new) for xpath, old, new in edits)
    return parse(document).edited(made).serialise()


def test_name_and_uuid() -> None:
    """A domain has a name and a UUID; one without has empty ones."""
    assert (parse(DOCUMENT).name, parse(DOCUMENT).uuid) == ("web1", "C7A5")
    assert (parse(b"<domain/>").name, parse(b"<domain/>").uuid) == ("", "")


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT,
        DOCUMENT.rstrip(b"\n"),
        b"<domain/>",
        b"<!-- a --><?pi b?><domain/><!-- c -->",
        b'<domain xmlns:q="urn:q" q:a="1"><q:b xmlns="urn:none"><c/></q:b></domain>',
        b"<domain>\n\t<description><![CDATA[<a> & b]]></description>a &lt; b &amp; c</domain>",
        "<domain><title>größe 漢字 🎉</title></domain>".encode(),
        b'<domain a="&quot;\'&#10;&#9;"/>',
    ],
)
def test_what_comes_goes(document: bytes) -> None:
    """Comments, instructions, namespaces, CDATA, white space and odd characters survive."""
    assert parse(document).serialise() == document


@pytest.mark.parametrize(
    ("document", "written"),
    [
        (b"<?xml version='1.0'?>\n<domain/>", b"<domain/>"),
        (
            b"<?xml version='1.0' encoding='ISO-8859-1'?><domain><t>\xe4</t></domain>",
            "<domain><t>ä</t></domain>".encode(),
        ),
        (
            "<?xml version='1.0' encoding='UTF-16'?><domain>ä</domain>".encode("utf-16"),
            "<domain>ä</domain>".encode(),
        ),
        (b"\xef\xbb\xbf<domain/>", b"<domain/>"),
        (b"<domain a='1'></domain >", b'<domain a="1"/>'),
        (b"<domain>&#228;\r\n</domain>", "<domain>ä\n</domain>".encode()),
        (b"  \n<domain/>", b"<domain/>"),
    ],
)
def test_spelling(document: bytes, written: bytes) -> None:
    """Whatever the encoding, UTF-8 comes out, and nothing before the root that libvirt would trip over."""
    assert parse(document).serialise() == written


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (("/domain/devices/disk[1]/source/@file", "/a", "/new"), '<source file="/new"/>'),
        (("/domain/devices/disk[1]/@type", "file", "block"), '<disk type="block">'),
        (("/domain/devices/disk[1]/source/@dev", None, "/new"), '<source file="/a" dev="/new"/>'),
        (("/domain/devices/disk[1]/source/@file", "/a", None), "<source/>"),
        (("/domain/name/text()", "web1", "web<2>"), "<name>web&lt;2&gt;</name>"),
        (("/domain/devices/disk[2]/source/host[2]/@name", "2", '"'), '<host name="1"/><host name="&quot;"/>'),
        (
            ("/domain/devices/disk[2]/source/host[1]", '<host name="1"/>', None),
            '<source file="/b"><host name="2"/>',
        ),
        (("/domain/devices/interface[1]/source", None, "<source a='b'/>"), '<source a="b"/>'),
    ],
)
def test_edits(edit: tuple[str, str | None, str | None], line: str) -> None:
    """An edit sets, adds or removes an attribute, a text or an element, and touches nothing else."""
    before, after = DOCUMENT.decode().splitlines(), edited(DOCUMENT, edit).decode().splitlines()
    assert line in "\n".join(after)
    assert line not in "\n".join(before)
    assert len(set(before) ^ set(after)) <= 4


def test_inserted_behind_the_source() -> None:
    """A new element stands behind its parent's <source>, indented as libvirt would."""
    new = "<backingStore type='file'><source file='/c'/></backingStore>"
    assert edited(DOCUMENT, ("/domain/devices/disk[1]/backingStore", None, new)) == DOCUMENT.replace(
        b'<source file="/a"/>\n',
        b'<source file="/a"/>\n'
        b'      <backingStore type="file">\n        <source file="/c"/>\n      </backingStore>\n',
    )


def test_inserted_last() -> None:
    """Where there is no <source>, a new element is its parent's last."""
    document = DOCUMENT.replace(b'<source file="/b">', b'<source file="/b">\n        ')
    after = edited(document, ("/domain/devices/disk[2]/source/host[3]", None, "<host name='3'/>"))
    assert [one.get("name") for one in parse(after).root.iter("host")] == ["1", "2", "3"]


def test_removed_and_inserted() -> None:
    """Removing what was inserted leaves the document as it was."""
    new = "<backingStore/>"
    xpath = "/domain/devices/disk[1]/backingStore"
    assert edited(edited(DOCUMENT, (xpath, None, new)), (xpath, new, None)) == DOCUMENT


def test_edits_in_their_order() -> None:
    """Edits are made one after the other: elements removed from the last on keep the others' ordinals."""
    host = "/domain/devices/disk[2]/source/host"
    after = edited(
        DOCUMENT, (f"{host}[2]", "", None), (f"{host}[1]", "", None), (f"{host}[1]", None, "<host name='3'/>")
    )
    assert [one.get("name") for one in parse(after).root.iter("host")] == ["3"]


def test_the_original_stays() -> None:
    """Edits are made on a copy."""
    domain = parse(DOCUMENT)
    domain.edited([Edit(Spot("", "/domain/name/text()"), "web1", "web2")])
    assert domain.serialise() == DOCUMENT


@pytest.mark.parametrize(
    ("xpath", "old"),
    [
        ("/domain/devices/disk[1]/source/@file", "/b"),
        ("/domain/devices/disk[1]/source/@file", None),
        ("/domain/devices/disk[1]/source/@dev", "/a"),
        ("/domain/devices/disk[3]/source/@file", "/a"),
        ("/domain/devices/disk[0]/source/@file", "/a"),
        ("/domain/name/text()", "web2"),
        ("/domain/nothing/text()", "web1"),
        ("/domain/devices/disk[1]/source", None),
    ],
)
def test_edits_that_do_not_fit(xpath: str, old: str | None) -> None:
    """An edit whose spot is not there, or does not hold what it says, is not made."""
    new = None if xpath.endswith("]/source") and old is None else "x"
    if new is None:
        xpath = "/domain/devices/disk[1]/nothing"
    with pytest.raises(LookupError):
        edited(DOCUMENT, (xpath, old, new))


def test_values() -> None:
    """The value at a spot is an attribute's or a text; None where it is not there."""
    domain = parse(DOCUMENT)
    assert domain.value("/domain/devices/disk[2]/source/@file") == "/b"
    assert domain.value("/domain/devices/disk[2]/source/@dev") is None
    assert domain.value("/domain/name/text()") == "web1"
    with pytest.raises(LookupError):
        domain.value("/domain/devices/disk[9]/source/@file")


def _steps(domain: Domain, element: etree._Element, xpath: str) -> Iterator[tuple[etree._Element, str]]:
    yield element, xpath
    for child, step in children(element):
        yield from _steps(domain, child, f"{xpath}/{step}")


def test_xpaths() -> None:
    """The XPath of each element names it alone, for lxml as for us."""
    domain = parse(DOCUMENT)
    for element, xpath in _steps(domain, domain.root, "/domain"):
        assert domain.root.xpath(xpath) == [element]
        assert domain.element(xpath) is element


BOMB = b"""<?xml version='1.0'?>
<!DOCTYPE domain [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>
<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>
<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>]>
<domain><name>&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;</name></domain>"""
NO_DOCTYPE = "the domain XML has a document type (DOCTYPE), which is never accepted"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "the domain XML cannot be read: "),
        (b"\n", "the domain XML cannot be read: "),
        (b"web1", "the domain XML cannot be read: "),
        (DOCUMENT[:-10], "the domain XML cannot be read: "),
        (DOCUMENT + b"<domain/>", "the domain XML cannot be read: "),
        (DOCUMENT + b"x", "the domain XML cannot be read: "),
        (b"<domain>\0</domain>", "the domain XML cannot be read: "),
        (b"<domain>\x1b[2J</domain>", "the domain XML cannot be read: "),
        (b"<domain>\xff\xfe</domain>", "the domain XML cannot be read: "),
        (b"<domain><a:b/></domain>", "the domain XML cannot be read: "),
        (b"<domain a='1' a='2'/>", "the domain XML cannot be read: "),
        (b"<domain>&nbsp;</domain>", "the domain XML cannot be read: "),
        (b"<?xml version='1.0' encoding='invented'?><domain/>", "the domain XML cannot be read: "),
        (b"<!DOCTYPE domain><domain/>", NO_DOCTYPE),
        (b"<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>", NO_DOCTYPE),
        (b"<!DOCTYPE domain [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain>&x;</domain>", NO_DOCTYPE),
        (BOMB, "the domain XML "),
        (b"<network/>", "the document is a <network>, not a <domain>"),
        (b"<x:domain xmlns:x='urn:x'/>", "the document is a <{urn:x}domain>, not a <domain>"),
        (
            b"<domain>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</domain>",
            "the domain XML cannot be read: ",
        ),
        (b"<domain>" + b" " * MAX_BYTES + b"</domain>", "the domain XML is larger than 8 MiB"),
    ],
    ids=range(21),
)
def test_documents_that_are_none(document: bytes, why: str) -> None:
    """What is not one well-formed <domain> without a document type is never judged."""
    with pytest.raises(Undecidable) as raised:
        parse(document)
    assert str(raised.value).startswith(why)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 300
