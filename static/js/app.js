// Enhances pages, which all work without it. Stores nothing in the browser.
"use strict";

const TOAST_STAYS = 4000; // ms; errors stay until dismissed
const SENDING_LASTS = 10000; // ms until a form without a response can be sent again

document.documentElement.classList.add("js");

// --- Announcements for screen readers.

function announce(text) {
  // Everything outside an open modal dialog is inert, even for screen readers.
  const place = document.querySelector("dialog[open]") ?? document.body;
  const region = place.querySelector(":scope > .announcer")
    ?? place.appendChild(document.querySelector(".announcer").cloneNode());
  region.textContent = "";
  // Screen readers announce a region only when its text changes later.
  setTimeout(() => { region.textContent = text; }, 50);
}

// --- Toasts: <div class="toast" data-toast>. The server sends them, except for requests without a response.

function place(toasts) {
  // Buttons below an open modal dialog don't work.
  (document.querySelector("dialog[open]") ?? document.querySelector("main") ?? document.body).prepend(toasts);
}

function fail(text) {
  const toasts = document.getElementById("notices");
  if (!toasts) return announce(text);
  const toast = Object.assign(document.createElement("div"), { className: "toast toast-danger", textContent: text });
  toast.setAttribute("role", "alert");
  toast.dataset.toast = "";
  place(toasts);
  toasts.replaceChildren(toast);
  keepToasts();
}

function keepToasts() {
  for (const toast of document.querySelectorAll("#notices > [data-toast]:not([data-kept])")) {
    toast.dataset.kept = "";
    if (toast.role !== "alert") announce(toast.querySelector("div")?.textContent ?? "");
    const leave = () => toast.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : toast.remove();
    if (!toast.matches("[role=alert]:has([data-dismiss])")) setTimeout(leave, TOAST_STAYS);
  }
}

// --- Light and dark: changes at once, while the form informs the server.

function chooseTheme(chosen) {
  document.documentElement.dataset.theme = chosen.value;
  for (const one of document.querySelectorAll("button[name=theme]")) one.ariaPressed = String(one.value === chosen.value);
}

// --- Copy buttons: <button data-copy="#id"><span data-copy-label>Copy</span></button>

async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  const text = (source.value ?? source.textContent).trim();
  if (await toClipboard(text) || selectAndCopy(source)) {
    showCopied(button, true);
    setTimeout(() => showCopied(button, false), 2000);
    return announce("Copied");
  }
  const keys = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘C" : "Ctrl+C";
  fail(`Copying failed: the text is selected, press ${keys}`);
}

function showCopied(button, on) {
  const [label, icon] = [button.querySelector("[data-copy-label]"), button.querySelector("use")];
  if (label) label.textContent = on ? "Copied" : "Copy";
  icon?.setAttribute("href", icon.getAttribute("href").replace(/#.*/, on ? "#check" : "#copy"));
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text); // absent on plain http
    return true;
  } catch {
    return false;
  }
}

function selectAndCopy(source) {
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
  return document.execCommand("copy");
}

// --- The dialog: opens when htmx fills it, and is emptied when closed.

let pressedOn;
document.addEventListener("pointerdown", (event) => { pressedOn = event.target; });

function closeDialogOn(event) {
  const dialog = event.target.closest("dialog[open]");
  // Selecting text up to a point outside isn't a click, and a stray click must not close a secret.
  const backdrop = event.target === dialog && pressedOn === dialog && !dialog?.querySelector(".secret");
  if (!dialog || !(backdrop || event.target.closest("[data-close]"))) return;
  event.preventDefault(); // [data-close] is a link, for browsers without this script
  dialog.close();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = menu.contains(except);
}

document.addEventListener("close", ({ target }) => {
  if (!target.matches("dialog")) return;
  const toasts = target.querySelector(":scope > #notices");
  target.replaceChildren();
  if (toasts) place(toasts);
}, true);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeMenus(null); });
document.addEventListener("click", (event) => {
  closeMenus(event.target);
  event.target.closest("[data-dismiss]")?.closest("[data-toast]").remove();
  const theme = event.target.closest("button[name=theme]");
  if (theme) return chooseTheme(theme);
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  else closeDialogOn(event);
});

// --- The unread count in the tab's title and beside Inbox.

function countUnread() {
  const count = document.querySelector(".nav-count")?.firstChild?.textContent.trim();
  document.title = `${count ? `(${count}) ` : ""}${document.title.replace(/^\(\d+\+?\) /, "")}`;
}

keepToasts();

// --- Forms are sent once, even if the button is pressed repeatedly.

function setSending(form, on, button = form.querySelector("button")) {
  form.toggleAttribute("data-sending", on);
  // Not `disabled`, which would remove the focus and drop the button's value.
  for (const one of on ? [button] : form.querySelectorAll("[aria-busy]")) {
    for (const state of ["aria-busy", "aria-disabled"]) on ? one?.setAttribute(state, "true") : one.removeAttribute(state);
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.hasAttribute("data-sending")) {
    event.preventDefault();
    return event.stopImmediatePropagation();
  }
  setSending(event.target, true, event.submitter ?? undefined);
  setTimeout(() => setSending(event.target, false), SENDING_LASTS);
}, true);
for (const shown of document.querySelectorAll("[data-address]")) history.replaceState(null, "", shown.dataset.address); // reloading must not resend a form
addEventListener("pageshow", () => document.querySelectorAll("[data-sending]").forEach((form) => setSending(form, false)));

// --- htmx: shows error responses too.

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { status, responseURL } = detail.xhr;
  // A whole page instead of a fragment means that the session has ended. Follow the server's redirect.
  const page = /^\s*<!doctype/i.test(detail.serverResponse);
  if (page) location.assign(responseURL);
  detail.shouldSwap = !page && (detail.shouldSwap || (status >= 400 && status < 500) || status === 503);
  detail.isError &&= !detail.shouldSwap;
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const list = event.detail.elt;
  // Polling pauses while the tab is hidden, a dialog is open or the list is being edited.
  const wait = document.hidden || document.querySelector("dialog[open]") || list.querySelector("input:focus, input:checked, details[open]");
  if (list.matches("[data-poll]") && wait) event.preventDefault();
});
document.addEventListener("change", ({ target: all }) => all.matches("#list [data-pick-all]") && document.querySelectorAll("#list [name=id]").forEach((box) => { box.checked = all.checked; }));
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.matches("dialog:not([open])") && target.firstElementChild) target.showModal();
  if (target.id === "notices") place(target);
  keepToasts();
  countUnread();
  showTimes();
});
document.addEventListener("htmx:afterRequest", ({ target }) => { if (target.matches("form")) setSending(target, false); });
for (const failure of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failure, ({ detail: { elt } }) => {
    if (!elt.matches("[data-poll]")) fail("The server did not answer as it should. Reload the page before you try again.");
  });
}
