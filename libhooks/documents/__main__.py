"""``python3 -m libhooks.documents``: write what is made of the tables into the checkout's ``share/``."""

from __future__ import annotations

from pathlib import Path

from libhooks.documents.shipped import SHIPPED

share = Path(__file__).resolve().parents[2] / "share"
for name, made in SHIPPED.items():
    (share / name).parent.mkdir(parents=True, exist_ok=True)
    (share / name).write_text(made())
