"""What travels with a guest: its stamp, from the companion, and waivers, from a person."""

from __future__ import annotations

from lab import Lab, create_disk, domain_xml
from lab.companion import accompanied, ended
from lab.fixture import POLICY, NewGuest, other_volume, set_policy
from lab.host import Host
from lab.journal import records
from lab.namespaces import wait_for
from lab.traveller import Traveller, Uses

ORIGIN = "{urn:libhooks:origin:1}"
NO_POLICY = "version = 1\n"


def stamped(guest: Traveller, host: Host, *options: str) -> tuple[str, tuple[str, ...]]:
    """The host of a guest's stamp, and the names in it; waits for it to be this host's."""

    def read() -> tuple[str, tuple[str, ...]] | None:
        mark = guest.xml(host, *options).find(f"metadata/{ORIGIN}origin")
        if mark is None or mark.get("host") != host.name:
            return None
        return host.name, tuple(one.get("name", "") for one in mark.findall(f"{ORIGIN}device"))

    return wait_for(read, f"a stamp of {host.name}", 20)


def test_stamp(lab: Lab, web1: Traveller) -> None:
    """A guest that runs is stamped when the companion starts, on arrival and on start: live and saved."""
    on_a, on_b = ((host.name, (f"{host.store}/web1.qcow2", f"bridge:{host.bridge}")) for host in lab.hosts)
    with accompanied(*lab.hosts):
        assert stamped(web1, lab.hosta) == stamped(web1, lab.hosta, "--inactive") == on_a
        web1.migrate(lab.hosta, lab.hostb, "--live", "--persistent", "--undefinesource")
        assert stamped(web1, lab.hostb) == stamped(web1, lab.hostb, "--inactive") == on_b
        told = lab.hostb.run(["libhooks", "origin", "web1"]).stdout
        print(told)
        assert told.startswith("web1: runs on hostb\n")
        assert "\n    /web1.qcow2 in filer:/images, inode " in told
        web1.migrate(lab.hostb, lab.hosta, "--live", "--persistent", "--undefinesource")
        assert stamped(web1, lab.hosta) == on_a
        assert [one["origin"] for host in lab.hosts for one in records(host)] == ["hostb", "hosta"]
        ended(lab.hosta)
        lab.hosta.virsh("destroy", "web1")
        assert lab.hosta.run(["libhooks", "origin", "web1", "--clear"]).stdout == "web1: no stamp\n"
        web1.boot(lab.hosta)
        assert stamped(web1, lab.hosta) == stamped(web1, lab.hosta, "--inactive") == on_a
    assert lab.hosta.run(["libhooks", "origin", "web1", "--clear"]).stdout == "web1: no stamp\n"
    assert web1.xml(lab.hosta).find(f"metadata/{ORIGIN}origin") is None


def test_no_policy(lab: Lab, web1: Traveller) -> None:
    """Where there is no policy nothing is changed: no guest is stamped."""
    set_policy(NO_POLICY, lab.hosta)
    with accompanied(lab.hosta):
        lab.hosta.run(["sleep", "2"])
        assert web1.xml(lab.hosta).find(f"metadata/{ORIGIN}origin") is None


def test_clone(lab: Lab, web1: Traveller, new_guest: NewGuest) -> None:
    """A clone with the stamp of its template, from a host it never was on, is seen as what it is."""
    clone = new_guest("clone1")
    with accompanied(lab.hosta):
        stamped(web1, lab.hosta)
        saved = lab.hosta.virsh("dumpxml", "--inactive", "web1").stdout
    mark = saved[saved.index("<metadata>") : saved.index("</metadata>") + len("</metadata>")]
    create_disk(clone.guest, lab.hosta)
    xml = domain_xml(clone.guest, lab.hosta, elements=mark.replace("host='hosta'", "host='elsewhere'"))
    lab.hosta.virsh("define", "/dev/stdin", input=xml)
    clone.boot(lab.hosta)
    clone.migrate(lab.hosta, lab.hostb)
    assert clone.uses(lab.hostb) == Uses(("/mnt/vmstore/clone1.qcow2",), "bridge:br-prod")


NO_STORE = POLICY[: POLICY.index("[storage")] + POLICY[POLICY.index("[network") :]
REWRITE = NO_STORE.replace("version = 1\n", 'version = 1\norigin = "rewrite"\n')


def test_identity(lab: Lab, web1: Traveller) -> None:
    """Where no place names a disk, it is found by what it is: told of, and rewritten where that is wanted."""
    set_policy(NO_STORE, *lab.hosts)
    with accompanied(lab.hosta):
        stamped(web1, lab.hosta)
        told = web1.is_refused(lab.hosta, lab.hostb)
        hint = 'it is /mnt/vmstore/web1.qcow2 here: name both in a place, or set origin = "rewrite"'
        assert "\n  storage.exists   disk vda  /srv/images/web1.qcow2\n" in told
        assert told.endswith(f"\n    hint:   {hint}")
        set_policy(REWRITE, *lab.hosts)
        web1.migrate(lab.hosta, lab.hostb)
        assert web1.uses(lab.hostb) == Uses(("/mnt/vmstore/web1.qcow2",), "bridge:br-prod")
        change = records(lab.hostb)[-1]["changes"][0]
        assert (change["place"], change["rule"], change["old"]) == (
            "origin",
            "origin",
            "/srv/images/web1.qcow2",
        )
        web1.migrate(lab.hostb, lab.hosta)
        assert web1.uses(lab.hosta) == Uses(("/srv/images/web1.qcow2",), "bridge:br0")


