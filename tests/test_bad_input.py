"""Input that is broken, hostile or absurd: a refusal in words, quickly, and nothing of it leaks."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Callable

import pytest
from golden_cases import GOLDEN
from hypothesis import given
from hypothesis import strategies as st
from test_engine_properties import bounded

from libhooks import journal
from libhooks.door import INTERNAL, REFUSED, Answer, Settings, answer
from libhooks.event import Event, Operation

HOSTB = GOLDEN / "hosts" / "hostb"
GUEST = (GOLDEN / "main-job" / "domain.xml").read_bytes()
POLICY = GOLDEN / "main-job" / "policy.toml"

Decide = Callable[..., Answer]


@pytest.fixture(scope="module")
def decide(tmp_path_factory: pytest.TempPathFactory) -> Decide:
    """Decide on hostb, under the policy of the main job."""
    directory = tmp_path_factory.mktemp("policy")
    shutil.copyfile(POLICY, directory / "policy.toml")
    (directory / "policy.toml").chmod(0o644)

    def decided(document: bytes, operation: Operation = Operation.MIGRATE, name: str = "web1") -> Answer:
        return answer(Event(name, operation), document, Settings(str(directory), "hostb", str(HOSTB)))

    return decided


def told(given_answer: Answer) -> str:
    """All that leaves libhooks in words: to libvirt, and to the journal."""
    return given_answer.stderr + journal.encode(given_answer.record).decode("ascii")


TRUNCATED = [GUEST[: len(GUEST) * part // 10] for part in range(10)]
BOMB = b"<!DOCTYPE domain [<!ENTITY a0 'aaaaaaaaaa'>%s]><domain><name>&a9;</name></domain>" % b"".join(
    b"<!ENTITY a%d '%s'>" % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10)
)
QUADRATIC = b"<!DOCTYPE domain [<!ENTITY a '%s'>]><domain><name>%s</name></domain>" % (
    b"a" * 50_000,
    b"&a;" * 50_000,
)
EXTERNAL = b"<!DOCTYPE domain [<!ENTITY x SYSTEM '%s'>]><domain><name>&x;</name></domain>"


@pytest.mark.parametrize(
    "document",
    [
        *TRUNCATED,
        GUEST + GUEST,
        GUEST.replace(b"</devices>", b""),
        GUEST.replace(b"web1", b"web\0"),
        GUEST.replace(b"web1", b"web\x01"),
        GUEST.replace(b"web1", b"web\xff"),
        GUEST.replace(b"web1", b"web&#0;"),
        GUEST.replace(b"web1", b"web&#xd800;"),
        GUEST.replace(b"web1", b"web&undeclared;"),
        GUEST.replace(b"<name>", b"<name a='1' a='1'>"),
        GUEST.decode().encode("utf-16-le"),
        b"<?xml version='1.0' encoding='UTF-16'?>" + GUEST,
        b"<?xml version='1.0' encoding='UTF-8'?>" + GUEST.replace(b"web1", b"gr\xfc\xdfe"),
        b"<?xml version='1.0' encoding='EBCDIC-INVENTED'?>" + GUEST,
        BOMB,
        QUADRATIC,
        EXTERNAL % b"file:///etc/hostname",
        EXTERNAL % b"http://192.0.2.1/",
        b"<!DOCTYPE domain SYSTEM 'http://192.0.2.1/x.dtd'>" + GUEST,
        b"<!DOCTYPE domain [<!ENTITY % x SYSTEM 'file:///etc/hostname'> %x;]>" + GUEST,
        b"<domain>" + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</domain>",
        b"<domain>" + b"<a>" * 100_000,
        b"<domain>" + b" " * 50_000_000 + b"</domain>",
        b"<domain a='" + b"x" * 9_000_000 + b"'/>",
        b"\0" * 1000,
        b"\x7fELF" + bytes(range(256)),
        b"<network><name>web1</name></network>",
        b"<domainsnapshot><domain/></domainsnapshot>",
        b"<domain xmlns='urn:other'/>",
        b"[]",
        b"",
    ],
    ids=lambda document: f"{document[:24]!r}",
)
def test_not_a_domain(decide: Decide, document: bytes) -> None:
    """A document that is no domain is refused in a few lines, and at restore it is left to libvirt."""
    began = time.monotonic()
    refused = decide(document)
    assert time.monotonic() - began < 5
    assert (refused.stdout, refused.code, refused.decision) == (b"", REFUSED, None)
    head, reason, record = refused.stderr.splitlines()
    assert head == "libhooks: hostb refuses guest 'web1': it cannot be judged"
    assert reason.startswith("  the do")
    assert record.startswith("  record ")
    assert refused.stderr.replace("\n", "").isprintable()
    assert refused.record["error"] == f"it cannot be judged: {reason.strip()}"
    restored = decide(document, Operation.RESTORE)
    assert (restored.stdout, restored.stderr, restored.code) == (b"", "", 0)


def test_nothing_is_fetched(decide: Decide, tmp_path: Path) -> None:
    """What an entity points to is never read, and reaches no message."""
    secret = tmp_path / "secret"
    secret.write_text("planted-contents")
    assert "planted-contents" not in told(decide(EXTERNAL % f"file://{secret}".encode()))


@pytest.mark.parametrize(
    "document",
    [
        b"<domain/>",
        b"<domain></domain>",
        b"<domain><name/><uuid/><devices/></domain>",
        b"<domain><devices><disk/><interface/><graphics/><serial/><console/><channel/></devices></domain>",
        b"<domain><devices><disk><source/><target/></disk><interface><source/></interface></devices></domain>",
        b"<domain><devices><disk type='network'><source/></disk></devices></domain>",
        b"<domain><devices><disk type='block'><source/></disk></devices></domain>",
        b"<domain><os><nvram/><loader/><kernel/></os><os/></domain>",
        b"<domain><name>a</name><name>b</name><uuid>1</uuid><uuid>2</uuid></domain>",
        b"<domain><!-- only a comment --><?and an-instruction?></domain>",
        b"<domain>text<name>x</name>text</domain>",
    ],
)
def test_nothing_to_judge(decide: Decide, document: bytes) -> None:
    """A domain with hardly anything in it is unchanged: what it lacks is libvirt's to say."""
    given_answer = decide(document)
    assert (given_answer.stdout, given_answer.stderr, given_answer.code) == (b"", "", 0)


