"use strict";

// Past years are folded away on the screen and not on paper.
(() => {
  const folds = () => document.querySelectorAll("details[data-print-open]:not([open])");

  window.addEventListener("beforeprint", () => {
    folds().forEach((fold) => {
      fold.open = true;
      fold.dataset.opened = "1";
    });
  });
  window.addEventListener("afterprint", () => {
    document.querySelectorAll("details[data-opened]").forEach((fold) => {
      fold.open = false;
      delete fold.dataset.opened;
    });
  });
})();
