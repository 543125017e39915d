"use strict";

// Rows of the staff site that have an order: moved by buttons, dragged by a handle, or given a
// number. What is sent are the numbers; the server has the last word.
(() => {
  const said = document.createElement("p");

  function rowsOf(table) {
    return Array.from(table.querySelectorAll("tbody > tr.form-row:not(.empty-form)"));
  }

  function numberOf(row) {
    return row.querySelector("td.field-position input[name$='-position']");
  }

  function buttonsOf(row) {
    return ["up", "down"].map((way) => row.querySelector(`[data-order-${way}]`));
  }

  // A page that comes back with a mistake has the rows as they were and the numbers as sent.
  function sortByNumber(table) {
    const number = (row) => (numberOf(row).value === "" ? Infinity : Number(numberOf(row).value));
    const rows = rowsOf(table);
    const end = rows.length ? rows[rows.length - 1].nextSibling : null;
    const parent = rows.length ? rows[0].parentNode : null;
    [...rows].sort((one, other) => number(one) - number(other) || 0).forEach((row) => {
      parent.insertBefore(row, end);
    });
  }

  function renumber(table) {
    const rows = rowsOf(table);
    rows.forEach((row, index) => {
      const place = index + 1;
      numberOf(row).value = String(place);
      const [up, down] = buttonsOf(row);
      up.disabled = place === 1;
      down.disabled = place === rows.length;
      up.setAttribute("aria-label", `上移第 ${place} 行`);
      down.setAttribute("aria-label", `下移第 ${place} 行`);
    });
  }

  function place(table, row, index) {
    const others = rowsOf(table).filter((other) => other !== row);
    const next = others[Math.max(0, index)];
    if (next) {
      next.before(row);
    } else if (others.length) {
      others[others.length - 1].after(row);
    }
    renumber(table);
    said.textContent = `已移到第 ${rowsOf(table).indexOf(row) + 1} 位，保存后生效`;
  }

  function addButton(cell, name, text, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "order-button";
    button.textContent = text;
    button.dataset[name] = "";
    button.addEventListener("click", act);
    cell.append(button);
  }

  function step(table, row, by) {
    place(table, row, rowsOf(table).indexOf(row) + by);
    // At either end the pressed button goes dead: the other one takes the focus.
    const [up, down] = buttonsOf(row);
    const [pressed, other] = by < 0 ? [up, down] : [down, up];
    (pressed.disabled ? other : pressed).focus();
  }

  function drag(table, row, handle) {
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      row.classList.add("is-dragged");
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) {
        return;
      }
      const others = rowsOf(table).filter((other) => other !== row);
      const index = others.findIndex((other) => {
        const box = other.getBoundingClientRect();
        return event.clientY < box.top + box.height / 2;
      });
      const wanted = index < 0 ? others.length : index;
      if (wanted !== rowsOf(table).indexOf(row)) {
        place(table, row, wanted);
        handle.setPointerCapture(event.pointerId);
      }
    });
    ["pointerup", "pointercancel"].forEach((name) => {
      handle.addEventListener(name, () => row.classList.remove("is-dragged"));
    });
  }

  function prepare(table, row) {
    const number = numberOf(row);
    if (!number || row.querySelector("[data-order-up]")) {
      return;
    }
    const cell = number.closest("td");
    const handle = document.createElement("span");
    handle.className = "order-handle";
    handle.title = "拖动排序";
    handle.setAttribute("aria-hidden", "true");
    number.before(handle);
    drag(table, row, handle);
    addButton(cell, "orderUp", "上移", () => step(table, row, -1));
    addButton(cell, "orderDown", "下移", () => step(table, row, 1));
    number.addEventListener("change", () => place(table, row, Number(number.value) - 1));
  }

  function start() {
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    document.body.append(said);
    document.querySelectorAll("fieldset.in-order table").forEach((table) => {
      rowsOf(table).forEach((row) => prepare(table, row));
      if (rowsOf(table).every(numberOf)) {
        sortByNumber(table);
        renumber(table);
      }
    });
    document.addEventListener("formset:added", (event) => {
      const table = event.target.closest("fieldset.in-order table");
      if (table) {
        prepare(table, event.target);
        renumber(table);
      }
    });
    document.addEventListener("formset:removed", () => {
      document.querySelectorAll("fieldset.in-order table").forEach(renumber);
    });
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", start);
  } else {
    start();
  }
})();
