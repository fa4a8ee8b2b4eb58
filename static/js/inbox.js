// The inbox: keys, selected rows and the open message. Every action here also has a link or a button.
"use strict";

{
  const list = () => document.querySelector("#messages");
  const rows = () => [...document.querySelectorAll("#rows > .mail-row")];
  const boxes = () => [...document.querySelectorAll("#rows .mail-pick > input")];
  const picked = () => boxes().filter((box) => box.checked);
  const opened = () => document.querySelector("#pane > .letter");
  const rowInFocus = () => document.activeElement?.closest?.(".mail-row");

  // --- Keys, described on the shortcuts page.

  const KEYS = {
    j: () => turn(1),
    k: () => turn(-1),
    o: () => rowInFocus()?.querySelector(".mail-open").click(),
    x: () => pick(rowInFocus() ?? currentRow()),
    u: () => press("u"),
    e: () => press("e"),
    "#": () => press("#"),
  };

  let before; // "g" is the first key of shortcuts to pages
  document.addEventListener("keydown", (event) => {
    const goes = before === "g";
    before = event.key;
    if (document.documentElement.dataset.singleKeys === "off") return;
    if (goes || !document.querySelector("#inbox") || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("textarea, select, [contenteditable], input:not([type=checkbox])")) return;
    if (!Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  function currentRow() {
    return document.querySelector("#rows > .mail-row[aria-current]");
  }

  function turn(by) {
    if (opened()) return document.querySelector(by > 0 ? "#pane-older" : "#pane-newer")?.click();
    const all = rows();
    const at = all.indexOf(rowInFocus());
    const next = all[at < 0 ? 0 : at + by];
    next?.querySelector(".mail-open").focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function pick(row) {
    row?.querySelector(".mail-pick > input").click();
  }

  // Acts on the selected rows, else on the open message, else on the focused row.
  function press(key) {
    if (!picked().length && opened()) return document.querySelector(`.pane-bar [data-act="${key}"]`)?.click();
    const row = rowInFocus();
    if (!picked().length && row) pick(row);
    if (!picked().length) return;
    const read = picked().every((box) => !box.closest(".mail-row").matches(".is-unread"));
    const value = { u: read ? "unread" : "read" }[key];
    document.querySelector(`.mail-actions [data-act="${key}"]${value ? `[value=${value}]` : ""}`)?.click();
  }

  // --- Selected rows.

  function showPicked() {
    const all = document.querySelector("[data-pick-all]");
    if (!all) return;
    const count = picked().length;
    all.checked = count > 0 && count === boxes().length;
    all.indeterminate = count > 0 && !all.checked;
    document.querySelector("[data-picked]").textContent = count ? `${count} selected` : "";
    list().classList.toggle("is-picking", count > 0);
    for (const box of boxes()) box.closest(".mail-row").classList.toggle("is-picked", box.checked);
  }

  let lastPicked;
  document.addEventListener("click", (event) => {
    const box = event.target.closest(".mail-pick > input");
    if (!box) return;
    const all = boxes();
    const [from, to] = [all.indexOf(lastPicked), all.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const each of all.slice(from, to + 1)) each.checked = box.checked;
    lastPicked = box;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.closest("#messages")) showPicked();
  });

  // --- A swap of the list keeps the selection, focus and scroll position.

  let kept;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target?.id !== "messages") return;
    const undone = detail.requestConfig?.elt.closest("[data-toast]");
    kept = {
      ids: picked().map((box) => box.value),
      at: rows().indexOf(rowInFocus() ?? currentRow()),
      inside: undone != null || document.activeElement?.closest("#inbox") != null,
      top: list().scrollTop,
      acted: detail.requestConfig?.verb === "post",
    };
    undone?.remove();
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (kept) {
      const { ids, at, inside, top, acted } = kept;
      kept = undefined;
      list().scrollTop = top;
      if (!acted) for (const box of boxes()) box.checked = ids.includes(box.value);
      const lost = inside && document.activeElement === document.body;
      const next = lost && (rows()[Math.min(Math.max(at, 0), rows().length - 1)]?.querySelector(".mail-open")
        ?? document.querySelector("#q"));
      if (next) next.focus({ preventScroll: true });
    }
    settle();
  });

  // --- The open message.

  function settle() {
    if (!document.querySelector("#inbox")) return;
    const id = opened()?.dataset.message;
    for (const row of rows()) {
      if (row.id === id) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    showPicked();
    fitFrames();
  }

  document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
    if (target.id !== "pane" || !opened()) return;
    currentRow()?.scrollIntoView({ block: "nearest" });
    document.querySelector("#letter-title").focus({ preventScroll: true });
    scrollTo({ top: 0 });
  });

  // The frame runs no script, so the page sets its height once it has loaded, and whenever its content changes.
  const TALLEST = 30000; // px; longer messages scroll

  function fitFrames() {
    for (const frame of document.querySelectorAll(".letter-frame:not([data-watched])")) {
      frame.dataset.watched = "";
      const waiting = setInterval(() => {
        const shown = frame.contentDocument;
        if (frame.isConnected && (!shown || shown.URL === "about:blank" || shown.readyState === "loading")) return;
        clearInterval(waiting);
        if (shown) new ResizeObserver(() => fit(frame, shown.documentElement)).observe(shown.documentElement);
      }, 30);
    }
  }

  function fit(frame, root) {
    const bar = root.scrollWidth > root.clientWidth ? 16 : 0;
    frame.style.blockSize = `${Math.min(Math.ceil(root.getBoundingClientRect().height) + bar, TALLEST)}px`;
    frame.dataset.fitted = "";
  }

  // --- Short times in the viewer's zone.

  function shortTimes() {
    const now = new Date();
    for (const time of document.querySelectorAll("time[data-short]")) {
      const at = new Date(time.dateTime);
      const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
      const clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      const year = at.getFullYear() === now.getFullYear() ? undefined : "numeric";
      const date = at.toLocaleDateString("en-GB", { day: "numeric", month: "short", year });
      const day = days === 0 ? "" : days > 0 && days < 7 ? at.toLocaleDateString("en-GB", { weekday: "short" }) : date;
      const long = time.dataset.short === "long";
      const text = long ? `${day} ${clock}`.trim() : day || clock;
      if (time.textContent !== text) time.textContent = text;
    }
  }
  shortTimes();
  setInterval(shortTimes, 60000);
  document.addEventListener("htmx:afterSettle", shortTimes);
  settle();
}
