"use strict";

// The portal as an installed app: the service worker, and the hint that it can be installed.
(() => {
  const worker = document.currentScript.dataset.worker;
  const PUT_AWAY = "install-hint-put-away";

  function register() {
    if (worker && navigator.serviceWorker) {
      // The browser's own cache decides how often it is asked for (portal.web_app). Where it
      // is refused, as in private windows, the pages are what they were without.
      navigator.serviceWorker.register(worker, { updateViaCache: "all" }).catch(() => {});
    }
  }

  // Storage may be refused altogether; then the hint comes again.
  function isPutAway() {
    try {
      return window.localStorage.getItem(PUT_AWAY) !== null;
    } catch {
      return false;
    }
  }

  function putAway() {
    try {
      window.localStorage.setItem(PUT_AWAY, "1");
    } catch {
      // It was hidden all the same.
    }
  }

  function isInstalled() {
    return window.matchMedia("(display-mode: standalone)").matches || navigator.standalone;
  }

  // Safari on iOS installs by its menu only, and says so by having this property at all.
  function installsByMenu() {
    return "standalone" in navigator && !/MicroMessenger/.test(navigator.userAgent);
  }

  function offerInstallation() {
    const hint = document.querySelector("[data-install-hint]");
    if (!hint || isInstalled() || isPutAway()) {
      return;
    }
    const button = hint.querySelector("[data-install]");
    let offer = null;

    hint.querySelector("[data-install-dismiss]").addEventListener("click", () => {
      hint.hidden = true;
      putAway();
    });
    button.addEventListener("click", () => {
      hint.hidden = true;
      offer.prompt();
    });
    window.addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      offer = event;
      hint.hidden = false;
    });
    if (installsByMenu()) {
      button.hidden = true;
      hint.querySelector("[data-install-by-button]").hidden = true;
      hint.querySelector("[data-install-by-menu]").hidden = false;
      hint.hidden = false;
    }
  }

  register();
  offerInstallation();
})();
