// Charts: arrow keys move between columns, which show and announce their figures.
"use strict";

document.addEventListener("keydown", (event) => {
  const band = event.target.closest?.(".c-band");
  const bands = band && [...band.parentNode.querySelectorAll(":scope > .c-band")];
  const at = bands?.indexOf(band);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: bands?.length - 1 }[event.key];
  if (!bands || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (!bands[to]) return;
  band.setAttribute("tabindex", "-1");
  bands[to].setAttribute("tabindex", "0");
  bands[to].focus();
});
