"""What a packet filter does with a new TCP connection to a port, from what ``nft --json list ruleset`` says.

The rules are walked as the kernel walks them (nft(8)), for a connection of which the port is all that is
known: not from where and on what device it comes, only that it is new and not from this host itself. A rule
that looks at anything else may fit or not, so the answer is what can become of the connection.
"""

from __future__ import annotations

import json
from typing import Any, Iterator

from libhooks.facts.reading.root import Garbage

ACCEPT, DROP = "accept", "drop"
#: Chains call chains, a few deep; this only ends what goes in a circle, which nft itself refuses.
_DEEPEST = 16
_FAMILIES = ("inet", "ip")
_Json = Any
#: What comes of looking into JSON that is not what it should be.
_STRANGE = (ValueError, LookupError, TypeError, AttributeError)


class Ruleset:
    """A packet filter's rules. Raises Garbage for what is none of nft's answers."""

    def __init__(self, text: str) -> None:
        try:
            self._read([one for one in json.loads(text)["nftables"] if isinstance(one, dict)])
        except _STRANGE:
            raise Garbage("nft says nothing that makes sense") from None

    def _read(self, found: list[dict[str, Any]]) -> None:
        self._chains = [one["chain"] for one in found if "chain" in one]
        self._rules: dict[tuple[str, str, str], list[Any]] = {}
        self._sets = {_key(one["set"], "name"): one["set"].get("elem", []) for one in found if "set" in one}
        for rule in (one["rule"] for one in found if "rule" in one):
            self._rules.setdefault(_key(rule, "chain"), []).append(rule.get("expr", []))

    def fates(self, port: int) -> set[str]:
        """What can become of a new connection to a port: accepted, dropped, either. Raises Garbage."""
        try:
            return self._fates(port)
        except _STRANGE:
            raise Garbage("nft tells rules that make no sense") from None

    def _fates(self, port: int) -> set[str]:
        fates = {ACCEPT}
        for chain in self._chains:
            if chain.get("hook") == "input" and chain.get("family") in _FAMILIES:
                own = self._base(chain, port)
                # Each base chain has a say: one that drops drops.
                fates = {DROP} if own == {DROP} else fates | own
                if own == {DROP}:
                    return fates
        return fates

    def _base(self, chain: dict[str, Any], port: int) -> set[str]:
        fates, ends = self._walk(_key(chain, "name"), port, 0)
        return fates | ({chain.get("policy", ACCEPT)} if ends else set())

    def _walk(self, key: tuple[str, str, str], port: int, depth: int) -> tuple[set[str], bool]:
        """What can become of it in a chain, and whether it can come to the chain's end."""
        fates: set[str] = set()
        if depth > _DEEPEST:
            raise Garbage("nft's chains go in a circle")
        for rule in self._rules.get(key, []):
            fits = self._fits(rule, key, port)
            if fits is False:
                continue
            own, goes_on = self._verdict(rule, key, port, depth)
            fates |= own
            if fits and not goes_on:
                return fates - {"return"}, "return" in fates
        return fates - {"return"}, True

    def _verdict(
        self, rule: list[Any], key: tuple[str, str, str], port: int, depth: int
    ) -> tuple[set[str], bool]:
        """A rule's verdict: what becomes of it, and whether it goes on to the next rule."""
        for step in (one for one in rule if isinstance(one, dict)):
            if ACCEPT in step:
                return {ACCEPT}, False
            if DROP in step or "reject" in step:
                return {DROP}, False
            if "return" in step:
                return {"return"}, False
            for call in ("jump", "goto"):
                if call in step:
                    fates, ends = self._walk((*key[:2], str(step[call]["target"])), port, depth + 1)
                    return (
                        (fates, ends) if call == "jump" else (fates | ({"return"} if ends else set()), False)
                    )
            if "queue" in step or "vmap" in step or "xt" in step:
                return {ACCEPT, DROP}, True
        return set(), True

    def _fits(self, rule: list[Any], key: tuple[str, str, str], port: int) -> bool | None:
        """Whether a rule is for this connection; None where that depends on what is not known of it."""
        answers = [self._matches(step["match"], key, port) for step in rule if "match" in step]
        if False in answers:
            return False
        return None if None in answers or any("xt" in step for step in rule) else True

    def _matches(self, match: dict[str, Any], key: tuple[str, str, str], port: int) -> bool | None:
        left, right = match.get("left", {}), match.get("right")
        known = _known(left, port)
        if right == "lo" and known is None:
            return match.get("op") == "!="  # what comes from elsewhere does not come by the loopback device
        if known is None:
            return None
        found = known in set(self._values(right, key, port))
        return found if match.get("op") in ("==", "in") else not found if match.get("op") == "!=" else None

    def _values(self, right: _Json, key: tuple[str, str, str], port: int) -> Iterator[_Json]:
        """The values that a rule compares with; of a range, the port if it is in it."""
        if isinstance(right, dict) and "set" in right:
            right = right["set"]
        if isinstance(right, str) and right.startswith("@"):
            right = self._sets.get((*key[:2], right[1:]), [])
        for one in right if isinstance(right, list) else [right]:
            if isinstance(one, dict) and "range" in one:
                low, high = one["range"]
                if isinstance(low, int) and low <= port <= high:
                    yield port
            elif isinstance(one, dict) and "elem" in one:
                yield one["elem"].get("val")
            elif not isinstance(one, (dict, list)):
                yield one


def _key(one: dict[str, Any], name: str) -> tuple[str, str, str]:
    return str(one.get("family")), str(one.get("table")), str(one.get(name))


def _known(left: _Json, port: int) -> _Json:
    """What a new TCP connection from elsewhere has where a rule looks; None where that is not known."""
    if not isinstance(left, dict):
        return None
    payload, meta = left.get("payload", {}), left.get("meta", {})
    if payload.get("protocol") in ("tcp", "th") and payload.get("field") == "dport":
        return port
    if payload.get("protocol") in ("udp", "icmp", "icmpv6", "sctp"):
        return "another protocol"
    if payload.get("field") == "protocol" or meta.get("key") == "l4proto":
        return "tcp"
    if left.get("ct", {}).get("key") == "state":
        return "new"
    return None
