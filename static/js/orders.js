"use strict";

// The invoice's fields are shown when they are asked for. Without this script all of them are
// shown, and the server ignores what does not belong.
(() => {
  const section = document.querySelector("[data-invoice]");
  if (!section) {
    return;
  }
  const fields = section.querySelector("[data-invoice-fields]");
  const unitFields = section.querySelector("[data-unit-fields]");
  const chosen = (name) => section.querySelector(`input[name="${name}"]:checked`)?.value;

  function show() {
    fields.hidden = chosen("invoice") !== "now";
    unitFields.hidden = chosen("buyer_kind") === "person";
  }

  section.addEventListener("change", show);
  // A page that comes back from the browser's history keeps what was chosen.
  window.addEventListener("pageshow", show);
  show();
})();
