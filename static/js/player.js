"use strict";

// The page around the video: what the learner sees of the server's answers, and what the
// player may do. Credit is decided by the server alone.
(() => {
  const { StudySession } = window.PortalStudy;
  const { PromptDialog } = window.PortalPrompt;
  const { PlayerView, clock } = window.PortalView;
  const config = JSON.parse(document.getElementById("player-config").textContent);
  const view = new PlayerView(config);
  // Players seek to the nearest frame they have, and tell half a second more or less.
  const SEEK_SLACK_MS = 500;
  // Shorter gaps are not worth going back for, shorter losses not worth a word.
  const GAP_MS = 200;
  const WORTH_A_WORD_MS = 1000;
  // For each second of the beat period: a little more than the timer needs.
  const OVERDUE_MS = 1200;
  const PLAYING = "学习中，正在计时";
  const REVIEWING = "正在复习已学部分，不重复计时";

  let known = [...config.covered, ...config.pending];
  let lastMs = config.resumeMs;
  // The position that the server took note of last.
  let acceptedMs = config.resumeMs;
  let isSeeking = false;
  let isOffline = false;
  let hasPlayed = false;
  // What the learner wants: a question that stops the video does not change it.
  let wantsToPlay = false;

  videojs.addLanguage("zh-CN", {
    "This is a modal window.": "这是一个对话框。",
    "Skip backward {1} seconds": "后退 {1} 秒",
    "Skip forward {1} seconds": "前进 {1} 秒",
    "Exit Fullscreen": "退出全屏",
    Fullscreen: "全屏",
    Captions: "字幕",
    "captions off": "关闭字幕",
  });
  const player = videojs("player", {
    language: "zh-CN",
    disablePictureInPicture: true,
    enableDocumentPictureInPicture: false,
    controlBar: { pictureInPictureToggle: false },
    // Safari plays HLS itself, on iOS as the only way; elsewhere the quality can be chosen.
    html5: { vhs: { overrideNative: !videojs.browser.IS_ANY_SAFARI } },
    userActions: { hotkeys: (event) => onKey(event) },
  });
  const onKey = window.PortalKeys.listenToKeys(player, { playOn });
  const { controlBar } = player;
  controlBar.addChild(
    "PortalQualityButton",
    {},
    controlBar.children().indexOf(controlBar.getChild("FullscreenToggle")),
  );
  window.PortalChoices.rememberCaptions(player);

  const session = new StudySession(config, {
    answer: onAnswer,
    offline: onOffline,
    ended: onSessionEnded,
    position: positionMs,
    isPlaying,
    isWanted: () => isPlaying() || dialog.isAsking,
  });
  const dialog = new PromptDialog(document.getElementById("prompt"), {
    submit: submitAnswer,
    poll: () => session.report(false),
    resume: playOn,
    open: () => {
      player.pause();
      // A modal dialog lies above the page's full screen; above a phone's own player, or as
      // an overlay of an old WebView, it would not be seen.
      if (player.isFullscreen() && !(document.fullscreenElement && dialog.isModal)) {
        player.exitFullscreen();
      }
    },
    isMuted: () => player.muted() || player.volume() === 0,
  });

  const source = new window.PortalSource.VideoSource(player, config, {
    // Where the learner wanted to go counts, even if the line broke on the way.
    position: () => (isSeeking && player.readyState() > 0 ? player.currentTime() * 1000 : lastMs),
    hasPlayed: () => hasPlayed,
    wantsToPlay: () => wantsToPlay,
    play: playOn,
    // The server hands out new addresses at each opening.
    renew: async () => {
      await session.reopen();
      return session.isOpen;
    },
    failed: () => {
      view.notify("视频加载失败，请刷新页面重试。", "刷新页面", () => window.location.reload());
    },
  });
  new window.PortalSpeed.SpeedLimit(player, config.fastestSpeed, {
    isReview: (moment) => isKnown(Math.min(moment, config.durationMs), 0),
    position: positionMs,
    hint: (text) => view.hint(text),
    changed: () => session.report(isPlaying()),
  });

  // --- Where the player stands -------------------------------------------------------------

  function positionMs() {
    const isMoving = isSeeking || player.readyState() === 0;
    const now = isMoving ? lastMs : Math.round(player.currentTime() * 1000);
    return Math.max(0, Math.min(now, config.durationMs));
  }

  function isPlaying() {
    return !player.paused() && !player.ended();
  }

  // Some browsers play only at a touch of the learner's.
  function playOn() {
    const started = player.play();
    if (started) {
      started.catch(() => view.say("请点击播放继续学习"));
    }
  }

  function isKnown(milliseconds, slack = SEEK_SLACK_MS) {
    return known.some(([start, end]) => start - slack <= milliseconds
      && milliseconds <= end + slack);
  }

  // Back is free; ahead goes as far as what was learnt.
  function allowedMs(target) {
    if (view.isCompleted || target <= lastMs + SEEK_SLACK_MS || isKnown(target)) {
      return target;
    }
    const here = known.find(([start, end]) => start <= lastMs && lastMs <= end);
    return Math.max(lastMs, here ? here[1] : 0);
  }

  player.on("timeupdate", () => {
    // A new source begins at nought before it is taken to where the learner stood.
    if (!player.seeking() && !isSeeking && player.readyState() > 0) {
      lastMs = Math.round(player.currentTime() * 1000);
    }
  });
  player.on("seeking", () => {
    const target = player.currentTime() * 1000;
    const allowed = allowedMs(target);
    if (target - allowed > SEEK_SLACK_MS) {
      view.hint("未学习的部分不能快进");
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

  // --- When the server hears of it -----------------------------------------------------------

  player.on("play", () => {
    if (dialog.isShown || session.isStopped) {
      player.pause();
      return;
    }
    hasPlayed = true;
    wantsToPlay = true;
    if (!isOffline) {
      view.hideNotice();
    }
    if (session.isOpen) {
      session.report(true);
    } else {
      session.open();
    }
    view.say(PLAYING);
  });
  player.on("pause", () => {
    wantsToPlay = wantsToPlay && dialog.isShown;
    if (!player.ended() && !isSeeking) {
      session.report(false);
      if (!dialog.isShown && !session.isStopped) {
        view.say("已暂停");
      }
    }
  });
  player.on("ended", () => {
    lastMs = config.durationMs;
    session.report(false, config.durationMs);
    if (!view.isCompleted) {
      view.say("本章节已播放完，正在确认学习时间");
    }
  });
  // A page that slept (a call inside WeChat, the browser's back) may have lost its session;
  // one that is being left must not open another.
  function keepReporting() {
    if (isPlaying() || dialog.isAsking) {
      if (session.isOpen) {
        session.report(isPlaying());
      } else if (!document.hidden) {
        session.open();
      }
    }
  }
  window.setInterval(keepReporting, config.beatSeconds * 1000);
  // In the background timers may come once a minute; a film that plays tells its time all along.
  player.on("timeupdate", () => {
    if (performance.now() - session.reportedAt > config.beatSeconds * OVERDUE_MS) {
      keepReporting();
    }
  });
  document.addEventListener("visibilitychange", keepReporting);
  document.addEventListener("resume", keepReporting);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      keepReporting();
    }
  });
  window.addEventListener("pagehide", () => session.leave());
  window.addEventListener("offline", () => onOffline(true));
  window.addEventListener("online", () => {
    if (session.isOpen) {
      session.report(isPlaying());
    } else if (!isPlaying()) {
      onOffline(false);
    }
  });

  player.one("loadedmetadata", () => {
    if (config.resumeMs > 0) {
      player.currentTime(config.resumeMs / 1000);
      view.say(`已为您定位到上次学习的位置 ${clock(config.resumeMs)}`);
    } else if (view.isCompleted) {
      view.say("本章节已完成，可随时复习");
    }
  });

  // --- What the server says ------------------------------------------------------------------

  function onAnswer(answer) {
    source.take(answer);
    known = [...answer.chapter.covered, ...answer.chapter.pending];
    acceptedMs = answer.chapter.position_ms;
    view.showAnswer(answer);
    if (answer.prompt) {
      view.say("请回答问题，答对后继续计时");
      dialog.show(answer.prompt);
    } else if (answer.prompt_due) {
      explainDue(answer);
    } else if (dialog.isAsking) {
      dialog.close();
    }
    const isReview = answer.refused_reason === "repeated";
    if (answer.refused_ms >= WORTH_A_WORD_MS && isPlaying() && !isReview) {
      const found = answer.refused.find((row) => row.reason === answer.refused_reason);
      view.hint(`刚才 ${clock(answer.refused_ms)} 未计入：${found ? found.label : ""}`);
    }
    if (isPlaying()) {
      view.say(isReview ? REVIEWING : PLAYING);
    }
    view.showCompletion(answer);
    if (player.ended() && !view.isCompleted && !answer.prompt_due) {
      offerRest(answer);
    }
  }

  // Played to the end, yet something is missing: say how much, and lead there.
  function offerRest(answer) {
    const missing = config.durationMs - answer.chapter.covered_ms - answer.chapter.pending_ms;
    const start = firstGapMs();
    view.say("本章节尚有未学习的部分");
    const told = clock(Math.max(missing, WORTH_A_WORD_MS));
    view.notify(`本章节还有 ${told} 未计入，补看后即可完成。`, "补看未学习部分", () => {
      view.hideNotice();
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
      if (!error.isPassing) {
        session.fail(error);
      }
      return false;
    }
    onOffline(false);
    if (answer.outcome === "right") {
      await dialog.succeed();
      onAnswer(answer);
      if (wantsToPlay) {
        playOn();
      } else if (!player.ended()) {
        view.say("已暂停");
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
      view.notify(
        `网络中断，正在重新连接。视频可以继续播放，恢复后最多补计 ${config.beatSeconds * 2} 秒。`,
      );
      view.say("网络中断，正在重新连接");
    } else {
      view.hideNotice();
      source.recover();
    }
  }

  function onSessionEnded(error) {
    player.pause();
    // Neither a question nor the full screen may stand before the words about it.
    dialog.close();
    if (player.isFullscreen()) {
      player.exitFullscreen();
    }
    if (error.code === "taken_over") {
      view.say("已停止计时");
      view.notify(error.message, "在此继续学习", () => {
        view.hideNotice();
        // What this window showed meanwhile did not count: it is shown again.
        lastMs = Math.min(lastMs, acceptedMs);
        player.currentTime(lastMs / 1000);
        session.resume();
        playOn();
      });
    } else if (error.code === "login_required") {
      view.say("已退出登录，已停止计时");
      view.notify(error.message, "重新登录", null, config.urls.login);
    } else {
      view.say("已停止计时");
      view.notify(error.message, "刷新页面", () => window.location.reload());
    }
  }
})();
