"""The house's ladder: imports go down, and each library has its owner. Read from the source with `ast`."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "stepgrade"
FLOORS = [
    {"errors", "records", "quoting", "kernels.calls", "kernels.wire", "kernels.walls", "strange_files"},
    {"compare", "course", "desks", "progress", "scene", "source", "staging"},
    {"bindings", "kernels.interface", "kernels.sandbox", "kernels.outputs"},
    {"reach", "kernels.child", "kernels.parent", "kernels.launch"},
    {"exercise"},
    {"notebook", "student", "pytest_plugin", "picture", "kernels.plain", "kernels.warm", "sanitize"},
    {"checks", "gradebook", "feedback", "ledger", "kernels", "mutation", "signature"},
    {"diagnosis", "handed_in"},
    {"grade", "classpage", "classroom"},
    {"proofs", "converter", "pages"},
    {"again", "batch"},
    {"desk", "regrade"},
    {"cli", "preprocessor", "exchange"},
]
PACKAGES = ("feedback", "mutation", "diagnosis", "proofs", "classpage")
"""Rooms with several doors: each stands on one floor, and its own modules form a ladder among themselves."""

OWNERS = {
    "torch": {"exercise", "kernels.calls", "kernels.child", "kernels.parent", "mutation", "diagnosis", "proofs"},
    "matplotlib": {"picture", "kernels.child", "kernels.parent"},
    "nbclient": {"kernels.plain"},
    "jupyter_client": {"kernels.plain", "kernels.child", "kernels.outputs"},
    "nh3": {"sanitize"},
    "sqlalchemy": {"gradebook"},
    "filelock": {"staging", "diagnosis"},
    "IPython": {"source", "kernels.child"},
}


def room(name: str) -> str:
    """The room that a module belongs to."""
    return next((package for package in PACKAGES if name.split(".")[0] == package), name)


def modules() -> dict[str, Path]:
    paths = sorted(PACKAGE.rglob("*.py"))
    names = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in names.items() if name != "__init__"}


def imports(path: Path, deep: bool) -> list[tuple[int, str]]:
    """Imported names with their lines; those inside functions only when `deep`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree) if deep else _at_the_top(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def _at_the_top(tree: ast.Module) -> list[ast.stmt]:
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def floor(name: str) -> int:
    for number, names in enumerate(FLOORS):
        if name in names:
            return number
    pytest.fail(f"stepgrade.{name} has no floor in the house: say in {__file__} where it belongs")


def ours(name: str) -> list[tuple[int, str]]:
    """Modules of ours that a module imports at its top, with the lines."""
    found = []
    for line, imported in imports(modules()[name], deep=False):
        parts = imported.split(".")[1:] if imported.startswith("stepgrade") else []
        target = next((t for t in (".".join(parts[:n]) for n in range(len(parts), 0, -1)) if t in modules()), None)
        if target is not None and target != name:
            found.append((line, target))
    return found


@pytest.mark.parametrize("name", modules())
def test_nothing_imports_upwards(name: str) -> None:
    for line, target in ours(name):
        if room(target) != room(name):
            below = floor(room(target)) < floor(room(name))
            assert below, f"stepgrade/{name}.py:{line} imports {target}, which is not below it"


@pytest.mark.parametrize("name", modules())
def test_no_module_imports_itself_by_way_of_others(name: str) -> None:
    reached, ways = set(), [target for _, target in ours(name)]
    while ways:
        target = ways.pop()
        if target not in reached:
            reached.add(target)
            ways += [further for _, further in ours(target)]
    assert name not in reached, f"stepgrade/{name}.py is reached from its own imports"


@pytest.mark.parametrize("name", modules())
def test_each_library_is_imported_by_its_owner(name: str) -> None:
    for line, imported in imports(modules()[name], deep=True):
        owners = OWNERS.get(imported.split(".")[0])
        assert owners is None or room(name) in owners, f"stepgrade/{name}.py:{line} imports {imported}: not its owner"


@pytest.mark.parametrize("name", modules())
def test_the_engine_never_imports_tests_nor_unpickles(name: str) -> None:
    for line, imported in imports(modules()[name], deep=True):
        assert imported.split(".")[0] not in ("tests", "pickle", "dill"), f"{name}:{line} {imported}"
    text = modules()[name].read_text(encoding="utf-8")
    assert "torch.load(" not in text and "marshal.load" not in text


@pytest.mark.parametrize("name", ["kernels.calls", "kernels.child"])
def test_what_runs_in_the_students_process_imports_nothing_of_ours(name: str) -> None:
    path = modules().get(name)
    if path is None:
        pytest.fail(f"no module {name}")
    for line, imported in imports(path, deep=True):
        assert not imported.startswith("stepgrade"), f"stepgrade/{name}.py:{line} imports {imported}"


LESSONS_WORDS = re.compile(r"\b(lr|x0|gamma|momentum|iterations|SGD|Adam)\b")


def lines_of_code(path: Path) -> list[tuple[int, str]]:
    """The lines of a file that are no docstring, where examples may stand."""
    lines = path.read_text(encoding="utf-8").splitlines()
    docstrings: set[int] = set()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse("\n".join(lines))):
            is_text = (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            )
            if is_text:
                docstrings |= set(range(node.lineno, node.end_lineno + 1))
    return [(number, line) for number, line in enumerate(lines, start=1) if number not in docstrings]


@pytest.mark.parametrize("path", sorted(p for p in PACKAGE.rglob("*.*") if "__pycache__" not in p.parts), ids=str)
def test_the_engine_knows_no_lesson(path: Path) -> None:
    assert [f"{path}:{number}: {line}" for number, line in lines_of_code(path) if LESSONS_WORDS.search(line)] == []


def test_a_lessons_word_would_be_found(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text('"""Such as lr."""\n\nNAMES = ("momentum",)\n', encoding="utf-8")
    assert [number for number, line in lines_of_code(file) if LESSONS_WORDS.search(line)] == [3]
