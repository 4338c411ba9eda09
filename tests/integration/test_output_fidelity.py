"""Do outputs of the warm kernel equal those of stock nbgrader, notebook by notebook?

nbgrader's own `Execute` runs every notebook in an ordinary kernel; the warm kernel runs the same cells. Adjacent stream
chunks are joined, addresses, times and the names of temporary files are masked; everything else must be equal, pictures
byte for byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from stepgrade.kernels.warm import WarmProvisioner
from stepgrade.records import Limits

Cells = tuple[str, ...]

FOLDER = Path(__file__).with_name("fidelity")
NOTEBOOKS: dict[str, Cells] = {
    file.stem: tuple(file.read_text(encoding="utf-8").split("\n# %%\n")) for file in sorted(FOLDER.glob("*.cells"))
}
"""One file per notebook in `fidelity/`; a line `# %%` stands between two cells."""

MASKS = (
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
    (re.compile(r"/tmp/ipykernel_\d+/\d+\.py"), "<cell>"),
    (re.compile(r"\b[0-9.]+(e[-+]?\d+)? ?(ns|μs|µs|us|ms|s|min)\b"), "<time>"),
    (re.compile(r"'model_id': '[0-9a-f]+'"), "'model_id'"),
    (re.compile(r"[0-9a-f]{32}"), "<id>"),
)


def mask(value: Any) -> Any:
    """The same outputs without what differs from run to run."""
    if isinstance(value, dict):
        return {key: item if key.startswith("image/") else mask(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask(item) for item in value]
    if isinstance(value, str):
        for pattern, text in MASKS:
            value = pattern.sub(text, value)
    return value


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adjacent chunks of a stream as one."""
    result: list[dict[str, Any]] = []
    for output in outputs:
        last = result[-1] if result else {}
        if output["output_type"] == "stream" == last.get("output_type") and output["name"] == last["name"]:
            last["text"] += output["text"]
        else:
            result.append({**output})
    return result


def run_stock(cells: Cells, folder: Path) -> list[Any]:
    """Outputs of each cell by nbgrader's own preprocessor."""
    from nbgrader.preprocessors import Execute

    nb = new_notebook(cells=[new_code_cell(source) for source in cells])
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    Execute(shutdown_kernel="immediate").preprocess(nb, {"metadata": {"path": str(folder)}})
    assert nbformat.validate(nb) is None
    return [(cell.get("execution_count"), [dict(output) for output in cell.outputs]) for cell in nb.cells]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Outputs of all notebooks by stock kernels, several at once: most of their time is waiting."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # ipykernel does not capture file descriptors where it is set
    folders = {name: tmp_path_factory.mktemp("stock") for name in NOTEBOOKS}
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda name: run_stock(NOTEBOOKS[name], folders[name]), NOTEBOOKS)
        return dict(zip(NOTEBOOKS, results, strict=True))


@pytest.fixture(scope="module")
def provisioner() -> Iterator[WarmProvisioner]:
    """One warm parent for all."""
    with WarmProvisioner() as warm:
        yield warm


def run_warm(provisioner: WarmProvisioner, cells: Cells) -> list[Any]:
    """Outputs of each cell by the warm kernel; nbclient does not run cells without text, and neither do we."""
    with provisioner.start(None, Limits(output_mib_per_cell=8, output_mib_per_notebook=32)) as kernel:
        results = [kernel.run_cell(source) if source.strip() else None for source in cells]
        ran = [number for number, result in enumerate(results) if result is not None]
        outputs = {number: kernel.outputs_of(place) for place, number in enumerate(ran)}
    return [
        (None, []) if result is None else (result.execution_count, [dict(o) for o in outputs[number]])
        for number, result in enumerate(results)
    ]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_outputs_equal_those_of_stock_nbgrader(
    name: str, stock: dict[str, list[Any]], provisioner: WarmProvisioner
) -> None:
    ours = run_warm(provisioner, NOTEBOOKS[name])
    for source, (count, outputs), (stock_count, stock_outputs) in zip(NOTEBOOKS[name], ours, stock[name], strict=True):
        assert mask(joined(outputs)) == mask(joined(stock_outputs)), source
        assert count == stock_count, source


def test_at_least_forty_notebooks_are_compared() -> None:
    assert len(NOTEBOOKS) >= 40
