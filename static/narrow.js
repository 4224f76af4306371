/* On a narrow screen a row of a table is read from top to bottom, and each cell says of which column it is. */
(() => {
  const titled = (table) => {
    const heads = [...(table.tHead?.rows ?? [])];
    if (heads.length !== 1 || table.matches(".wt-merge-step, .wt-stacks") || table.querySelector("[rowspan]")) return;
    if (heads[0].cells.length < 3) return; // two columns fit
    const titles = [...heads[0].cells].map((cell) => cell.textContent.trim());
    for (const row of [...table.tBodies, table.tFoot ?? []].flatMap((part) => [...(part.rows ?? [])])) {
      let column = 0;
      for (const cell of row.cells) {
        if (cell.colSpan === 1 && titles[column]) cell.dataset.title = titles[column];
        column += cell.colSpan;
      }
    }
    table.classList.add("wt-stacks");
  };
  // A list without bulk actions begins with a column of its own, not with the box to select by.
  const named = (list) => {
    const first = list.querySelector("thead th")?.textContent.trim();
    for (const cell of list.querySelectorAll("tbody > tr > [data-label]:first-child")) {
      if (first && !cell.querySelector(".action-select")) cell.dataset.label = first;
    }
  };
  const all = () => {
    document.querySelectorAll(".wt-scroll .wt-table").forEach(titled);
    document.querySelectorAll("#result_list").forEach(named);
  };
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:afterSettle", all);
})();
