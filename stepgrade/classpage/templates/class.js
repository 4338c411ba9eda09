"use strict";
// Sorting, finding, showing a path, copying a command. The page is whole without: this adds handles to it.
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  for (const element of all("[data-js], [data-copy]")) element.hidden = false;

  // Tables: sort by a column, again for the other way round.
  const words = new Intl.Collator(undefined, { numeric: true });
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell && "v" in cell.dataset ? Number(cell.dataset.v) : cell ? cell.textContent : "";
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : words.compare(a, b));
  for (const table of all("table[data-sorts]")) {
    const body = table.tBodies[0];
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      head.dataset.name = button.textContent = head.textContent; // on paper, a head that is repeated shows no button
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", way);
        const sign = way === "ascending" ? 1 : -1;
        const keyed = [...body.rows].map((row) => [value(row, column), row]);
        keyed.sort((a, b) => sign * compare(a[0], b[0]));
        body.append(...keyed.map(([, row]) => row));
        const finder = finders.get(table.closest("section").id);
        if (finder) finder.tell(`sorted by ${button.textContent}, ${way}`);
      });
    });
  }

  // Finding: every word has to be somewhere in the row or card.
  const textOf = (item) => {
    const texts = item.cells ? [...item.cells].map((cell) => cell.textContent) : [item.textContent];
    return [...texts, item.dataset.also, item.dataset.kinds].join(" ").toLowerCase();
  };
  const finders = new Map();
  for (const tools of all(".tools")) {
    const section = tools.closest("section");
    const field = tools.querySelector("input");
    const kind = tools.querySelector("select");
    const status = tools.querySelector(".shown");
    const nobody = section.querySelector(".nobody");
    const items = all("[data-item]", section);
    const texts = new Map();
    let shown = items.length;
    const tell = (more) => {
      status.textContent = `${shown} of ${items.length} shown${more ? `, ${more}` : ""}`;
    };
    const find = () => {
      const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      const of = kind ? kind.value : "";
      shown = 0;
      for (const item of items) {
        if (wanted.length && !texts.has(item)) texts.set(item, textOf(item));
        const fits = !of || item.dataset.kinds.split(" ").includes(of);
        item.hidden = !(fits && wanted.every((word) => texts.get(item).includes(word)));
        if (!item.hidden) shown += 1;
      }
      const isOn = wanted.length > 0 || of !== "";
      for (const group of all("[data-group], table", section)) {
        const inside = all("[data-item]", group);
        group.hidden = isOn && inside.every((item) => item.hidden);
        if (group.localName === "details" && isOn) group.open = true;
      }
      nobody.hidden = shown > 0;
      tell();
    };
    const start = (text) => {
      if (kind) kind.value = "";
      field.value = text;
      find();
      field.focus({ preventScroll: true });
    };
    field.addEventListener("input", find);
    if (kind) kind.addEventListener("change", find);
    nobody.querySelector("button").addEventListener("click", () => start(""));
    finders.set(section.id, { tell, start });
    tell();
  }
  for (const button of all("[data-find]")) {
    button.addEventListener("click", () => {
      finders.get("submissions").start(button.dataset.find);
      document.getElementById("submissions").scrollIntoView();
    });
  }

  // Paths: show one cluster's among all; point at it or at its row to look, press the button to keep it.
  const NEAR = [0, -4, 4, -8, 8].flatMap((dx) => [0, -4, 4, -8, 8].map((dy) => [dx, dy])); // in CSS pixels
  NEAR.sort((a, b) => Math.hypot(...a) - Math.hypot(...b));
  const walkAt = (x, y) => {
    for (const [dx, dy] of NEAR) {
      for (const element of document.elementsFromPoint(x + dx, y + dy)) {
        const walk = element.closest("[data-walk]");
        if (walk) return walk.dataset.walk;
      }
    }
    return "";
  };
  for (const exercise of all(".exercise")) {
    const rows = new Map(all("tr[data-row]", exercise).map((row) => [row.dataset.row, row]));
    let looked = "";
    const mark = () => {
      const kept = all("[data-show][aria-pressed=true]", exercise).map((button) => button.dataset.show);
      const chosen = new Set(looked ? [...kept, looked] : kept);
      exercise.classList.toggle("chosen", chosen.size > 0);
      for (const walk of all("[data-walk]", exercise)) walk.classList.toggle("on", chosen.has(walk.dataset.walk));
    };
    const look = (cluster) => {
      if (cluster === looked) return;
      if (looked) rows.get(looked)?.classList.remove("looked");
      looked = cluster;
      if (looked) rows.get(looked)?.classList.add("looked");
      mark();
    };
    for (const button of all("[data-show]", exercise)) {
      button.addEventListener("click", () => {
        button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
        mark();
        const panels = exercise.querySelector(".panels");
        if (panels.getBoundingClientRect().bottom < 100) panels.scrollIntoView(); // a path that is out of sight
      });
    }
    for (const [cluster, row] of rows) {
      row.addEventListener("pointerenter", () => look(cluster));
      row.addEventListener("pointerleave", () => look(""));
    }
    for (const figure of all("figure", exercise)) {
      const whose = figure.querySelector(".whose");
      figure.addEventListener("pointermove", (event) => {
        const cluster = walkAt(event.clientX, event.clientY);
        const cells = cluster && rows.has(cluster) ? rows.get(cluster).cells : [];
        const who = cells.length && cells[2].querySelector(".one");
        whose.textContent = cells.length
          ? `${who ? who.textContent : `${cells[0].textContent} students`}: ${cells[1].textContent}`
          : "";
        look(cluster);
      });
      figure.addEventListener("pointerleave", () => {
        whose.textContent = "";
        look("");
      });
    }
  }

  // Commands: copied where the browser lets us, else selected.
  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code") || button.closest("td").querySelector("code");
      const text = button.dataset.copy || code.textContent;
      const before = button.textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = before), 1500);
    });
  }

  // Paper has no handles: everything that is folded is opened, and closed again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details.more:not([open]), .mistake details:not([open])");
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
})();
