"use strict";

// Talks to the server: opens the play session, reports where the player stands, answers
// questions. Nothing is counted here; the server's answers are what the page shows.
(() => {
  const TIMEOUT_MS = 10000;
  const RETRY_MS = [1000, 2000, 4000, 8000];
  const LOST_LINE = "网络中断";

  function readCookie(name) {
    const found = document.cookie.split("; ").find((part) => part.startsWith(`${name}=`));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  }

  // Until the time is over or the line is there again.
  function wait(milliseconds) {
    return new Promise((resolve) => {
      const timer = window.setTimeout(end, milliseconds);
      function end() {
        window.clearTimeout(timer);
        window.removeEventListener("online", end);
        resolve();
      }
      window.addEventListener("online", end);
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

  async function post(config, url, data, headers) {
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
          ...headers,
        },
        body: JSON.stringify(data),
        signal: controller.signal,
      });
      body = await response.json();
    } catch (error) {
      // No line, no answer in time, or an answer cut off.
      const status = response && response.status < 500 && !response.ok ? response.status : 0;
      throw new StudyError(status, "network", LOST_LINE);
    } finally {
      window.clearTimeout(timer);
    }
    if (!response.ok) {
      throw new StudyError(response.status, String(body.error), body.message || body.error);
    }
    return body;
  }

  // A steady beat is answered in short: what was played since the last full answer. Added to
  // that it says the same as a full one.
  function addRun(full, short) {
    const [from, to] = short.run;
    const { chapter } = full;
    const joined = chapter.pending.map(([start, end]) => [start, end === from ? to : end]);
    return {
      ...full,
      sequence: short.sequence,
      credited_ms: short.credited_ms,
      refused_ms: 0,
      refused_reason: "",
      course_completed: false,
      plan_completed: false,
      chapter: {
        ...chapter,
        pending: joined.some(([, end]) => end === to) ? joined : [...joined, short.run],
        pending_ms: chapter.pending_ms + to - from,
        position_ms: to,
      },
    };
  }

  // `on` holds the page's handlers: answer(data), offline(isOffline), ended(error),
  // position() in whole milliseconds, isPlaying(), isWanted() whether a session is needed now.
  class StudySession {
    constructor(config, on) {
      this.config = config;
      this.on = on;
      this.code = "";
      this.sequence = 0;
      this.reports = [];
      this.reportedAt = 0;
      this.draining = null;
      this.isStopped = false;
      this.opening = null;
      // How many answers of the learner's were judged.
      this.judged = 0;
      // The last full answer, and the token of it with which beats take the short way.
      this.full = null;
      this.token = "";
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
          this.reportedAt = performance.now();
          this.on.offline(false);
          this.on.answer(this.take(answer));
          return;
        } catch (error) {
          if (!(error instanceof StudyError) || !error.isPassing) {
            this.fail(error);
            return;
          }
          this.on.offline(true);
          await wait(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
          if (!this.on.isWanted()) {
            return;
          }
        }
      }
    }

    // Open another session for the addresses that come with it; what was played so far
    // belongs to this one.
    async reopen() {
      await this.report(this.on.isPlaying());
      this.code = "";
      await this.open();
    }

    // Queue a report; the queue is sent in order, one at a time. The promise is kept when it
    // is empty.
    report(isPlaying, position) {
      if (!this.isOpen || this.isStopped) {
        return Promise.resolve();
      }
      this.reportedAt = performance.now();
      this.reports.push({
        playing: isPlaying,
        position_ms: position === undefined ? this.on.position() : position,
        isTurn: position !== undefined,
      });
      this.draining = this.draining || this.drain();
      return this.draining;
    }

    async drain() {
      let attempt = 0;
      while (this.reports.length && this.isOpen && !this.isStopped) {
        const report = this.reports.shift();
        const { code, judged } = this;
        try {
          const answer = await this.send(report);
          attempt = 0;
          this.on.offline(false);
          // What was said of a session that was left, or before an answer was judged, is old.
          if (this.code === code && this.judged === judged) {
            this.on.answer(this.take(answer));
          }
        } catch (error) {
          if (this.code !== code) {
            continue;
          }
          if (!(error instanceof StudyError) || !error.isPassing) {
            this.fail(error);
            break;
          }
          this.on.offline(true);
          await wait(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]);
          attempt += 1;
          if (this.code === code) {
            this.freshen(report);
          }
        }
      }
      this.draining = null;
    }

    // A report is worth what the clock says when it arrives: a fresh one says more than the
    // lost one, unless that told how far was played before a seek.
    freshen(lost) {
      const fresh = { playing: this.on.isPlaying(), position_ms: this.on.position() };
      const turn = [lost, ...this.reports].find((each) => each.isTurn);
      this.reports = turn ? [turn, fresh] : [fresh];
    }

    send(report) {
      this.sequence += 1;
      return post(this.config, this.config.urls.beat, {
        session: this.code,
        sequence: this.sequence,
        position_ms: report.position_ms,
        playing: report.playing,
        hidden: document.hidden,
      }, this.token ? { "X-Beat-Token": this.token } : {});
    }

    // The session may have slept away meanwhile: a question waits for the person.
    async answer(prompt, option) {
      await this.open();
      const { code } = this;
      const data = { session: code, prompt, option };
      try {
        const answer = await post(this.config, this.config.urls.answer, data);
        this.judged += 1;
        return this.take(answer);
      } catch (error) {
        // Of a session that was left meanwhile, or none: the answer is to be sent again.
        throw code && this.code === code ? error : new StudyError(0, "network", LOST_LINE);
      }
    }

    // Keep a full answer; make one of a short one.
    take(answer) {
      if (!answer.run) {
        this.full = answer;
        this.token = answer.token;
        return answer;
      }
      if (answer.run[0] !== this.full.chapter.position_ms) {
        // A full answer was lost on the way: ask for one.
        this.token = "";
      }
      return addRun(this.full, answer);
    }

    fail(error) {
      this.code = "";
      this.reports = [];
      // A session that slept too long is opened again without a word.
      if (error instanceof StudyError && error.code === "session_ended") {
        if (this.on.isWanted()) {
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
