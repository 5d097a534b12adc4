// What a chart tells of a moment, at once and beside the pointer. Without this the browser shows it after a while.
"use strict";

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true");
document.body.append(tip);

for (const title of document.querySelectorAll("svg.chart title")) {
  const part = title.parentElement;
  part.told = title.textContent;
  if (part.getAttribute("aria-label") === null) part.setAttribute("aria-label", part.told);
  if (part.localName !== "a" && part.getAttribute("role") === null) part.setAttribute("role", "img"); // has a label
  title.remove();
}

const teller = (target) => {
  for (let part = target; part instanceof SVGElement; part = part.parentElement) if (part.told) return part;
  return null;
};

const mark = (run) => {
  for (const hit of document.querySelectorAll("rect.hit.on")) hit.classList.remove("on");
  if (run !== undefined) {
    for (const hit of document.querySelectorAll(`rect.hit[data-run="${CSS.escape(run)}"]`)) hit.classList.add("on");
  }
};

document.addEventListener("pointermove", (event) => {
  const part = event.target instanceof Element ? teller(event.target) : null;
  tip.hidden = part === null;
  mark(part?.dataset.run);
  if (part === null) return;
  tip.textContent = part.told;
  const right = event.clientX + 14 + tip.offsetWidth < document.documentElement.clientWidth;
  const below = event.clientY + 14 + tip.offsetHeight < document.documentElement.clientHeight;
  tip.style.left = `${Math.max(4, right ? event.clientX + 14 : event.clientX - 14 - tip.offsetWidth)}px`;
  tip.style.top = `${Math.max(4, below ? event.clientY + 14 : event.clientY - 14 - tip.offsetHeight)}px`;
});

document.addEventListener("pointerleave", () => { tip.hidden = true; mark(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });
