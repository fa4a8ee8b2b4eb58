// --- Password fields: the show button, and the strength of a new password. The server refuses what is weak.

const SHORTEST = 12; // characters, as on the server
const COMMON = /1234567890|12345678|123456|1234|123|passw[o0]rd|qwerty(uiop)?|asdfgh|letmein|welcome|iloveyou|gatepost|abcdef/g;

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-reveals]");
  if (!button) return;
  const input = button.closest(".input-wrap").querySelector("input");
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.ariaPressed = String(shown);
  const icon = button.querySelector("use");
  icon.setAttribute("href", icon.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
});

// Password managers save what was typed into a password field.
document.addEventListener("submit", ({ target }) => {
  for (const button of target.querySelectorAll("[data-reveals][aria-pressed=true]")) button.click();
}, true);

function strength(password) {
  const letters = [...password];
  const missing = SHORTEST - letters.length;
  if (!letters.length) return "";
  if (missing > 0) return `Too short: ${missing} more character${missing === 1 ? "" : "s"}.`;
  if (new Set(letters).size < 5) return "Weak: it repeats only a few characters.";
  if ([...password.toLowerCase().replace(COMMON, "")].length < 5) return "Weak: easy to guess.";
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}\s]/u].filter((kind) => kind.test(password)).length;
  const isLong = letters.length >= 20 || (letters.length >= 16 && kinds > 1);
  return isLong ? "Strong." : "Fair: another word makes it strong.";
}

document.addEventListener("input", ({ target }) => {
  if (target.autocomplete !== "new-password") return;
  const words = target.closest(".field").querySelector(".strength");
  const text = strength(target.value);
  if (words && words.textContent !== text) words.textContent = text;
});