@pytest.mark.parametrize(
    "inner",
    [
        "<disk type='volume'><source/></disk>",
        "<disk type='volume'><source pool='images'/></disk>",
        "<disk type='volume'><source pool='images' volume='../../etc/passwd'/></disk>",
        "<disk type='volume'><source pool='../images' volume='x'/></disk>",
        "<disk type='volume'><source pool='' volume=''/></disk>",
        "<disk type='network'><source protocol='rbd'/></disk>",
        "<disk type='network'><source protocol='' name='///'/></disk>",
        "<disk type='network'><source protocol='nbd'><host/><host name='a' port='x'/></source></disk>",
        "<disk type='file'><source file='relative'/></disk>",
        "<disk type='file'><source file='/srv/images/../../etc/shadow'/></disk>",
        "<disk type='file'><source file='/'/></disk>",
        "<disk type='file'><source file='//'/></disk>",
        "<disk type='file'><source file='/srv/images'/></disk>",
        "<disk type='file'><source file=' /srv/images/x'/></disk>",
        "<disk type='file'><source file='/srv/images/&#10;x&#9;'/></disk>",
        "<disk type='file'><source file='/srv/images/" + "x" * 5000 + "'/></disk>",
        "<disk type='file'><source file='/" + "a/" * 5000 + "'/></disk>",
        "<disk type='file'><source file='/srv/images/&#x202e;gnp.exe'/></disk>",
        "<disk type='file'><driver type='qcow2'/><source file='/proc/self/mem'/></disk>",
        "<disk type='file'><driver type='qcow2'/><source file='/mnt/vmstore'/></disk>",
        "<disk type='nonsense'><source file='/a'/></disk>",
        "<disk type='file'><source file='/srv/images/a'/><source file='/srv/images/b'/></disk>",
        "<disk type='file'>"
        + "<backingStore><source file='/srv/images/a'/>" * 150
        + "</backingStore>" * 150
        + "</disk>",
        "<interface type='bridge'><source bridge='../../etc'/></interface>",
        "<interface type='bridge'><source bridge='a/b'/></interface>",
        "<interface type='network'><source network='../../../etc/passwd'/></interface>",
        "<interface type='network'><source network='.'/></interface>",
        "<interface type='network'><source network='" + "n" * 5000 + "'/></interface>",
        "<interface type='network'><source network='prod' portgroup='a/b'/></interface>",
        "<interface type='direct'><source dev='' mode='x'/></interface>",
        "<graphics type='vnc' listen='999.0.2.1'/>",
        "<graphics type='vnc' listen='192.0.2.11; rm -rf /'/>",
        "<graphics type='vnc' listen='[2001:db8::1]'/>",
        "<graphics type='vnc' listen='fe80::1%eth0'/>",
        "<graphics type='vnc' listen=':'/>",
        "<graphics type='vnc' listen='&#x661;92.0.2.1'/>",
        "<serial type='file'><source path='relative'/></serial>",
        "<serial type='unix'><source path='@abstract'/></serial>",
        "<controller type='virtio-serial' vectors='99999999999999999999'/>",
        "<controller type='virtio-serial' vectors='-1'/>",
        "<controller type='virtio-serial' vectors='&#x663;3'/>",
        "<interface type='user'><driver queues='0x40'/></interface>",
    ],
)
def test_odd_values(decide: Decide, inner: str) -> None:
    """Whatever stands in a domain, it is judged: never is it an error of ours, and words stay printable."""
    document = f"<domain><name>web1</name><devices>{inner}</devices></domain>".encode()
    for operation in Operation:
        given_answer = decide(document, operation)
        assert given_answer.failure is None
        assert given_answer.code in (0, REFUSED)
        assert given_answer.stderr.replace("\n", "").isprintable()
        assert len(given_answer.stderr.encode()) <= 8192
        assert json.loads(journal.encode(given_answer.record)) is not None


