"use strict";

(() => {
  const log = document.querySelector("[data-chat-log]");
  if (!log) {
    return;
  }
  const toEnd = () => {
    log.scrollTop = log.scrollHeight;
  };
  toEnd();
  document.body.addEventListener("htmx:afterSwap", toEnd);
})();
