"use strict";

// A large video goes up in parts before the form is sent: each is tried again after a broken
// line, and the same file chosen again, on another day even, goes on where it stopped. Without
// this script the form carries the file itself.
(() => {
  const WAITS_SECONDS = [1, 2, 4, 8, 15, 30, 30, 30];
  const PART_TIMEOUT_MS = 180000;
  const LOGIN_AGAIN = "登录已过期，已上传的部分已保留。请在新窗口重新登录，再点“继续上传”。";
  const OFFLINE = "网络中断";
  const OVERLOADED = "服务器暂时无法接收";

  const box = document.querySelector("[data-upload]");
  if (!box) {
    return;
  }
  const form = box.closest("form");
  const { source, upload: code } = form.elements;
  const find = (name) => box.querySelector(`[data-upload-${name}]`);
  const bar = find("progress");
  const toggle = find("toggle");
  let running = null;
  let stopped = null;

  // What trying again does not mend.
  class Refused extends Error {}
  class Paused extends Error {}

  function say(text, isWrong = false) {
    find("status").textContent = text;
    find("status").classList.toggle("is-wrong", isWrong);
  }

  function show(file, done) {
    const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
    const percent = Math.floor((done * 100) / file.size);
    bar.value = percent;
    bar.textContent = `${percent}%`;
    find("figures").textContent = `${megabytes(done)} / ${megabytes(file.size)} MB（${percent}%）`;
  }

  function wait(seconds, run) {
    return new Promise((resolve) => {
      const timer = window.setTimeout(resolve, seconds * 1000);
      const goOn = () => {
        window.clearTimeout(timer);
        resolve();
      };
      window.addEventListener("online", goOn, { once: true });
      run.stop = goOn;
    });
  }

  // A new login, in another window, brings a new token; the form shall be taken as well.
  function renewToken() {
    const start = `${box.dataset.csrfCookie}=`;
    const cookie = document.cookie.split("; ").find((text) => text.startsWith(start));
    const field = form.elements.csrfmiddlewaretoken;
    if (cookie) {
      field.value = cookie.slice(start.length);
    }
    return field.value;
  }

  // XMLHttpRequest: fetch says nothing while a body leaves.
  function send(run, method, url, headers, body, onProgress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.timeout = PART_TIMEOUT_MS;
      request.setRequestHeader("X-CSRFToken", renewToken());
      Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
      request.upload.onprogress = (event) => onProgress(event.loaded);
      request.onerror = () => reject(new Error(OFFLINE));
      request.ontimeout = request.onerror;
      request.onabort = () => reject(new Paused());
      request.onload = () => {
        const isOurs = (request.getResponseHeader("Content-Type") || "").includes("json");
        const answer = isOurs ? JSON.parse(request.responseText) : {};
        if (request.status < 300 && isOurs) {
          resolve(answer);
        } else if (request.status === 409 && "received" in answer) {
          resolve(answer);
        } else if (request.status >= 500 || request.status === 422) {
          reject(new Error(answer.message || OVERLOADED));
        } else {
          reject(new Refused(answer.message || LOGIN_AGAIN));
        }
      };
      run.stop = () => request.abort();
      request.send(body);
    });
  }

  async function tryAgain(run, attempt) {
    for (let failures = 0; ; failures += 1) {
      if (run.isPaused) {
        throw new Paused();
      }
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof Refused || error instanceof Paused) {
          throw error;
        }
        if (failures >= WAITS_SECONDS.length) {
          throw new Refused(`${error.message}，已上传的部分已保留。请稍后点“继续上传”。`);
        }
        say(`${error.message}，${WAITS_SECONDS[failures]} 秒后重试`, true);
        await wait(WAITS_SECONDS[failures], run);
      }
    }
  }

  function begin(run, file) {
    const told = new URLSearchParams({
      name: file.name,
      size: file.size,
      modified: file.lastModified,
    });
    return send(run, "POST", box.dataset.upload, {}, told, () => {});
  }

  async function sendPart(run, file, known, offset) {
    // Outside of what is tried again: a file that was moved stays away.
    const part = await file.slice(offset, offset + known.partBytes).arrayBuffer();
    const headers = {
      "Content-Type": "application/octet-stream",
      "Upload-Offset": String(offset),
      "Upload-Digest": await digest(part),
    };
    const url = `${box.dataset.upload}${known.code}/`;
    const onProgress = (sent) => show(file, Math.min(offset + sent, file.size));
    return tryAgain(run, () => send(run, "PUT", url, headers, part, onProgress));
  }

  // Only pages of a secure address may count; elsewhere the size alone is checked.
  async function digest(part) {
    if (!window.crypto.subtle) {
      return "";
    }
    const bytes = new Uint8Array(await window.crypto.subtle.digest("SHA-256", part));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function sendFile(run, file) {
    say("正在连接");
    const known = await tryAgain(run, () => begin(run, file));
    let received = known.received;
    const resumed = received > 0 ? "，从上次中断处继续" : "";
    while (received < file.size) {
      show(file, received);
      say(`正在上传${resumed}，请不要关闭本页`);
      const answer = await sendPart(run, file, known, received);
      received = answer.received;
    }
    show(file, file.size);
    return known.code;
  }

  function setBusy(isBusy) {
    source.disabled = isBusy;
    form.querySelectorAll(".submit-row input").forEach((button) => {
      button.disabled = isBusy;
    });
  }

  function offer(label) {
    toggle.textContent = label;
    toggle.hidden = false;
  }

  async function run(file, submitter) {
    running = { isPaused: false, stop: () => {} };
    box.hidden = false;
    find("name").textContent = file.name;
    setBusy(true);
    offer("暂停");
    let finished = "";
    try {
      finished = await sendFile(running, file);
    } catch (error) {
      stopped = { file, submitter };
      offer("继续上传");
      if (error instanceof Paused) {
        say("已暂停，已上传的部分保留两天");
      } else {
        say(error instanceof Refused ? error.message : "无法读取该文件，请重新选择", true);
      }
    }
    running = null;
    setBusy(false);
    if (finished) {
      code.value = finished;
      // The file is there; it shall not travel with the form again.
      source.value = "";
      toggle.hidden = true;
      say("上传完成，正在保存");
      form.requestSubmit(submitter);
    }
  }

  toggle.addEventListener("click", () => {
    if (running) {
      running.isPaused = true;
      running.stop();
    } else {
      run(stopped.file, stopped.submitter);
    }
  });
  form.addEventListener("submit", (event) => {
    const file = source.files[0];
    if (running) {
      event.preventDefault();
    } else if (file) {
      event.preventDefault();
      run(file, event.submitter);
    }
  });
  source.addEventListener("change", () => {
    code.value = "";
    box.hidden = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (running) {
      event.preventDefault();
    }
  });
  if (code.value) {
    box.hidden = false;
    show({ size: 1 }, 1);
    find("figures").textContent = "";
    say("视频文件已传完，改正其他内容后保存即可，不必重新上传。");
  }
})();
