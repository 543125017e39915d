"use strict";

// The page around the video: what the learner sees of the server's answers, and what the
// player may do. Credit is decided by the server alone.
(() => {
  const { StudySession } = window.PortalStudy;
  const { PromptDialog } = window.PortalPrompt;
  const config = JSON.parse(document.getElementById("player-config").textContent);
  const find = (name) => document.querySelector(`[data-${name}]`);
  const SVG = "http://www.w3.org/2000/svg";
  // Players seek to the nearest frame they have, and tell half a second more or less.
  const SEEK_SLACK_MS = 500;
  const SKIP_SECONDS = 10;
  const NEW_SOURCE_MS = 30000;
  // Shorter gaps are not worth going back for, shorter losses not worth a word.
  const GAP_MS = 200;
  const WORTH_A_WORD_MS = 1000;
  const HINT_MS = 4000;

  let known = [...config.covered, ...config.pending];
  let lastMs = config.resumeMs;
  let isSeeking = false;
  let isCompleted = config.completed;
  let isOffline = false;
  let hasPlayed = false;
  let status = "";
  let hintUntil = 0;
  let newestSource = config.video;
  let sourceTakenAt = 0;

  videojs.addLanguage("zh-CN", {
    "This is a modal window.": "这是一个对话框。",
    "Skip backward {1} seconds": "后退 {1} 秒",
    "Skip forward {1} seconds": "前进 {1} 秒",
    "Exit Fullscreen": "退出全屏",
    Fullscreen: "全屏",
  });
  const player = videojs("player", {
    language: "zh-CN",
    disablePictureInPicture: true,
    enableDocumentPictureInPicture: false,
    playbackRates: [],
    controlBar: { playbackRateMenuButton: false, pictureInPictureToggle: false },
    userActions: { hotkeys: onKey },
  });

  const session = new StudySession(config, {
    answer: onAnswer,
    offline: onOffline,
    ended: onSessionEnded,
    position: positionMs,
    isPlaying,
  });
  const dialog = new PromptDialog(document.getElementById("prompt"), {
    submit: submitAnswer,
    poll: () => session.report(false),
    resume: playOn,
    open: () => {
      player.pause();
      if (player.isFullscreen()) {
        player.exitFullscreen();
      }
    },
  });

  // --- Where the player stands -------------------------------------------------------------

  function positionMs() {
    const now = isSeeking ? lastMs : Math.round(player.currentTime() * 1000);
    return Math.max(0, Math.min(now, config.durationMs));
  }

  function isPlaying() {
    return !player.paused() && !player.ended();
  }

  // Some browsers play only at a touch of the learner's.
  function playOn() {
    const started = player.play();
    if (started) {
      started.catch(() => say("请点击播放继续学习"));
    }
  }

  function isKnown(milliseconds) {
    return known.some(([start, end]) => start - SEEK_SLACK_MS <= milliseconds
      && milliseconds <= end + SEEK_SLACK_MS);
  }

  // Back is free; ahead goes as far as what was learnt.
  function allowedMs(target) {
    if (isCompleted || target <= lastMs + SEEK_SLACK_MS || isKnown(target)) {
      return target;
    }
    const here = known.find(([start, end]) => start <= lastMs && lastMs <= end);
    return Math.max(lastMs, here ? here[1] : 0);
  }

  function onKey(event) {
    const skip = { ArrowLeft: -SKIP_SECONDS, ArrowRight: SKIP_SECONDS }[event.key];
    if (skip) {
      player.currentTime(Math.max(0, player.currentTime() + skip));
    } else if (event.key === " " || event.key === "k") {
      if (player.paused()) {
        playOn();
      } else {
        player.pause();
      }
    } else if (event.key === "m") {
      player.muted(!player.muted());
    } else if (event.key === "f") {
      if (player.isFullscreen()) {
        player.exitFullscreen();
      } else {
        player.requestFullscreen();
      }
    } else {
      return;
    }
    event.preventDefault();
  }

  player.on("timeupdate", () => {
    if (!player.seeking() && !isSeeking) {
      lastMs = Math.round(player.currentTime() * 1000);
    }
  });
  player.on("seeking", () => {
    const target = player.currentTime() * 1000;
    const allowed = allowedMs(target);
    if (target - allowed > SEEK_SLACK_MS) {
      hint("未学习的部分不能快进");
      player.currentTime(allowed / 1000);
      return;
    }
    if (!isSeeking) {
      isSeeking = true;
      // What was watched up to here still counts.
      session.report(isPlaying(), lastMs);
    }
  });
  player.on("seeked", () => {
    isSeeking = false;
    lastMs = Math.round(player.currentTime() * 1000);
    session.report(isPlaying());
  });
  player.on("ratechange", () => {
    if (player.playbackRate() !== 1) {
      player.playbackRate(1);
    }
  });

  // --- When the server hears of it -----------------------------------------------------------

  player.on("play", () => {
    if (dialog.isShown || session.isStopped) {
      player.pause();
      return;
    }
    hasPlayed = true;
    hideNotice();
    if (session.isOpen) {
      session.report(true);
    } else {
      session.open();
    }
    say("学习中，正在计时");
  });
  player.on("pause", () => {
    if (!player.ended() && !isSeeking) {
      session.report(false);
      if (!dialog.isShown && !session.isStopped) {
        say("已暂停");
      }
    }
  });
  player.on("ended", () => {
    lastMs = config.durationMs;
    session.report(false, config.durationMs);
    if (!isCompleted) {
      say("本章节已播放完，正在确认学习时间");
    }
  });
  window.setInterval(() => {
    if (isPlaying() || dialog.isAsking) {
      session.report(isPlaying());
    }
  }, config.beatSeconds * 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && isPlaying()) {
      session.report(true);
    }
  });
  window.addEventListener("pagehide", () => session.leave());

  player.one("loadedmetadata", () => {
    if (config.resumeMs > 0) {
      player.currentTime(config.resumeMs / 1000);
      say(`已为您定位到上次学习的位置 ${clock(config.resumeMs)}`);
    } else if (isCompleted) {
      say("本章节已完成，可随时复习");
    }
  });
  // A signed address does not last for ever; the server hands out a new one at each opening.
  player.on("error", async () => {
    const wasAt = lastMs;
    if (!hasPlayed || session.isStopped || Date.now() - sourceTakenAt < NEW_SOURCE_MS) {
      showNotice("视频加载失败，请刷新页面重试。", "刷新页面", () => window.location.reload());
      return;
    }
    sourceTakenAt = Date.now();
    session.code = "";
    await session.open();
    player.src({ src: newestSource, type: "video/mp4" });
    player.one("loadedmetadata", () => {
      player.currentTime(wasAt / 1000);
      playOn();
    });
  });

  // --- What the server says ------------------------------------------------------------------

  function onAnswer(answer) {
    if (answer.video) {
      newestSource = answer.video;
    }
    known = [...answer.chapter.covered, ...answer.chapter.pending];
    showLedger(answer);
    showPlan(answer);
    if (answer.prompt) {
      say("请回答问题，答对后继续计时");
      dialog.show(answer.prompt);
    } else if (answer.prompt_due) {
      explainDue(answer);
    } else if (dialog.isAsking) {
      dialog.close();
    }
    if (answer.refused_ms >= WORTH_A_WORD_MS && isPlaying()) {
      const found = answer.refused.find((row) => row.reason === answer.refused_reason);
      hint(`刚才 ${clock(answer.refused_ms)} 未计入：${found ? found.label : ""}`);
    }
    if (isPlaying()) {
      say("学习中，正在计时");
    }
    showCompletion(answer);
    if (player.ended() && !isCompleted && !answer.prompt_due) {
      offerRest(answer);
    }
  }

  // Played to the end, yet something is missing: say how much, and lead there.
  function offerRest(answer) {
    const missing = config.durationMs - answer.chapter.covered_ms - answer.chapter.pending_ms;
    const start = firstGapMs();
    say("本章节尚有未学习的部分");
    const told = clock(Math.max(missing, WORTH_A_WORD_MS));
    showNotice(`本章节还有 ${told} 未计入，补看后即可完成。`, "补看未学习部分", () => {
      hideNotice();
      player.currentTime(start / 1000);
      playOn();
    });
  }

  function firstGapMs() {
    let end = 0;
    [...known].sort((one, other) => one[0] - other[0]).every(([from, to]) => {
      if (from > end + GAP_MS) {
        return false;
      }
      end = Math.max(end, to);
      return true;
    });
    return end < config.durationMs - GAP_MS ? end : 0;
  }

  function explainDue(answer) {
    if (answer.hold_seconds > 0 && (dialog.isAsking || isPlaying())) {
      dialog.explain(
        "连续三次回答错误，待确认的学习时间未计入。请稍候再继续学习。",
        answer.hold_seconds,
      );
    } else if (dialog.isAsking) {
      dialog.explain("未在规定时间内答题，待确认的学习时间未计入。点击继续学习后将重新出题。", 0);
    } else if (isPlaying()) {
      // Time does not count until the question is put: ask for it at once.
      session.report(true);
    }
  }

  async function submitAnswer(code, option) {
    let answer;
    try {
      answer = await session.answer(code, option);
    } catch (error) {
      if (error.isPassing) {
        return false;
      }
      dialog.close();
      session.fail(error);
      return true;
    }
    onOffline(false);
    if (answer.outcome === "right") {
      await dialog.succeed();
      onAnswer(answer);
      if (!player.ended()) {
        playOn();
      }
    } else {
      onAnswer(answer);
    }
    return true;
  }

  function onOffline(flag) {
    if (flag === isOffline) {
      return;
    }
    isOffline = flag;
    if (flag) {
      showNotice(
        `网络中断，正在重新连接。视频可以继续播放，恢复后最多补计 ${config.beatSeconds * 2} 秒。`,
      );
      say("网络中断，正在重新连接");
    } else {
      hideNotice();
    }
  }

  function onSessionEnded(error) {
    player.pause();
    if (error.code === "taken_over") {
      say("已停止计时");
      showNotice(error.message, "在此继续学习", () => {
        hideNotice();
        session.resume();
        playOn();
      });
    } else if (error.code === "login_required") {
      say("已退出登录，已停止计时");
      showNotice(error.message, "重新登录", null, config.urls.login);
    } else {
      say("已停止计时");
      showNotice(error.message, "刷新页面", () => window.location.reload());
    }
  }

  // --- What the learner sees -----------------------------------------------------------------

  function clock(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const pad = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const rest = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
    return hours ? `${hours}:${rest}` : rest;
  }

  // Where things stand; a hint stays long enough to be read before it.
  function say(text) {
    status = text;
    if (Date.now() >= hintUntil) {
      find("status").textContent = text;
    }
  }

  function hint(text) {
    hintUntil = Date.now() + HINT_MS;
    find("status").textContent = text;
    window.setTimeout(() => say(status), HINT_MS + 1);
  }

  function showNotice(text, label, action, link) {
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

  function hideNotice() {
    find("notice").hidden = true;
  }

  function showLedger(answer) {
    const { chapter } = answer;
    const refused = answer.refused.reduce((sum, row) => sum + row.ms, 0);
    showFigures(chapter.covered, chapter.pending, chapter.covered_ms, chapter.pending_ms);
    find("refused").textContent = clock(refused);
    const reasons = answer.refused
      .filter((row) => row.ms >= WORTH_A_WORD_MS)
      .map((row) => `${row.label} ${clock(row.ms)}`);
    find("reasons").hidden = reasons.length === 0;
    find("reasons").textContent = `未计入的时间：${reasons.join("，")}`;
  }

  function showFigures(covered, pending, coveredMs, pendingMs) {
    find("credited").textContent = clock(coveredMs);
    find("pending").textContent = clock(pendingMs);
    const percent = Math.floor((coveredMs * 100) / config.durationMs);
    find("percent").textContent = `${isCompleted ? 100 : Math.min(99, percent)}%`;
    const draw = (className) => ([start, end]) => {
      const part = document.createElementNS(SVG, "rect");
      part.setAttribute("class", className);
      part.setAttribute("x", (start * 1000) / config.durationMs);
      part.setAttribute("width", ((end - start) * 1000) / config.durationMs);
      part.setAttribute("height", 10);
      return part;
    };
    find("strip").replaceChildren(
      ...covered.map(draw("strip-credited")),
      ...pending.map(draw("strip-pending")),
    );
  }

  function showPlan(answer) {
    find("plan-percent").textContent = `${answer.plan.percent}%`;
    find("plan-credits").textContent = answer.plan.credits;
    find("plan-progress").value = answer.plan.percent;
  }

  function showCompletion(answer) {
    if (answer.chapter.completed && !isCompleted) {
      isCompleted = true;
      markChapter();
      find("percent").textContent = "100%";
      say("本章节已完成");
      find("done-text").textContent = "本章节已完成";
      find("done").hidden = false;
    }
    if (answer.course_completed) {
      find("done-text").textContent = `本课程已完成，获得 ${config.credits} 学分`;
    }
    if (answer.plan_completed) {
      find("done-text").textContent = "恭喜您，本计划的学分要求已全部完成，已结业";
    }
  }

  function markChapter() {
    const row = document.querySelector(`[data-chapter="${config.chapter}"]`);
    const tick = document.createElement("i");
    tick.className = "bi bi-check-circle-fill";
    tick.setAttribute("role", "img");
    tick.setAttribute("aria-label", "已完成");
    row.classList.add("is-done");
    row.querySelector(".chapter-mark").replaceChildren(tick);
    const done = document.querySelectorAll(".chapter-list .is-done").length;
    find("done-count").textContent = String(done);
  }

  const sum = (parts) => parts.reduce((total, [start, end]) => total + end - start, 0);
  showFigures(config.covered, config.pending, sum(config.covered), sum(config.pending));
})();
