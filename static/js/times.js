// --- Times: <time datetime="…Z">. The server writes UTC. Viewers see their own zone, and UTC on hover.
// With data-relative="used", a recent time becomes "used 5 minutes ago". With data-brief, it becomes "5 min", and after
// a day the time of day (data-brief="clock") or the date. The inbox formats times with data-short.

const RECENT = 604800; // s
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en");
const clock = { hour: "2-digit", minute: "2-digit" };
const hours = new Intl.DateTimeFormat("en-GB", clock);
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const sameYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...clock });
const otherYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", ...clock });

function relativeText(at, now) {
  const seconds = (at - now) / 1000;
  if (Math.abs(seconds) >= RECENT) return (at.getFullYear() === now.getFullYear() ? sameYear : otherYear).format(at);
  const [unit, size] = UNITS.find(([, least]) => Math.abs(seconds) >= least) ?? [];
  return unit ? relative.format(Math[seconds > 0 ? "round" : "trunc"](seconds / size), unit) : "just now";
}

function briefText(at, now, kind) {
  const minutes = Math.trunc((now - at) / 60000);
  if (minutes >= 1440 || minutes < -1) return kind === "clock" ? hours.format(at) : days.format(at);
  return minutes < 1 ? "now" : minutes < 60 ? `${minutes} min` : `${Math.trunc(minutes / 60)} h`;
}

function showTimes() {
  const now = new Date();
  for (const time of document.querySelectorAll("time[datetime]:not([data-short])")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
    const prefix = time.dataset.relative;
    const brief = time.dataset.brief;
    const text = brief !== undefined ? briefText(at, now, brief) : prefix === undefined ? exact.format(at) : `${prefix} ${relativeText(at, now)}`.trim();
    if (time.textContent !== text) time.textContent = text; // setting it again would clear a selection
  }
}

showTimes();
setInterval(showTimes, 10000);
