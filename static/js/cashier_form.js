"use strict";

// The form goes to the gateway by itself. This page answers a post, so the browser's back button
// could not show it again: the order's page takes its place in the history.
(() => {
  const form = document.querySelector("form[data-submit-at-once]");
  if (!form) return;
  window.history.replaceState(null, "", form.dataset.back);
  const [visit] = performance.getEntriesByType("navigation");
  if (visit?.type !== "back_forward") {
    form.requestSubmit();
  }
})();
