"""What the tests of hostile submissions share: how to see whether something of a page would run."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import shown


@pytest.fixture(scope="session")
def find_poison() -> Callable[[str], list[str]]:
    """A function that lists what of a submission would run in a browser; poison says `owned`."""
    return shown.poison
