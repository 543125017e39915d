"use strict";

// Compares a PDF with the digests of a certificate's stored files, inside the browser.
(() => {
  const ANSWERS = {
    current: ["success", "bi-check-circle-fill", "文件完整：与平台留存的原件逐字节一致。"],
    other: ["warning", "bi-arrow-repeat", "文件是本证书的另一个版本，内容未被改动，请核对版本和本页状态。"],
    changed: ["danger", "bi-x-octagon-fill", "核验未通过：文件与平台留存的原件不一致，已被改动或不是本证书的原件。"],
    failed: ["danger", "bi-exclamation-triangle-fill", "无法读取该文件，请重新选择。"],
  };

  async function digestOf(file) {
    const digest = await window.crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function show(box, key) {
    const [tone, icon, text] = ANSWERS[key];
    box.className = `notice notice-${tone}`;
    box.querySelector("i").className = `bi ${icon}`;
    box.querySelector("p").textContent = text;
    box.dataset.finding = key;
    box.hidden = false;
  }

  function watch(section) {
    const zone = section.querySelector("[data-drop-zone]");
    const input = section.querySelector("[data-drop-input]");
    const result = section.querySelector("[data-drop-result]");
    const current = section.dataset.current;
    const others = section.dataset.others.split(" ").filter(Boolean);

    async function compare(file) {
      if (!file) {
        return;
      }
      try {
        const digest = await digestOf(file);
        const found = digest === current ? "current" : others.includes(digest) ? "other" : "changed";
        show(result, found);
      } catch (error) {
        show(result, "failed");
      }
    }

    input.addEventListener("change", () => compare(input.files[0]));
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
      compare(event.dataTransfer.files[0]);
    });
    zone.hidden = false;
  }

  document.querySelectorAll("[data-file-check]").forEach((section) => {
    // Browsers offer digests on https and localhost only; the server's check needs no script.
    if (window.crypto && window.crypto.subtle && section.dataset.current) {
      watch(section);
    } else {
      section.querySelectorAll("details").forEach((details) => {
        details.open = true;
      });
    }
  });
})();
