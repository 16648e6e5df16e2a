// What every page can do: move with the keyboard, copy, ask before something that cannot be taken back.

const stops = () => [...document.querySelectorAll("[data-stop]")].filter((each) => each.offsetParent !== null);
const help = document.getElementById("keys");

const move = (by) => {
  const all = stops();
  if (!all.length) return;
  const focused = all.indexOf(document.activeElement?.closest("[data-stop]"));
  const below = all.findIndex((each) => each.getBoundingClientRect().top > 80);
  const start = below === -1 ? all.length : below;
  const wanted = focused >= 0 ? focused + by : by > 0 ? start : start - 1;
  const next = all[Math.max(0, Math.min(all.length - 1, wanted))];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "start" });
};

const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

const act = {
  j: () => move(1),
  k: () => move(-1),
  "?": () => help?.showModal(),
  g: () => document.querySelector(".top nav a")?.focus(),
  "/": () => document.querySelector("main input, main select")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || help?.open) return;
  const does = act[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-open], button[data-close]");
  if (!button) return;
  if (button.dataset.open) document.getElementById(button.dataset.open)?.showModal();
  if (button.dataset.close !== undefined) button.closest("dialog")?.close();
  if (!button.dataset.copy) return;
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text.trim());
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy by hand";
  }
});

document.addEventListener("submit", (event) => {
  const words = event.target.dataset.sure;
  if (words && !confirm(words)) event.preventDefault();
});

document.querySelectorAll("[data-script]").forEach((each) => { each.hidden = false; });
document.querySelectorAll("[data-plain]").forEach((each) => { each.hidden = true; });