_WILD = st.recursive(
    st.builds(
        "<{0} {1}='{2}'/>".format,
        st.sampled_from(("source", "target", "driver", "host", "auth", "listen", "log")),
        st.sampled_from(
            ("file", "dev", "path", "pool", "volume", "bridge", "network", "address", "host", "name")
        ),
        st.sampled_from(("", "/", "x", "/srv/images/a", "..", "192.0.2.11", "prod", "br0", "0", "::")),
    ),
    lambda inner: st.builds(
        "<{0} type='{1}'>{2}</{0}>".format,
        st.sampled_from(
            ("disk", "interface", "graphics", "serial", "channel", "backingStore", "source", "auth")
        ),
        st.sampled_from(
            ("file", "block", "dir", "volume", "network", "bridge", "direct", "unix", "tcp", "pty", "")
        ),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=12,
)


@bounded
@given(st.lists(_WILD, max_size=5).map("".join))
def test_wild_documents(decide: Decide, inner: str) -> None:
    """However libvirt's elements are thrown together, there is a decision."""
    document = f"<domain><name>web1</name><os>{inner}</os><devices>{inner}</devices></domain>".encode()
    given_answer = decide(document)
    assert given_answer.failure is None
    assert given_answer.code != INTERNAL


@bounded
@given(st.binary(max_size=200), st.integers(0, len(GUEST)))
def test_noise(decide: Decide, noise: bytes, at: int) -> None:
    """Noise in a document is refused or judged, and never an error of ours."""
    given_answer = decide(GUEST[:at] + noise + GUEST[at:])
    assert given_answer.code in (0, REFUSED)
    assert "an error inside libhooks" not in told(given_answer)


def test_many_devices(decide: Decide) -> None:
    """A guest with thousands of devices is decided on in seconds, and its refusal stays short."""
    disks = "".join(
        f"<disk type='file'><source file='/srv/images/{n}.raw'/><target dev='vd{n}'/></disk>"
        for n in range(3000)
    )
    began = time.monotonic()
    given_answer = decide(f"<domain><name>web1</name><devices>{disks}</devices></domain>".encode())
    assert time.monotonic() - began < 10
    assert given_answer.code == REFUSED
    assert len(given_answer.stderr.encode()) <= 8192
    assert given_answer.stderr.startswith("libhooks: hostb refuses guest 'web1': 3000 requirements unmet\n")


def test_long_names(decide: Decide) -> None:
    """A guest with a name of a megabyte is refused in a few lines all the same."""
    given_answer = decide(b"<domain>", name="n" * 1_000_000)
    assert len(given_answer.stderr.encode()) <= 8192


PLANTED = "planted-secret"


@pytest.mark.parametrize(
    "inner",
    [
        f"<graphics type='vnc' listen='192.0.2.99' passwd='{PLANTED}' passwdValidTo='2031-01-01T00:00:00'/>",
        f"<graphics type='spice' passwd='{PLANTED}'><listen type='address' address='192.0.2.99'/></graphics>",
        f"<disk type='network'><auth username='{PLANTED}'><secret type='ceph' uuid='{PLANTED}'/></auth>"
        "<source protocol='rbd' name='p/i'/></disk>",
        "<disk type='network'><source protocol='https' name='i'>"
        f"<cookies><cookie name='c'>{PLANTED}</cookie></cookies></source></disk>",
        f"<disk type='file'><source file='/srv/gone'><encryption format='luks'><secret type='passphrase' "
        f"uuid='{PLANTED}'/></encryption></source></disk>",
        f"<shmem name='{PLANTED}'/>",
    ],
)
@pytest.mark.parametrize("broken", [False, True], ids=["whole", "broken"])
def test_secrets_stay(decide: Decide, inner: str, broken: bool) -> None:
    """A password reaches neither a message nor a record, whether its guest is judged or not."""
    argument = f"<x:commandline><x:arg value='-x'/><x:arg value='{PLANTED},vectors=99'/></x:commandline>"
    document = (
        "<domain xmlns:x='http://libvirt.org/schemas/domain/qemu/1.0'><name>web1</name>"
        f"<devices><disk type='file'><source file='/srv/local/web1.raw'/></disk>{inner}</devices>{argument}"
        + ("<" if broken else "</domain>")
    )
    given_answer = decide(document.encode())
    assert given_answer.code == REFUSED
    assert PLANTED not in told(given_answer)


@pytest.mark.parametrize("where", range(0, len(GUEST), 97))
def test_secrets_in_errors(decide: Decide, where: int) -> None:
    """The reason why a document cannot be read quotes none of its values."""
    document = (
        GUEST[:where] + b"<" + PLANTED.encode() + b" passwd='" + PLANTED.encode() + b"'&;" + GUEST[where:]
    )
    given_answer = decide(document)
    assert given_answer.code == REFUSED
    assert f"'{PLANTED}'" not in told(given_answer)
    assert f'"{PLANTED}"' not in told(given_answer)
