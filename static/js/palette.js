// --- The command palette: search in a dialog, as a combobox with the focus in its field.

const paletteField = () => document.querySelector("#dialog[open] [role=combobox]");
const paletteRows = () => [...document.querySelectorAll("#palette-list [role=option]")];

function chooseRow(row) {
  for (const one of paletteRows()) one.ariaSelected = String(one === row);
  if (row) row.scrollIntoView({ block: "nearest" });
  if (row) paletteField()?.setAttribute("aria-activedescendant", row.id);
  else paletteField()?.removeAttribute("aria-activedescendant");
}

function moveInPalette(event) {
  const rows = paletteRows();
  const at = rows.findIndex((row) => row.ariaSelected === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && rows.length) chooseRow(rows.at((at + step) % rows.length));
  else if (event.key === "Enter" && rows[at]) rows[at].click();
  else return;
  event.preventDefault();
}

document.addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
  if (!target.matches("#palette-results, #dialog") || !document.getElementById("palette-list")) return;
  const rows = paletteRows();
  chooseRow(rows[0]);
  if (target.id !== "dialog") announce(rows.length === 1 ? "1 result" : `${rows.length} results`);
});

// --- Keyboard shortcuts. Navigation links have theirs in data-key.

let going = false; // whether the previous key was "g"

function press(selectors, event) {
  const pressed = selectors.map((selector) => document.querySelector(selector)).find(Boolean);
  if (!pressed) return;
  event.preventDefault();
  if (pressed.matches("input")) pressed.focus();
  else pressed.click();
}

document.addEventListener("keydown", (event) => {
  const held = event.ctrlKey || event.metaKey;
  if (paletteField()?.contains(event.target)) moveInPalette(event);
  if (held && !event.altKey && event.key.toLowerCase() === "k" && !document.querySelector("dialog[open]")) {
    return press(["[data-search]"], event);
  }
  if (document.documentElement.dataset.singleKeys === "off") return;
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  if (held || event.altKey || typing || document.querySelector("dialog[open]")) return;
  const after = going;
  going = event.key === "g" && !after;
  if (after) press([`[data-key="${CSS.escape(event.key)}"]`], event);
  else if (event.key === "/") press(["main input[aria-keyshortcuts='/']", "[data-search]"], event);
  else if (event.key === "?") press(["[data-shortcuts]"], event);
});
