"use strict";

(() => {
  // The page stands at the address that could not be opened.
  const reload = () => window.location.reload();

  document.querySelector("[data-reload]").addEventListener("click", reload);
  window.addEventListener("online", reload);
})();
