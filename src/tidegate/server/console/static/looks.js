// Measures how long each hunk is before the reader's eyes: visible, in a window that is in front, while they are there.
// The server credits never more than the time that passed, so nothing here has to be believed.

import { ask, Refused } from "./api.js";

const IDLE_MS = 30000;
const TICK_MS = 1000;
const REPORT_MS = 10000;
const LEAST_SHARE = 0.5;
const LEAST_SECONDS = 2;

const root = document.getElementById("reading");
const change = root.dataset.change;
const head = root.dataset.head;
const status = document.getElementById("reading-state");
const hunks = [...root.querySelectorAll("[data-hunk]")];
const visible = new Map();
const waiting = new Map();
const total = new Map(hunks.map((each) => [each.dataset.hunk, Number(each.dataset.seconds)]));
let active = performance.now();
let last = performance.now();
let reported = performance.now();
let stopped = false;

const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    // A hunk taller than the window counts while it fills half of it.
    const share = Math.max(entry.intersectionRatio, entry.intersectionRect.height / innerHeight);
    visible.set(entry.target, share >= LEAST_SHARE ? entry.intersectionRect.height : 0);
  }
}, { threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] });

// Not "scroll": a page scrolls by itself too, where something above grows.
for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) {
  addEventListener(kind, () => { active = performance.now(); }, { passive: true, capture: true });
}

const tick = () => {
  const now = performance.now();
  const passed = Math.min(now - last, 2 * TICK_MS);
  last = now;
  const here = document.visibilityState === "visible" && document.hasFocus() && now - active < IDLE_MS;
  const shown = [...visible].filter(([, height]) => height > 0);
  const whole = shown.reduce((sum, [, height]) => sum + height, 0);
  if (here && whole > 0) {
    for (const [hunk, height] of shown) {
      const id = hunk.dataset.hunk;
      waiting.set(id, (waiting.get(id) ?? 0) + (passed / 1000) * (height / whole));
    }
  }
  allow();
  status.dataset.state = here && whole > 0 ? "counting" : "paused";
  if (now - reported >= REPORT_MS) report();
};

const report = async (options = {}) => {
  reported = performance.now();
  const seconds = Object.fromEntries([...waiting].filter(([, value]) => value >= 0.05));
  if (stopped || !Object.keys(seconds).length) return;
  waiting.clear();
  try {
    const { seconds: credited } = await ask("POST", `/changes/${change}/looks`, { head, seconds }, options);
    for (const [id, value] of Object.entries(credited)) total.set(id, (total.get(id) ?? 0) + value);
    show();
  } catch (error) {
    if (error instanceof Refused && (error.status === 409 || error.status === 401 || error.status === 403)) {
      stopped = true;
      say(error.status === 409 ? "The change has a new head. Load the page again to read it." : error.message);
    } else {
      for (const [id, value] of Object.entries(seconds)) waiting.set(id, (waiting.get(id) ?? 0) + value);
    }
  }
};

const say = (words) => { status.textContent = words; };
const words = (seconds) => (seconds >= 60 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds)} s`);

const show = () => {
  const all = [...total.values()];
  const seconds = all.reduce((sum, each) => sum + each, 0);
  const opened = all.filter((each) => each >= LEAST_SECONDS).length;
  const risky = root.querySelectorAll("form[data-understand]").length;
  const left = risky ? `, ${risky} risky still to be understood` : "";
  say(`You have read ${opened} of ${total.size} hunks here for ${words(seconds)}${left}.`);
  for (const hunk of hunks) {
    const mine = total.get(hunk.dataset.hunk) ?? 0;
    hunk.querySelector("[data-time]").textContent = mine >= LEAST_SECONDS ? `You looked at it for ${words(mine)}.` : "You have not looked at it yet.";
    const mark = document.querySelector(`.outline a[href="#${hunk.id}"] .mark`);
    if (mark && mine >= LEAST_SECONDS) { mark.textContent = "read"; mark.classList.add("read"); }
  }
};

// Nobody understands what was not before them.
const allow = () => {
  for (const hunk of hunks) {
    const button = hunk.querySelector("form[data-understand] button");
    if (button) button.disabled = (total.get(hunk.dataset.hunk) ?? 0) + (waiting.get(hunk.dataset.hunk) ?? 0) < LEAST_SECONDS;
  }
};

root.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-understand]");
  if (!form) return;
  event.preventDefault();
  const hunk = form.closest("[data-hunk]");
  try {
    tick();
    await report();
    await ask("POST", `/changes/${change}/understood`, { head, hunk: hunk.dataset.hunk });
    const done = document.createElement("span");
    done.className = "state pass";
    done.textContent = "You have read and understand this.";
    done.tabIndex = -1;
    form.replaceWith(done);
    done.focus();
    show();
  } catch (error) {
    say(error.message);
  }
});

document.addEventListener("visibilitychange", () => {
  tick();
  if (document.visibilityState === "hidden") report({ keepalive: true });
});
addEventListener("pagehide", () => { tick(); report({ keepalive: true }); });

const start = async () => {
  try {
    await ask("PUT", `/changes/${change}/looks`, { head });
  } catch (error) {
    stopped = true;
    say(`Your time is not measured: ${error.message}`);
    return;
  }
  last = active = reported = performance.now();
  for (const hunk of hunks) watch.observe(hunk);
  setInterval(tick, TICK_MS);
  allow();
  show();
};

start();
