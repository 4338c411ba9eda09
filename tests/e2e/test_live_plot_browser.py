"""The lesson's live plots in a real browser: the path grows, in one output, while the cell runs.

Set LIVE_PLOT_SCREENSHOTS to a folder to keep what the browser showed.
"""

from __future__ import annotations

import ast
import io
import math
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "release" / "optimization"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
FLAGS += ["--disable-sync", "--no-first-run"]
PLOTTING_CALLS = ("init_2dplot", "init_3dplot")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)")


def names_in(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell makes at its top level, and all that it mentions."""
    tree = ast.parse(source)
    mentioned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    made: set[str] = set()
    open_nodes: list[ast.AST] = list(tree.body)
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)  # what it makes inside is its own
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        if not isinstance(node, ast.Lambda | ast.ListComp | ast.DictComp | ast.SetComp | ast.GeneratorExp):
            open_nodes += ast.iter_child_nodes(node)
    return made, mentioned


def plotting_cells() -> list[str]:
    """The release's cells that plot in 2D and in 3D, after the cells that make what they use."""
    nb = nbformat.read(RELEASE / "optimization.ipynb", as_version=4)
    sources = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    wanted = [next(k for k, source in enumerate(sources) if f"{call}(" in source) for call in PLOTTING_CALLS]
    chosen, open_cells = set(wanted), list(wanted)
    while open_cells:
        last = open_cells.pop()
        made, mentioned = names_in(sources[last])
        for name in mentioned - made:
            makers = [k for k in range(last) if name in names_in(sources[k])[0]]
            if makers and makers[0] not in chosen:
                chosen.add(makers[0])
                open_cells.append(makers[0])
    return [sources[k] for k in sorted(chosen)]


@dataclass(frozen=True)
class Jupyter:
    """A running server: where it listens, and the folder that it serves."""

    address: str
    token: str
    folder: Path

    def page(self, path: str) -> str:
        return f"{self.address}/{path}?token={self.token}"


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """JupyterLab and Notebook 7 on the loopback, with nobody's settings."""
    folder, private = tmp_path_factory.mktemp("lesson"), tmp_path_factory.mktemp("private")
    shutil.copy(ROOT / "live_plot.py", folder)  # of which the release holds a copy
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    environment = {
        name: value for name, value in os.environ.items() if name not in ("NBGRADER_EXECUTION", "MPLBACKEND")
    }
    for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        environment[name] = str(private / name.lower())
    silence = private / "jupyter_config_dir/lab/user-settings/@jupyterlab/apputils-extension"
    silence.mkdir(parents=True)  # no question about news on top of the plot
    (silence / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"]
    command += ["--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"]  # jupyterapp
    with (private / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api?token={token}", server, private / "server.log")
        yield Jupyter(address, token, folder)
    finally:
        server.terminate()  # it ends its kernels itself
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"the Jupyter server did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=CHROMIUM,
            args=FLAGS,
            headless=True,
            viewport={"width": 1280, "height": 1700},
        )
        yield context
        context.close()


@dataclass
class Watched:
    """What a cell's output showed while the cell ran, and afterwards."""

    frames: list[np.ndarray] = field(default_factory=list)  # each of shape (height, width, 3), one per change
    most_outputs: int = 0
    last: np.ndarray | None = None

    def path_pixels(self) -> list[int]:
        """How much of the panel on the right is in the strong colours of path and markers, frame by frame."""
        counts = []
        for frame in self.frames:
            panel = frame[55:, int(0.66 * frame.shape[1]) :].astype(int)
            counts.append(int((np.ptp(panel, axis=2) > 60).sum()))
        return counts


# Whether the page has its kernel: what is run before that is dropped without a word.
KERNEL_IS_READY = """
() => {
  const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === "connected" && kernel.status === "idle";
}
"""

# Whether a cell runs or ran: its prompt is a star or a number.
WAS_RUN = """
index => {
  const cell = document.querySelectorAll(".jp-Notebook .jp-CodeCell")[index];
  return /\\[(\\*|\\d+)\\]/.test(cell?.querySelector(".jp-InputPrompt")?.textContent);
}
"""

CELL_STATE = """
index => {
  const cell = document.querySelectorAll(".jp-Notebook .jp-CodeCell")[index];
  const find = selector => [...cell.querySelectorAll(".jp-OutputArea-output " + selector)];
  const images = find("img"), canvases = find(".jupyter-matplotlib-canvas-div");
  const picture = images.concat(canvases)[0];
  if (picture) picture.scrollIntoView({block: "nearest"});
  const box = picture && picture.getBoundingClientRect();
  return {
    prompt: cell.querySelector(".jp-InputPrompt").textContent,
    outputs: cell.querySelectorAll(".jp-OutputArea-output").length,
    pictures: images.length + canvases.length,
    canvases: canvases.length,
    // an error shows its traceback as stderr
    errors: cell.querySelectorAll('[data-mime-type="application/vnd.jupyter.stderr"]').length,
    box: box && {x: box.x, y: box.y, width: box.width, height: box.height},
  };
}
"""

# Looks at the height of the cell's output before every repaint of the page, from its first picture on.
WATCH_HEIGHT = """
index => {
  window.lowest = Infinity;
  const look = () => {
    const cell = document.querySelectorAll(".jp-Notebook .jp-CodeCell")[index];
    const area = cell && cell.querySelector(".jp-OutputArea");
    if (area && (area.querySelector("img") || window.lowest < Infinity) && area.offsetParent)
      window.lowest = Math.min(window.lowest, area.getBoundingClientRect().height);
    window.looking = requestAnimationFrame(look);
  };
  cancelAnimationFrame(window.looking);
  look();
}
"""


def watch(page: Any, index: int, seconds: float = 40) -> Watched:
    """Looks at a cell's output until the cell is done and a moment longer."""
    watched = Watched()
    deadline = time.monotonic() + seconds
    done_since: float | None = None
    while time.monotonic() < deadline:
        state = page.evaluate(CELL_STATE, index)
        assert state["errors"] == 0, page.locator(".jp-Notebook .jp-CodeCell").nth(index).inner_text()
        watched.most_outputs = max(watched.most_outputs, state["outputs"], state["pictures"])
        if state["box"] and state["box"]["height"] > 1:
            picture = np.asarray(Image.open(io.BytesIO(page.screenshot(clip=state["box"]))).convert("RGB"))
            is_new = watched.last is None or watched.last.shape != picture.shape or (watched.last != picture).any()
            if is_new and not state["canvases"]:
                watched.frames.append(picture)
            watched.last = picture
        if state["prompt"].strip("[]: ").isdigit():
            done_since = done_since or time.monotonic()
            if time.monotonic() - done_since > 1.2:
                return watched
        page.wait_for_timeout(100)
    raise AssertionError(f"cell {index} was not done within {seconds} seconds: {state}")


@pytest.mark.parametrize(
    ("name", "path", "magic"),
    [
        ("lab_ipympl", "lab/workspaces/first/tree", "%matplotlib widget"),
        ("lab_inline", "lab/workspaces/second/tree", "%matplotlib inline"),
        ("notebook_7", "notebooks", "%matplotlib inline"),
    ],
)
def test_the_path_grows_in_one_output(name: str, path: str, magic: str, jupyter: Jupyter, browser: Any) -> None:
    cells = [magic, *plotting_cells()]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(
        new_notebook(cells=[new_code_cell(source) for source in cells], metadata=kernel),
        jupyter.folder / f"{name}.ipynb",
    )
    page = browser.new_page()
    page.goto(jupyter.page(f"{path}/{name}.ipynb"))
    first = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    first.wait_for(timeout=40_000)
    page.wait_for_function(KERNEL_IS_READY, timeout=40_000)
    first.click()
    done = -1
    for call in PLOTTING_CALLS:
        index = next(k for k, source in enumerate(cells) if f"{call}(" in source)
        page.evaluate(WATCH_HEIGHT, index)
        for k in range(done + 1, index + 1):
            page.keyboard.press("Shift+Enter")
            page.wait_for_function(WAS_RUN, arg=k, timeout=10_000)
        done = index
        watched = watch(page, index)
        keep(name, call, watched, page)
        assert watched.most_outputs == 1  # in place: no stack of pictures
        lowest = page.evaluate("window.lowest")
        assert lowest < math.inf, page.locator(".jp-Notebook .jp-CodeCell").nth(index).inner_text()  # a picture came
        assert lowest > 300  # it never collapses between two pictures, so nothing jumps
        counts = watched.path_pixels()
        assert len(counts) >= 5, "the output hardly changed while the cell ran"
        assert max(counts) > counts[0] + 300  # not the last: that may show the canvas taking the picture's place
        assert sum(later > earlier for earlier, later in pairwise(counts)) >= 3
        assert watched.last is not None
        assert (np.ptp(watched.last.astype(int), axis=2) > 60).sum() > 300  # and the finished picture stays
        is_canvas = page.evaluate(CELL_STATE, index)["canvases"] == 1
        assert is_canvas == ("widget" in magic)
    page.close()


def test_the_saved_player_plays_and_steps(browser: Any, tmp_path: Path) -> None:
    program = (
        "import torch; from live_plot import race\n"
        "racers = {'SGD': lambda p: torch.optim.SGD(p, lr=0.9), 'Adam': lambda p: torch.optim.Adam(p, lr=0.5)}\n"
        f"race(lambda x, y: x**2 / 20 + y**2, (-9, 3), racers, 12).plot.save({str(tmp_path / 'race.html')!r}, 0.05)\n"
    )
    environment = {**os.environ, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, env=environment, timeout=60)
    page, complaints = browser.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
    page.goto((tmp_path / "race.html").as_uri())

    def told() -> tuple[str, int]:
        """The step in words, and how many pieces of path are to be seen."""
        pieces = "() => [...document.querySelectorAll('[data-step]')].filter(e => e.style.display !== 'none').length"
        return page.locator("[data-part=status]").text_content().split("    ")[0], page.evaluate(pieces)

    finished = told()
    page.locator("[data-part=step]").fill("4")
    middle = told()
    page.click("[data-part=back]")
    before = told()
    page.click("[data-part=forth]")
    assert (finished[0], middle[0], before[0], told()) == ("step 11", "step 4", "step 3", middle)
    assert before[1] < middle[1] < finished[1]
    page.click("[data-part=play]")
    page.wait_for_function("document.querySelector('[data-part=step]').value === '11'", timeout=10_000)
    assert told() == finished
    assert page.locator("[data-part=play]").inner_text() == "Play"
    assert complaints == []
    page.close()


def keep(name: str, call: str, watched: Watched, page: Any) -> None:
    """Saves what was seen, if wanted."""
    folder = os.environ.get("LIVE_PLOT_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        for k, frame in enumerate(watched.frames):
            Image.fromarray(frame).save(Path(folder) / f"{name}_{call}_{k:02d}.png")
        page.screenshot(path=str(Path(folder) / f"{name}_{call}_page.png"))
