// Times in the viewer's zone; what the pointer rests on says the exact UTC.

const today = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const thisYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const ever = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** Writes all times below a node as the viewer reads them. */
export function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const shown = format(new Date(time.dateTime));
    if (time.textContent !== shown) time.textContent = shown;
  }
}

function format(moment) {
  const now = new Date();
  if (moment.toDateString() === now.toDateString()) return today.format(moment);
  return (moment.getFullYear() === now.getFullYear() ? thisYear : ever).format(moment);
}
