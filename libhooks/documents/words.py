"""What the tables of a policy file are for, in a sentence or two: for editors and the man page."""

from __future__ import annotations

from typing import Mapping

TABLES: Mapping[tuple[str, ...], str] = {
    ("storage",): "Stores that hosts share and mount, or reach, under names of their own.",
    ("storage", "ID"): "A shared store, and what each host calls it.",
    ("network",): "Layer-2 segments, which hosts reach through bridges and networks of their own.",
    ("network", "ID"): "A layer-2 segment, and what each host calls it.",
    ("address",): "Addresses that guests' consoles and character devices listen on.",
    ("address", "ID"): "An address to listen on, and what it is on each host.",
    ("device",): "Host devices that stand for each other.",
    ("device", "ID"): "A host device, and which one it is on each host.",
    ("file",): "Files with the same content that each host keeps for itself, such as firmware.",
    ("file", "ID"): "A file with the same content on each host, and where each keeps it.",
    ("require",): "What follows from a requirement that is not met: libhooks explain CODE tells of each.",
    ("guest",): "Exceptions for some guests.",
    ("guest", "ID"): "An exception for the guests that match. All tables that match apply, in their order.",
    ("guest", "ID", "match"): "Which guests are meant: by name, by UUID, or by both.",
    ("guest", "ID", "require"): "What follows for these guests from a requirement that is not met.",
    ("platform",): "What a site supports besides what the operating systems' makers do.",
    ("adjust",): "What of a guest's tuning depends on the host: keep it, drop it, or fit it to what is here.",
    ("edit",): "Changes for what no place covers. What the guest itself sees is never changed.",
    ("edit", "ID"): "An edit of the guests that match, after all else, in the order of the policy.",
    ("edit", "ID", "match"): "Which guests are edited: by name, by UUID, or by both.",
    ("journal",): "The record of every decision.",
    ("hook",): "The hook's own limits.",
    ("policy",): "The policy's own behaviour.",
} | {
    (kind, "ID", "at"): 'What each host calls it: at.HOST, or at."PATTERN*" in quotes.'
    for kind in ("storage", "network", "address", "device", "file")
}
