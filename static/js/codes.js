"use strict";

// A card's QR code holds its code behind the #, which browsers send to nobody. It is taken out
// of the address at once and kept for this tab only, until the form is sent: a login may lie
// in between.
(() => {
  const KEY = "activation-code";
  const input = document.querySelector("[data-code]");
  const kept = document.querySelector("[data-code-kept]");
  const code = window.location.hash.slice(1).replace(/[^0-9a-z-]/gi, "").slice(0, 40);

  function store(change) {
    // Some browsers refuse storage in private windows; the code is typed by hand then.
    try {
      return change(window.sessionStorage);
    } catch {
      return null;
    }
  }

  if (!input && !kept) {
    return;
  }
  if (code) {
    store((storage) => storage.setItem(KEY, code));
    window.history.replaceState(null, "", window.location.pathname);
  }
  const known = code || store((storage) => storage.getItem(KEY));
  if (kept && known) {
    kept.hidden = false;
  }
  if (input && known && !input.value) {
    input.value = known;
  }
  if (input) {
    input.form.addEventListener("submit", () => {
      store((storage) => storage.removeItem(KEY));
    });
  }
})();

// What so many codes cost, while the number is typed. The order says it once more.
(() => {
  const quantity = document.querySelector("[data-quantity]");
  const total = document.querySelector("[data-total]");
  if (!quantity || !total) {
    return;
  }
  const unitFen = Number(total.closest("[data-unit-fen]").dataset.unitFen);

  function show() {
    const count = Math.min(Math.max(Number.parseInt(quantity.value, 10) || 0, 0), Number(quantity.max));
    const fen = unitFen * (count || 1);
    total.textContent = `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, "0")}`;
  }

  quantity.addEventListener("input", show);
  window.addEventListener("pageshow", show);
  show();
})();
