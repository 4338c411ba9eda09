"""nbgrader's feedback pages, set up once for a class instead of once for each submission.

Knows nbgrader's `GenerateFeedback` and nbconvert's HTML exporter; what most pages have in common (the lesson's text and
code) is rendered once. Refuses to know the gradebook and nbgrader's folders: scores are handed over, and so is the
folder that pages are written into.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.highlight import Highlight2HTML
from nbformat import NotebookNode
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import is_grade, is_solution, is_task
from traitlets.utils.importstring import import_item

from stepgrade import handed_in

Resources = dict[str, Any]
MOST_REMEMBERED = 2000  # cells; a lesson has some forty
FOR_THE_TREE = re.compile(r'class="[^"]*(?:jp-Notebook|jp-Cell-inputWrapper|jp-OutputArea-output)')
UNDESCRIBED = re.compile(r"<img(?![^<>]*\salt=)([^<>]*?)\s*/?>")
NO_DESCRIPTION = "No description has been provided for this image"  # as nbconvert has it


class _Highlight(Highlight2HTML):  # type: ignore[misc]  # nbconvert is not typed
    """nbconvert's highlighting, once for each cell's text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._known: dict[tuple[str, str | None], str] = {}

    def __call__(self, source: str, language: str | None = None, metadata: Any = None) -> str:
        if metadata and "magics_language" in metadata:
            return str(super().__call__(source, language, metadata))
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        if (source, language) not in self._known:
            self._known[source, language] = super().__call__(source, language, metadata)
        return self._known[source, language]


class _Exporter(HTMLExporter):  # type: ignore[misc]  # nbconvert is not typed
    """nbconvert's exporter with a memory, and without a tree of each page where that makes no difference."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._markdown: dict[str, str] = {}
        self._highlights: dict[str | None, _Highlight] = {}

    def from_notebook_node(
        self, nb: NotebookNode, resources: Resources | None = None, **kw: Any
    ) -> tuple[str, Resources]:
        """As nbconvert's own, but for the tree that it makes of each page to look for pictures without description.

        That takes three quarters of the time of a page. Of nbgrader's templates nothing else is found in it; those of
        JupyterLab, in which it finds more, take the long way.
        """
        page, done = self._without_tree(nb, copy.deepcopy(resources), **kw)
        if FOR_THE_TREE.search(page):
            converted: tuple[str, Resources] = super().from_notebook_node(nb, resources, **kw)
            return converted
        return UNDESCRIBED.sub(rf'<img\1 alt="{NO_DESCRIPTION}"/>', page), done

    def _without_tree(self, nb: NotebookNode, resources: Resources | None, **kw: Any) -> tuple[str, Resources]:
        """What nbconvert does before it makes a tree."""
        from nbconvert.exporters.templateexporter import TemplateExporter
        from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

        language = nb.metadata.get("language_info", {})
        lexer = language.get("pygments_lexer", language.get("name", None))
        if lexer not in self._highlights:
            self._highlights[lexer] = _Highlight(pygments_lexer=lexer, parent=self)
        resources = self._init_resources(resources)
        data_type = WidgetsDataTypeFilter(notebook_metadata=self._nb_metadata, parent=self, resources=resources)
        self.register_filter("highlight_code", self._highlights[lexer])
        self.register_filter("filter_data_type", data_type)
        converted: tuple[str, Resources] = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return converted

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """Markdown as HTML; attachments belong to one cell alone."""
        if context.get("cell", {}).get("attachments") or self.embed_images:
            return str(super().markdown2html(context, source))
        if len(self._markdown) > MOST_REMEMBERED:
            self._markdown.clear()
        if source not in self._markdown:
            self._markdown[source] = super().markdown2html(context, source)
        return self._markdown[source]


class _GivenGrades(GetGrades):  # type: ignore[misc]  # nbgrader is not typed
    """nbgrader's GetGrades, told beforehand what the gradebook says."""

    given: Mapping[str, Any] = {}

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        for cell in nb.cells:
            if is_solution(cell) or is_task(cell):
                cell.metadata.nbgrader["comment"] = self.given["comments"][cell.metadata.nbgrader["grade_id"]]
            if is_grade(cell) or is_task(cell):
                score, points = self.given["scores"][cell.metadata.nbgrader["grade_id"]]
                cell.metadata.nbgrader.update(score=score, points=points)
        resources["nbgrader"].update(self.given["totals"])
        return nb, resources


class Pages(GenerateFeedback):  # type: ignore[misc]  # nbgrader is not typed
    """`nbgrader generate_feedback` for one submission after another. One thread at a time may use it."""

    def __init__(self, coursedir: CourseDirectory) -> None:
        super().__init__(coursedir=coursedir, config=coursedir.config)
        self._dest = Path()
        self.exporter = _Exporter(parent=self, config=self.config)
        self._grades = _GivenGrades(parent=self.exporter)
        for item in self.preprocessors:
            cls = import_item(item) if isinstance(item, str) else item
            own = self._grades if cls is GetGrades else cls(parent=self.exporter)
            self.exporter.register_preprocessor(own)

    def _format_dest(self, assignment_id: str, student_id: str, escape: bool = False) -> str:
        return str(self._dest)

    def convert(self, student: str, given: Mapping[str, Any], dest: Path) -> None:
        """Write a submission's pages into a folder.

        Args:
            student: whose.
            given: by notebook, what the gradebook says; see `gradebook.ClassBook.grades`.
            dest: an empty folder; in the end it is what `feedback/<student>/<assignment>` should be.
        """
        self._dest, assignment = dest, self.coursedir.assignment_id
        source = Path(self._format_source(assignment, student))
        handed_in.copy_files(source, dest, self.coursedir.ignore)
        for file in sorted(source.glob("*.ipynb")):
            if file.stem not in given:
                continue
            self._grades.given = given[file.stem]
            output, _ = self.exporter.from_filename(str(file), resources=self.init_single_notebook_resources(str(file)))
            (dest / f"{file.stem}.html").write_text(output, encoding="utf-8")
            self.exporter._nb_metadata.clear()  # nbconvert keeps every notebook's metadata for ever
        self.set_permissions(assignment, student)