def test_another_store(lab: Lab, web1: Traveller) -> None:
    """A file of the same name on another store is not the guest's disk, as its stamp knows."""
    set_policy(POLICY.replace('source   = "filer:/images"\n', ""), *lab.hosts)
    with accompanied(lab.hosta), other_volume(lab):
        stamped(web1, lab.hosta)
        told = web1.is_refused(lab.hosta, lab.hostb)
    assert "1 requirement unmet\n  storage.same     disk vda  /mnt/vmstore/web1.qcow2\n" in told


def test_waived_copy(lab: Lab, new_guest: NewGuest) -> None:
    """`--copy-storage-all` to a store that is not shared: refused, and with the waiver done."""
    guest = local_guest(lab, new_guest)
    told = guest.is_refused(lab.hosta, lab.hostb, "--live", "--copy-storage-all")
    assert "\n  storage.shared " in told
    waived = lab.hosta.run(["libhooks", "waive", "local1", "copy-storage", "--for", "10m"]).stdout
    assert waived.startswith("local1: copy-storage  all that it names, until 2")
    assert lab.hosta.run(["libhooks", "waive", "local1", "--list"]).stdout == waived
    guest.migrate(lab.hosta, lab.hostb, "--live", "--copy-storage-all")
    assert guest.uses(lab.hostb) == Uses(("/srv/local/local1.qcow2",), "bridge:br-prod")
    (waiver,) = records(lab.hostb)[-1]["waivers"]
    assert (waiver["code"], waiver["disk"]) == ("copy-storage", "")


def test_waived_code(lab: Lab, new_guest: NewGuest) -> None:
    """A waiver of one code for one disk is good for that; taken away, it is good for nothing."""
    guest = local_guest(lab, new_guest)
    options = ("--live", "--copy-storage-all")
    lab.hosta.run(["libhooks", "waive", "local1", "storage.shared", "--disk", "vda"])
    assert lab.hosta.run(["libhooks", "waive", "local1", "--clear"]).stdout == "local1: no waivers\n"
    guest.is_refused(lab.hosta, lab.hostb, *options)
    lab.hosta.run(["libhooks", "waive", "local1", "storage.shared", "--disk", "vda"])
    guest.migrate(lab.hosta, lab.hostb, *options)


def local_guest(lab: Lab, new_guest: NewGuest) -> Traveller:
    """A guest on a disk of hosta's own; hostb has an empty one of that name."""
    guest = new_guest("local1")
    for host in lab.hosts:
        host.run(["mkdir", "-p", "/srv/local"])
        host.run(["rm", "-f", f"/srv/local/{guest.guest.disk}"])
        host.run(["qemu-img", "create", "-q", "-f", "qcow2", f"/srv/local/{guest.guest.disk}", "64M"])
    xml = domain_xml(guest.guest, lab.hosta).replace("/srv/images/", "/srv/local/")
    lab.hosta.virsh("define", "/dev/stdin", input=xml)
    guest.boot(lab.hosta)
    return guest


def test_misuse(lab: Lab, web1: Traveller) -> None:
    """What makes no sense is said in a line, and so is a libvirtd that is not there."""
    said = {
        ("waive", "web1"): (2, "libhooks waive DOMAIN and one of"),
        ("waive", "web1", "storage.sharde"): (2, 'did you mean "storage.shared"?'),
        ("waive", "web1", "storage.shared", "--disk", "vdz"): (2, "web1 has no disk vdz; it has vda"),
        ("waive", "web1", "storage.shared", "--for", "soon"): (2, "--for soon: a time such as 30m"),
        ("waive", "nobody", "--list"): (2, "there is no guest 'nobody' here"),
        ("origin", "nobody"): (2, "there is no guest 'nobody' here"),
        ("origin", "--clear"): (2, "takes a guest"),
        ("definitions", "diff", "web1"): (2, "no definition of 'web1' was repaired here"),
        ("waive", "web1", "--list", "-c", "qemu+unix:///system?socket=/nowhere"): (
            3,
            "libvirtd cannot be asked",
        ),
        ("origin", "-c", "qemu+unix:///system?socket=/nowhere"): (3, "libvirtd cannot be asked"),
        ("origin", "-c", "nonsense:///"): (3, "libvirtd cannot be asked"),
    }
    for words, (code, expected) in said.items():
        done = lab.hosta.run(["libhooks", *words], check=False)
        assert (done.returncode, done.stdout) == (code, ""), done
        assert expected in done.stderr, done
        assert len(done.stderr.splitlines()) == 1, done
