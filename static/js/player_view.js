"use strict";

// What the learner sees around the video: figures, strip, status line, notices, green ticks.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const WORTH_A_WORD_MS = 1000;
  const HINT_MS = 4000;
  const find = (name) => document.querySelector(`[data-${name}]`);

  function clock(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const pad = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
    return hours ? `${hours}:${rest}` : rest;
  }

  const sum = (parts) => parts.reduce((total, [start, end]) => total + end - start, 0);

  class PlayerView {
    constructor(config) {
      this.config = config;
      this.isCompleted = config.completed;
      this.status = "";
      this.hintUntil = 0;
      const { covered, pending } = config;
      this.showFigures(covered, pending, sum(covered), sum(pending));
    }

    // Where things stand; a hint stays long enough to be read before it.
    say(text) {
      this.status = text;
      if (performance.now() >= this.hintUntil && find("status").textContent !== text) {
        find("status").textContent = text;
      }
    }

    hint(text) {
      // Not by the time of day: devices set theirs.
      this.hintUntil = performance.now() + HINT_MS;
      find("status").textContent = text;
      window.setTimeout(() => this.say(this.status), HINT_MS + 1);
    }

    notify(text, label, action, link) {
      find("notice-text").textContent = text;
      const button = find("notice-action");
      const anchor = find("notice-link");
      button.hidden = !(label && action);
      anchor.hidden = !(label && link);
      button.textContent = label || "";
      button.onclick = action || null;
      anchor.textContent = label || "";
      anchor.href = link || "#";
      find("notice").hidden = false;
    }

    hideNotice() {
      find("notice").hidden = true;
    }

    showAnswer(answer) {
      const { chapter } = answer;
      const refused = answer.refused.reduce((total, row) => total + row.ms, 0);
      this.showFigures(chapter.covered, chapter.pending, chapter.covered_ms, chapter.pending_ms);
      find("refused").textContent = clock(refused);
      const reasons = answer.refused
        .filter((row) => row.ms >= WORTH_A_WORD_MS)
        .map((row) => `${row.label} ${clock(row.ms)}`);
      find("reasons").hidden = reasons.length === 0;
      find("reasons").textContent = `未计入的时间：${reasons.join("，")}`;
      find("plan-percent").textContent = `${answer.plan.percent}%`;
      find("plan-credits").textContent = answer.plan.credits;
      find("plan-progress").value = answer.plan.percent;
    }

    showFigures(covered, pending, coveredMs, pendingMs) {
      const { durationMs } = this.config;
      find("credited").textContent = clock(coveredMs);
      find("pending").textContent = clock(pendingMs);
      const percent = Math.floor((coveredMs * 100) / durationMs);
      find("percent").textContent = `${this.isCompleted ? 100 : Math.min(99, percent)}%`;
      const draw = (className) => ([start, end]) => {
        const part = document.createElementNS(SVG, "rect");
        part.setAttribute("class", className);
        part.setAttribute("x", (start * 1000) / durationMs);
        part.setAttribute("width", ((end - start) * 1000) / durationMs);
        part.setAttribute("height", 10);
        return part;
      };
      find("strip").replaceChildren(
        ...covered.map(draw("strip-credited")),
        ...pending.map(draw("strip-pending")),
      );
    }

    showCompletion(answer) {
      if (answer.chapter.completed && !this.isCompleted) {
        this.isCompleted = true;
        this.markChapter();
        find("percent").textContent = "100%";
        this.say("本章节已完成");
        find("done-text").textContent = "本章节已完成";
        find("done").hidden = false;
      }
      if (answer.course_completed) {
        find("done-text").textContent = `本课程已完成，获得 ${this.config.credits} 学分`;
      }
      if (answer.plan_completed) {
        find("done-text").textContent = "恭喜您，本计划的学分要求已全部完成，已结业";
      }
    }

    markChapter() {
      const row = document.querySelector(`[data-chapter="${this.config.chapter}"]`);
      const tick = document.createElement("i");
      tick.className = "bi bi-check-circle-fill";
      tick.setAttribute("role", "img");
      tick.setAttribute("aria-label", "已完成");
      row.classList.add("is-done");
      row.querySelector(".chapter-mark").replaceChildren(tick);
      const done = document.querySelectorAll(".chapter-list .is-done").length;
      find("done-count").textContent = String(done);
    }
  }

  window.PortalView = { PlayerView, clock };
})();
