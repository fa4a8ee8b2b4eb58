// The API reference: the section that is read, the language of the examples, Try it. Without it, all are links.
{
  const rail = document.querySelector(".ref-rail");

  function markRead() {
    const sections = [...document.querySelectorAll("#reference > [data-spy]")];
    const isAtEnd = scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 4;
    const read = isAtEnd ? sections.at(-1) : sections.findLast((one) => one.getBoundingClientRect().top < innerHeight / 3) ?? sections[0];
    const link = read && rail.querySelector(`a[href$="#${read.id}"]`);
    if (link?.ariaCurrent === "location") return;
    for (const one of rail.querySelectorAll("[aria-current=location]")) one.removeAttribute("aria-current");
    link?.setAttribute("aria-current", "location");
    if (link?.checkVisibility()) link.scrollIntoView({ block: "nearest" });
  }

  // All of it was one page once: an anchor that is not here is on another page of the rail.
  function followOldAnchor(hash = decodeURIComponent(location.hash).slice(1)) {
    if (!hash || document.getElementById(hash)) return;
    const link = rail.querySelector(`a[href$="#${CSS.escape(hash)}"], a[href$="/${CSS.escape(hash)}"]`);
    if (link) location.replace(link.href);
  }

  function showLanguage({ value, form }) {
    fetch(form.action, { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams({ language: value }) });
    document.querySelector(".ref").dataset.shown = value;
    for (const one of document.querySelectorAll("button[name=language]")) one.ariaPressed = String(one.value === value);
  }

  if (rail) {
    followOldAnchor();
    for (const happens of ["scroll", "resize", "htmx:afterSettle"]) addEventListener(happens, () => requestAnimationFrame(markRead), { passive: true });
    markRead();
    document.addEventListener("click", (event) => {
      const [language, closing] = ["button[name=language]", "[data-try-close]"].map((css) => event.target.closest(css));
      const place = closing?.closest(".try-place");
      if (language || place) event.preventDefault(); // They work without this script, too.
      if (language) showLanguage(language);
      if (!place) return;
      place.replaceChildren();
      place.parentElement.querySelector(".try-link").focus();
    });
    document.addEventListener("keydown", (event) => {
      const hits = [document.getElementById("q"), ...document.querySelectorAll(".hit")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = step && hits.includes(event.target) && hits[hits.indexOf(event.target) + step];
      if (next) (event.preventDefault(), next.focus());
    });
    document.addEventListener("htmx:afterSettle", ({ target }) => {
      const card = target.closest(".try-place")?.querySelector(".try");
      if (!card) return;
      card.scrollIntoView({ block: "nearest" });
      const first = card.querySelector("[aria-invalid=true]") ?? card.querySelector(".try-form :is(input, select, textarea)");
      if (!card.querySelector("[autofocus]")) (first ?? card.querySelector("button")).focus({ preventScroll: true });
      card.querySelector("[data-copies] > button")?.click();
    });
  }
}
