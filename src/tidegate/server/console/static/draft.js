// Keeps what is being written in this tab, so that a sign-in that ended or a page that was left does not lose it.

for (const field of document.querySelectorAll("textarea[data-draft]")) {
  const name = `draft ${location.pathname} ${field.name}`;
  const kept = sessionStorage.getItem(name);
  if (kept !== null && field.dataset.draft === "fresh" && kept !== field.value) {
    const [back, box] = [document.querySelector("[data-draft-back]"), document.querySelector("[data-draft-found]")];
    if (box) box.hidden = false;
    back?.addEventListener("click", () => {
      field.value = kept;
      if (box) box.hidden = true;
      field.focus();
    });
  }
  field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
}
