"use strict";

// How many lines stand in the field: who pastes a column sees at once whether all came along.
(() => {
  const field = document.querySelector("[data-group-numbers]");
  const note = document.querySelector("[data-group-count]");
  if (!field || !note) {
    return;
  }

  function count() {
    const lines = field.value.split("\n").filter((line) => line.trim() !== "").length;
    note.textContent = `已填写 ${lines} 行`;
    note.hidden = lines === 0;
  }

  field.addEventListener("input", count);
  window.addEventListener("pageshow", count);
  count();
})();
