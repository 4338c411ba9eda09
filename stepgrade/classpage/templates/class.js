"use strict";
// Sorting, finding, showing a path, copying a command. The page is whole without: this adds handles to it.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  for (const element of all("[data-js], [data-copy]")) element.hidden = false;
  const status = document.getElementById("shown");

  // Submissions: sort by a column, again for the other way round.
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const heads = all("thead th", table);
  const words = new Intl.Collator(undefined, { numeric: true });
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell && "v" in cell.dataset ? Number(cell.dataset.v) : cell ? cell.textContent : "";
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : words.compare(a, b));
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", way);
      const sign = way === "ascending" ? 1 : -1;
      const keyed = [...body.rows].map((row) => [value(row, column), row]);
      keyed.sort((a, b) => sign * compare(a[0], b[0]));
      body.append(...keyed.map(([, row]) => row));
      tell(`sorted by ${button.textContent}, ${way}`);
    });
  });

  // Find: every word has to be somewhere in the row.
  const field = document.getElementById("q");
  const kind = document.getElementById("kind");
  const nobody = document.getElementById("nobody");
  const rows = [...body.rows].map((row) => [row, `${row.textContent} ${row.dataset.also}`.toLowerCase()]);
  let shown = rows.length;
  const tell = (more) => {
    status.textContent = `${shown} of ${rows.length} shown${more ? `, ${more}` : ""}`;
  };
  const find = () => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = 0;
    for (const [row, text] of rows) {
      const fits = !kind.value || row.dataset.kinds.split(" ").includes(kind.value);
      row.hidden = !(fits && wanted.every((word) => text.includes(word)));
      if (!row.hidden) shown += 1;
    }
    nobody.hidden = shown > 0;
    tell();
  };
  field.addEventListener("input", find);
  kind.addEventListener("change", find);
  document.getElementById("clear").addEventListener("click", () => {
    field.value = kind.value = "";
    find();
    field.focus();
  });
  tell();
  for (const button of all("[data-find]")) {
    button.addEventListener("click", () => {
      kind.value = "";
      field.value = button.dataset.find;
      find();
      document.getElementById("submissions").scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }

  // Paths: show one cluster's among all; point at a row to look, press the button to keep it.
  const mark = (exercise) => {
    const kept = all("[data-show][aria-pressed=true]", exercise).map((button) => button.dataset.show);
    const looked = all("tr.looked", exercise).map((row) => row.dataset.row);
    const chosen = new Set([...kept, ...looked]);
    exercise.classList.toggle("chosen", chosen.size > 0);
    for (const walk of all("[data-walk]", exercise)) walk.classList.toggle("on", chosen.has(walk.dataset.walk));
  };
  for (const exercise of all(".exercise")) {
    for (const button of all("[data-show]", exercise)) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
        mark(exercise);
      });
    }
    for (const row of all("tr[data-row]", exercise)) {
      for (const [event, on] of [["pointerenter", true], ["pointerleave", false]]) {
        row.addEventListener(event, () => {
          row.classList.toggle("looked", on);
          mark(exercise);
        });
      }
    }
  }

  // Commands: copied where the browser lets us, else selected.
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      const text = button.dataset.copy || code.textContent;
      const before = button.textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        if (code) getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = before), 1500);
    });
  }

  // Paper has no handles: everything that is folded is opened, and closed again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
