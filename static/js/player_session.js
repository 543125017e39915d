"use strict";

// Talks to the server: opens the play session, reports where the player stands, answers
// questions. Nothing is counted here; the server's answers are what the page shows.
(() => {
  const TIMEOUT_MS = 10000;
  const RETRY_MS = [1000, 2000, 4000, 8000];

  function readCookie(name) {
    const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  function wait(milliseconds) {
    return new Promise((resolve) => {
      window.setTimeout(resolve, milliseconds);
    });
  }

  // An answer that is not 2xx: `code` is the server's word for it, "network" is none at all.
  class StudyError extends Error {
    constructor(status, code, message) {
      super(message);
      this.status = status;
      this.code = code;
    }

    get isPassing() {
      return this.status === 0 || this.status === 429 || this.status >= 500;
    }
  }

  async function post(config, url, data) {
    const controller = new AbortController();
    const timer = window.setTimeout(() => controller.abort(), TIMEOUT_MS);
    let response;
    let body;
    try {
      response = await fetch(url, {
        method: "POST",
        credentials: "same-origin",
        headers: {
          Accept: "application/json",
          "Content-Type": "application/json",
          // Read anew each time: a login in another window changes it.
          "X-CSRFToken": readCookie(config.csrfCookie),
        },
        body: JSON.stringify(data),
        signal: controller.signal,
      });
      body = await response.json();
    } catch (error) {
      // No line, no answer in time, or an answer cut off.
      const status = response && response.status < 500 && !response.ok ? response.status : 0;
      throw new StudyError(status, "network", "网络中断");
    } finally {
      window.clearTimeout(timer);
    }
    if (!response.ok) {
      throw new StudyError(response.status, String(body.error), body.message || body.error);
    }
    return body;
  }

  // `on` holds the page's handlers: answer(data), offline(isOffline), ended(error),
  // position() in whole milliseconds, isPlaying().
  class StudySession {
    constructor(config, on) {
      this.config = config;
      this.on = on;
      this.code = "";
      this.sequence = 0;
      this.reports = [];
      this.isSending = false;
      this.isStopped = false;
      this.opening = null;
    }

    get isOpen() {
      return this.code !== "";
    }

    // Open the session where the player stands; time counts from the server's receipt.
    open() {
      if (this.isOpen || this.isStopped) {
        return Promise.resolve();
      }
      if (!this.opening) {
        this.opening = this.keepOpening().finally(() => {
          this.opening = null;
        });
      }
      return this.opening;
    }

    async keepOpening() {
      for (let attempt = 0; !this.isStopped; attempt += 1) {
        try {
          const position = this.on.position();
          const answer = await post(this.config, this.config.urls.open, {
            plan: this.config.plan,
            course: this.config.course,
            chapter: this.config.chapter,
            position_ms: position,
          });
          this.code = answer.session;
          this.sequence = 0;
          this.on.offline(false);
          this.on.answer(answer);
          return;
        } catch (error) {
          if (!(error instanceof StudyError) || !error.isPassing) {
            this.fail(error);
            return;
          }
          this.on.offline(true);
          await wait(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
          if (!this.on.isPlaying()) {
            return;
          }
        }
      }
    }

    // Queue a report; the queue is sent in order, one at a time.
    report(isPlaying, position) {
      if (!this.isOpen || this.isStopped) {
        return Promise.resolve();
      }
      this.reports.push({
        playing: isPlaying,
        position_ms: position === undefined ? this.on.position() : position,
      });
      return this.isSending ? Promise.resolve() : this.drain();
    }

    async drain() {
      this.isSending = true;
      let attempt = 0;
      while (this.reports.length && this.isOpen && !this.isStopped) {
        const report = this.reports.shift();
        try {
          const answer = await this.send(report);
          attempt = 0;
          this.on.offline(false);
          this.on.answer(answer);
        } catch (error) {
          if (!(error instanceof StudyError) || !error.isPassing) {
            this.fail(error);
            break;
          }
          this.on.offline(true);
          await wait(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
          attempt += 1;
          // A report is worth what the clock says when it arrives: a fresh one says more
          // than the lost one.
          this.reports = [{ playing: this.on.isPlaying(), position_ms: this.on.position() }];
        }
      }
      this.isSending = false;
    }

    send(report) {
      this.sequence += 1;
      return post(this.config, this.config.urls.beat, {
        session: this.code,
        sequence: this.sequence,
        position_ms: report.position_ms,
        playing: report.playing,
        hidden: document.hidden,
      });
    }

    answer(prompt, option) {
      return post(this.config, this.config.urls.answer, {
        session: this.code,
        prompt,
        option,
      });
    }

    fail(error) {
      this.code = "";
      this.reports = [];
      // A session that slept too long is opened again without a word.
      if (error instanceof StudyError && error.code === "session_ended") {
        if (this.on.isPlaying()) {
          this.open();
        }
        return;
      }
      this.isStopped = true;
      this.on.ended(error);
    }

    resume() {
      this.isStopped = false;
      return this.open();
    }

    // The page goes away: the last report travels as a form, the only thing a beacon may be.
    leave() {
      if (!this.isOpen) {
        return;
      }
      this.sequence += 1;
      const form = new URLSearchParams();
      form.set("csrfmiddlewaretoken", readCookie(this.config.csrfCookie));
      form.set("beat", JSON.stringify({
        session: this.code,
        sequence: this.sequence,
        position_ms: this.on.position(),
        playing: false,
        hidden: document.hidden,
      }));
      navigator.sendBeacon(this.config.urls.close, form);
      this.code = "";
      this.reports = [];
    }
  }

  window.PortalStudy = { StudySession, StudyError };
})();
