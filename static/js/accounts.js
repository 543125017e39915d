"use strict";

(() => {
  // The seconds until a code may be asked for again, counted down on the button.
  function countDown(button, seconds) {
    const label = button.dataset.label || button.textContent;
    button.dataset.label = label;
    const end = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) {
        button.disabled = false;
        button.textContent = "重新获取";
        return;
      }
      button.disabled = true;
      button.textContent = `${left} 秒后重新获取`;
      window.setTimeout(tick, 250);
    };
    tick();
  }

  // A code was sent to the phone that stands there: what was wrong with it before is mended.
  function forgetError(input) {
    if (!input) {
      return;
    }
    input.classList.remove("is-invalid");
    input.removeAttribute("aria-invalid");
    document.getElementById(`${input.id}_error`)?.remove();
  }

  function watchCodes() {
    // Refusals (4xx) carry the words to show, too.
    document.addEventListener("htmx:beforeSwap", (event) => {
      if (event.target.matches("[data-code-status]") && [422, 429].includes(event.detail.xhr.status)) {
        event.detail.shouldSwap = true;
        event.detail.isError = false;
      }
    });
    document.addEventListener("htmx:afterSettle", (event) => {
      const status = event.target.closest("[data-code-status]");
      if (!status) {
        return;
      }
      const field = status.closest("[data-code-field]");
      const waiting = status.querySelector("[data-wait]");
      if (waiting) {
        countDown(field.querySelector("[data-code-button]"), Number(waiting.dataset.wait));
      }
      if (status.querySelector(".code-sent")) {
        forgetError(field.closest("form")?.elements.namedItem("phone"));
        field.querySelector("input").focus();
      }
    });
    ["htmx:sendError", "htmx:timeout"].forEach((name) => {
      document.addEventListener(name, (event) => {
        const field = event.target.closest("[data-code-field]");
        if (field) {
          field.querySelector("[data-code-status]").textContent = "网络异常，请稍后重试。";
        }
      });
    });
  }

  function watchPasswords() {
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-password-toggle]");
      if (!button) {
        return;
      }
      const input = button.parentElement.querySelector("input");
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
      button.setAttribute("aria-label", show ? "隐藏密码" : "显示密码");
      button.firstElementChild.className = show ? "bi bi-eye-slash" : "bi bi-eye";
    });
    // Shown passwords are hidden before they are sent, or browsers keep them as plain text.
    document.addEventListener("submit", (event) => {
      event.target.querySelectorAll("[data-password-toggle][aria-pressed=true]").forEach((button) => {
        button.parentElement.querySelector("input").type = "password";
      });
    });
  }

  // The list of known units: a combobox as the ARIA practices describe it.
  class Suggestions {
    constructor(root) {
      this.input = root.querySelector("input");
      this.list = root.querySelector("[role=listbox]");
      this.active = -1;
      this.input.addEventListener("keydown", (event) => this.onKey(event));
      this.input.addEventListener("blur", () => this.close());
      this.input.addEventListener("input", () => this.close());
      // Before the blur, which a click on the list would cause.
      this.list.addEventListener("mousedown", (event) => event.preventDefault());
      this.list.addEventListener("click", (event) => {
        const option = event.target.closest("[data-value]");
        if (option) {
          this.choose(option);
        }
      });
      this.list.addEventListener("htmx:afterSettle", () => this.open());
    }

    get options() {
      return Array.from(this.list.querySelectorAll("[data-value]"));
    }

    open() {
      const options = this.options;
      const isChosen = options.length === 1 && options[0].dataset.value === this.input.value;
      if (!this.list.children.length || isChosen || document.activeElement !== this.input) {
        this.close();
        return;
      }
      this.list.hidden = false;
      this.input.setAttribute("aria-expanded", "true");
      this.mark(-1);
    }

    close() {
      this.list.hidden = true;
      this.input.setAttribute("aria-expanded", "false");
      this.input.removeAttribute("aria-activedescendant");
      this.active = -1;
    }

    // A unit brings its region along: one found elsewhere corrects the choice above.
    choose(option) {
      this.input.value = option.dataset.value;
      const region = this.input.form?.elements.namedItem("region");
      if (region && Array.from(region.options).some((each) => each.value === option.dataset.region)) {
        region.value = option.dataset.region;
        region.dispatchEvent(new Event("change", { bubbles: true }));
      }
      this.close();
    }

    mark(index) {
      this.active = index;
      this.options.forEach((option, place) => {
        option.setAttribute("aria-selected", String(place === index));
        if (place === index) {
          this.input.setAttribute("aria-activedescendant", option.id);
          option.scrollIntoView({ block: "nearest" });
        }
      });
    }

    onKey(event) {
      const count = this.options.length;
      if (this.list.hidden) {
        return;
      }
      if (event.key === "Escape") {
        this.close();
        event.preventDefault();
        return;
      }
      if (!count) {
        return;
      }
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const step = event.key === "ArrowDown" ? 1 : count - 1;
        this.mark(this.active < 0 && step > 1 ? count - 1 : (this.active + step) % count);
        event.preventDefault();
      } else if (event.key === "Enter" && this.active >= 0) {
        this.choose(this.options[this.active]);
        event.preventDefault();
      }
    }
  }

  watchCodes();
  watchPasswords();
  document.querySelectorAll("[data-suggest]").forEach((root) => new Suggestions(root));
})();
