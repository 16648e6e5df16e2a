// A bill from a file, shown before it is sent.

const [file, text] = [document.querySelector("[data-bill]"), document.querySelector("textarea[name=bill]")];

file?.addEventListener("change", async () => {
  const [chosen] = file.files;
  if (chosen) text.value = await chosen.text();
});
