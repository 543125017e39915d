"use strict";

(() => {
  // The entry of a navigation that leads to the page shown. Done here, so that a page's
  // frame is the same for every address and needs no view to say where it stands.
  const here = window.location;

  function leadsHere(link) {
    const target = new URL(link.href, here.href);
    if (target.pathname === "/" || link.hasAttribute("data-exact")) {
      return target.pathname === here.pathname;
    }
    if (!here.pathname.startsWith(target.pathname)) {
      return false;
    }
    const wanted = Array.from(target.searchParams);
    const given = new URLSearchParams(here.search);
    return wanted.every(([name, value]) => given.get(name) === value);
  }

  function markActiveLinks() {
    document.querySelectorAll("[data-active-links]").forEach((list) => {
      const link = Array.from(list.querySelectorAll("a[href]")).find(leadsHere);
      if (link) {
        link.setAttribute("aria-current", "page");
        if (list.scrollWidth > list.clientWidth) {
          list.scrollLeft = link.offsetLeft - (list.clientWidth - link.offsetWidth) / 2;
        }
      }
    });
  }

  function watchTopButton() {
    const button = document.querySelector("[data-to-top]");
    if (!button) {
      return;
    }
    const show = () => {
      button.hidden = window.scrollY < 600;
    };
    window.addEventListener("scroll", show, { passive: true });
    button.addEventListener("click", (event) => {
      event.preventDefault();
      const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      window.scrollTo({ top: 0, behavior: calm ? "auto" : "smooth" });
    });
    show();
  }

  // A form marked data-once is sent once: a second click on a slow line does nothing.
  function guardForms() {
    document.addEventListener("submit", (event) => {
      const form = event.target;
      if (!form.matches("form[data-once]")) {
        return;
      }
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "1";
      form.querySelectorAll("button[type=submit]").forEach((button) => {
        button.setAttribute("aria-disabled", "true");
        button.classList.add("disabled");
      });
    });
    window.addEventListener("pageshow", () => {
      document.querySelectorAll("form[data-sent]").forEach((form) => {
        delete form.dataset.sent;
        form.querySelectorAll("button[type=submit]").forEach((button) => {
          button.removeAttribute("aria-disabled");
          button.classList.remove("disabled");
        });
      });
    });
  }

  function focusFirstError() {
    const field = document.querySelector("main [aria-invalid=true]");
    if (field) {
      field.focus();
    }
  }

  // A file field shows what was chosen in the page's own words: people who hand in two
  // sides of a card see that both are there.
  function nameChosenFiles() {
    document.querySelectorAll("[data-file-pick]").forEach((label) => {
      const input = label.querySelector("input[type=file]");
      const name = label.querySelector("[data-file-name]");
      const nothing = name.textContent;
      const show = () => {
        const names = Array.from(input.files, (file) => file.name);
        const count = names.length > 1 ? `已选 ${names.length} 个文件：` : "";
        name.textContent = names.length ? count + names.join("、") : nothing;
      };
      input.addEventListener("change", show);
      window.addEventListener("pageshow", show);
    });
  }

  // A button that only htmx answers is sent disabled: on a slow line the page is there before
  // the scripts are, and a click that nothing answers would be lost without a word.
  function wakeButtons() {
    document.addEventListener("htmx:load", (event) => {
      event.target.querySelectorAll("[data-needs-script]").forEach((button) => {
        button.disabled = false;
      });
    });
  }

  function printOnClick() {
    document.querySelectorAll("[data-print]").forEach((button) => {
      button.addEventListener("click", () => window.print());
    });
  }

  // WeChat shows pages without buttons of its own to go back by, on tablets and desks too.
  function markWeChat() {
    if (/MicroMessenger/.test(navigator.userAgent)) {
      document.documentElement.classList.add("in-wechat");
    }
  }

  markWeChat();
  markActiveLinks();
  nameChosenFiles();
  printOnClick();
  wakeButtons();
  watchTopButton();
  guardForms();
  focusFirstError();
})();
