// The clock of an exercise between two looks, and a file that is read into a field. What counts is the service's clock.

const seen = new WeakMap();
const text = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const tick = () => {
  for (const each of document.querySelectorAll(".tick[data-run]")) {
    if (!seen.has(each)) seen.set(each, performance.now());
    const past = (performance.now() - seen.get(each)) / 1000;
    const { left, second } = each.dataset;
    each.textContent = text(left === undefined ? Number(second) + past : Math.max(0, Number(left) - past));
  }
};

setInterval(tick, 500);
tick();

document.addEventListener("change", async (event) => {
  const { into } = event.target.dataset ?? {};
  const file = event.target.files?.[0];
  if (!into || !file) return;
  document.getElementById(into).value = file.size > 2097152 ? "(this file is larger than 2 MiB)" : await file.text();
});
