"""Every code that a diagnostic of a policy can have, and what it means."""

from __future__ import annotations

from typing import Mapping

#: In the order in which a policy is read: its files, their syntax, their keys, what they come to, lint.
MISTAKES: Mapping[str, str] = {
    "unreadable": "The file, or the directory, cannot be read, or a link leads nowhere.",
    "not-a-file": "What is called *.toml is a directory, a pipe or a device.",
    "too-large": "The file is larger than a policy can be.",
    "owner": "Whoever owns a policy decides where guests' disks are: root must, or whoever runs libhooks.",
    "writable": "Others than its owner may write the file or the directory.",
    "encoding": "The file is not UTF-8, or begins with a byte order mark, or holds a NUL byte.",
    "syntax": "The file is not TOML 1.0.",
    "duplicate": "A key or a table is written twice in one file, or a host twice in different capitals.",
    "version": "The file sets something and has no version = 1.",
    "unknown-key": "No key or table of this name is known there.",
    "type": "A value stands where a table is expected.",
    "quotes": "A host's name, or a requirement's code, has dots and no quotes around it.",
    "name": "No ID, host or requirement can be called that.",
    "value": "The value has a type or form that the key can't take, or it does not go with the other keys.",
    "same-name": "One name on one host would be two places: libhooks could not tell which is meant.",
    "match": "A [guest.ID] or [edit.ID] does not say which guests it is for.",
    "missing": "An [edit.ID] lacks a key that it needs.",
    "position": "An edit removes elements by their position: each time it runs, another one.",
    "guest-abi": "An edit selects what the guest itself sees: libvirt would refuse it, or the guest break.",
    "tie": "Two patterns of a place fit a host equally well.",
    "no-host": "A place names no host.",
    "one-host": "A place names a single host, so nothing is ever rewritten.",
    "no-place": "No place names this host: guests that arrive here are refused with policy.host.",
    "ambiguous": "Hosts call different things by one name, and a third can't tell where a guest comes from.",
    "unjudged": "The policy demands something that this version of libhooks does not judge.",
    "no-guest": "A pattern that no guest's name can fit.",
    "no-effect": "A [guest.ID] that changes nothing for its guests.",
    "shadowed": "A name that is never read, or not everywhere, as another one always comes before it.",
    "dead-end": "Two hosts' names of a place can't stand for each other, as a bridge for a macvtap device.",
    "stray-host": "One place alone names a host, which looks like a misspelt one.",
    "override": "A later file sets what an earlier one had set otherwise: the later one counts.",
    "repeated": "A later file says again what an earlier one has said.",
    "unknown-guest": "A table fits none of the guests known here: those defined here, and the journal's.",
}
