// Draw what the address says, now and whenever it changes.
const FREE = new Set(["open"]);
let drawn = null;
const follow = (first) => {
  if (!first && location.hash && !location.hash.includes("=") && location.hash !== "#verdicts")
    return;
  const given = state();
  const list = address(without(given, ...FREE));
  if (list !== drawn) {
    draw(given);
    if (!first && Object.keys(given).length && given.open == null) $("verdicts").scrollIntoView();
  }
  drawn = list;
  open(given);
};

$("filters").append(...filters().filter(Boolean));
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("verdict").addEventListener("close", () => {
  if (state().open != null) go(without(state(), "open"));
});
$("verdict").addEventListener("click", (event) => {
  if (event.target === $("verdict")) $("verdict").close();
});
document.addEventListener("keydown", (event) => {
  const to = { ArrowLeft: "previous verdict", ArrowRight: "next verdict" }[event.key];
  if (
    !to ||
    !$("verdict").open ||
    event.altKey ||
    event.ctrlKey ||
    event.metaKey ||
    event.target.closest("[tabindex='0']")
  )
    return;
  $("verdict").querySelector(`[aria-label="${to}"]`)?.click();
});
addEventListener("hashchange", () => follow(false));
follow(true);
