"""The lesson's own diagnosis, as the engine loads it, for tests that look into it."""

from __future__ import annotations

import importlib
from pathlib import Path

from stepgrade.diagnosis.catalogue import load_explain

HIDDEN = Path(__file__).resolve().parents[1] / "hidden" / "optimization"
explain = load_explain(HIDDEN)
assert explain is not None
PACKAGE = explain.__module__.rpartition(".")[0]


def _module(name: str) -> object:
    return importlib.import_module(f"{PACKAGE}.{name}")


laws, raised, recording, ties = (_module(name) for name in ("laws", "raised", "recording", "ties"))
case, cell, known, walks = (_module(name) for name in ("case", "cell", "known", "walks"))
