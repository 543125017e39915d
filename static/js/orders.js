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

// How long a payment can still be started. The server says how many seconds are left, so a wrong
// clock of the machine does not matter; at the end the page is asked for anew.
(() => {
  const timer = document.querySelector("[data-countdown]");
  if (!timer) {
    return;
  }
  const text = timer.querySelector("[data-countdown-text]");
  const end = performance.now() + Number(timer.dataset.countdown) * 1000;

  function show() {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    const seconds = String(left % 60).padStart(2, "0");
    text.textContent = `${Math.floor(left / 60)} 分 ${seconds} 秒`;
    timer.hidden = false;
    if (left === 0) {
      window.clearInterval(ticking);
      window.location.reload();
    }
  }

  const ticking = window.setInterval(show, 1000);
  show();
})();

// Of the lists under 更多 one is open at a time; a click elsewhere or Escape closes it.
(() => {
  const menus = Array.from(document.querySelectorAll("[data-more]"));
  const close = (but) => menus.filter((menu) => menu !== but).forEach((menu) => {
    menu.open = false;
  });
  if (!menus.length) {
    return;
  }
  document.addEventListener("click", (event) => close(event.target.closest("[data-more]")));
  document.addEventListener("keydown", (event) => {
    const open = menus.find((menu) => menu.open);
    if (event.key === "Escape" && open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });
})();
