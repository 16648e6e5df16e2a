// Looks again at the parts of a page that changed: the service says what did, the page asks for itself once more.
// Only while somebody can see it: a browser has few connections for one host, and nobody reads a hidden tab.

const QUIET = 2000; // milliseconds between two looks, at least
const status = document.querySelector("[data-live-status]");
const parts = () => [...document.querySelectorAll("[data-live]")];
let since = document.querySelector("[data-mark]")?.dataset.mark ?? "";
let stream = null;
let looked = 0;
let waiting = 0;
let looking = false;
let tries = 0;

const say = (words) => { if (status && status.textContent !== words) status.textContent = words; };

const concerns = ({ kind, id }) => kind === "everything" || parts().some((part) =>
  part.dataset.live.split(" ").some((wanted) => wanted === kind || wanted === `${kind}:${id}`));

// What a person opened stays open, and where they are stays theirs.
const swap = (old, fresh) => {
  const open = new Set([...old.querySelectorAll("details[open] > summary")].map((each) => each.textContent));
  const stop = document.activeElement?.closest("[data-stop]");
  const place = old.contains(stop) ? stop.getAttribute("href") ?? stop.getAttribute("aria-labelledby") : null;
  for (const each of fresh.querySelectorAll("details > summary")) {
    if (open.has(each.textContent)) each.parentElement.open = true;
  }
  old.replaceChildren(...fresh.childNodes);
  if (fresh.dataset.again) old.dataset.again = fresh.dataset.again;
  else delete old.dataset.again;
  if (place) {
    const again = [...old.querySelectorAll("[data-stop]")].find((each) =>
      (each.getAttribute("href") ?? each.getAttribute("aria-labelledby")) === place);
    again?.focus({ preventScroll: true });
  }
};

// A form that was refused is answered under its own address, which only takes forms.
const address = () => document.querySelector("[data-from]")?.dataset.from ?? location.href;

const writing = (part) => part.contains(document.activeElement?.closest("input, textarea, select"));

const look = async () => {
  waiting = 0;
  if (looking) return later();
  looking = true;
  looked = Date.now();
  try {
    const answer = await fetch(address(), { headers: { accept: "text/html", "x-tidegate-unasked": "1" } });
    if (!answer.ok || answer.redirected) {
      stop();
      say("This page is live no longer: load it again.");
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    let changed = 0;
    for (const part of parts()) {
      const next = fresh.getElementById(part.id);
      if (!next || writing(part)) continue;
      const before = part.textContent;
      if (part.innerHTML === next.innerHTML && part.dataset.again === next.dataset.again) continue;
      swap(part, document.adoptNode(next));
      if (part.textContent !== before) changed += 1;
    }
    if (changed) say(`Brought up to date at ${new Date().toISOString().slice(11, 19)} UTC.`);
  } catch {
    say("The service cannot be reached; what stands here may be old.");
  } finally {
    looking = false;
    again();
  }
};

// What is being made as the page is read is looked at again, a few times and slower each time.
const again = () => {
  const part = document.querySelector("[data-again]");
  if (!part || tries > 12 || document.visibilityState !== "visible") return;
  tries += 1;
  setTimeout(later, Number(part.dataset.again) * 1000 * Math.min(tries, 5));
};

const later = () => {
  if (!waiting) waiting = setTimeout(look, Math.max(200, looked + QUIET - Date.now()) + Math.random() * 300);
};

const start = () => {
  if (stream || !parts().length) return;
  stream = new EventSource(`/events?since=${encodeURIComponent(since)}`);
  stream.addEventListener("message", (event) => {
    if (event.lastEventId) since = event.lastEventId;
    if (event.data.split("\n").some((line) => concerns(JSON.parse(line)))) later();
  });
  stream.addEventListener("end", () => {
    stop();
    say("You were signed out; load the page again.");
  });
  stream.addEventListener("error", () => {
    if (stream?.readyState !== EventSource.CLOSED) return;
    stop();
    say("This page is live no longer: load it again.");
  });
};

const stop = () => {
  stream?.close();
  stream = null;
};

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") start();
  else stop();
});
addEventListener("pagehide", stop);
addEventListener("pageshow", () => { if (document.visibilityState === "visible") start(); });
again();
