"use strict";

// The upload of a list: dropping a file, and telling at once what the server would refuse.
(() => {
  function describe(file, most) {
    if (!file.name.toLowerCase().endsWith(".xlsx")) {
      return "请选择 .xlsx 文件；其他格式请先另存为 .xlsx。";
    }
    if (file.size > most) {
      return "文件超过 5 MB，请拆分后上传。";
    }
    return "";
  }

  function watch(form) {
    const zone = form.querySelector("[data-drop-zone]");
    const input = form.querySelector("input[type=file]");
    const note = form.querySelector("[data-drop-note]");
    const hint = form.querySelector("[data-drop-hint]");

    function check() {
      const file = input.files[0];
      note.textContent = file ? describe(file, Number(input.dataset.maxBytes)) : "";
      return note.textContent === "";
    }

    input.addEventListener("change", check);
    // Before the guard against double clicks, which would lock a form that is not sent.
    form.addEventListener("submit", (event) => {
      if (!check()) {
        event.preventDefault();
        event.stopImmediatePropagation();
        input.focus();
      }
    });
    ["dragenter", "dragover"].forEach((name) => {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.add("is-over");
      });
    });
    ["dragleave", "drop"].forEach((name) => {
      zone.addEventListener(name, () => zone.classList.remove("is-over"));
    });
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        check();
      }
    });
    hint.hidden = false;
  }

  document.querySelectorAll("[data-list-upload]").forEach(watch);
})();
