"""What is written from the tables, and where it lies in ``share/``."""

from __future__ import annotations

from typing import Callable, Mapping

from libhooks.documents import command_page, completion, editor, policy_page

SHIPPED: Mapping[str, Callable[[], str]] = {
    "libhooks-policy.schema.json": editor.schema,
    "man/man5/libhooks-policy.5": policy_page.page,
    "man/man8/libhooks.8": command_page.page,
    "completions/libhooks.bash": completion.bash,
    "completions/_libhooks": completion.zsh,
    "completions/libhooks.fish": completion.fish,
}
