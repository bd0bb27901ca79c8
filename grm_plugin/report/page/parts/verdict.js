// One verdict: each response beside what the judge said of it, the votes, and what was dropped.
const files = new Map();
const KEPT_FILES = 4;
const fileOf = (number) => about.starts.findLastIndex((start) => start <= number);

// Files beside the page call this: scripts are all that a page opened from disk may load.
window.grmDetails = (number, list) => files.get(number)?.resolve(list);

const load = (file) => {
  const number = file + 1;
  if (!files.has(number)) {
    const waiting = Promise.withResolvers?.() ?? deferred();
    const name = `${about.folder}/details-${String(number).padStart(4, "0")}.js`;
    const script = h("script", { src: name.split("/").map(encodeURIComponent).join("/"), load: () => script.remove(),
      error: () => { files.delete(number); waiting.reject(new Error(`${name} can not be read: keep the folder ${about.folder} beside this page`)); } });
    files.set(number, waiting);
    if (files.size > KEPT_FILES) files.delete(files.keys().next().value);
    document.head.append(script);
  }
  return files.get(number).promise;
};
const deferred = () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const detailsOf = async (number) => {
  if (!about.starts.length) return inline[number];
  const file = fileOf(number);
  return (await load(file))[number - about.starts[file]];
};

const place = (n) => `#${n + 1}`;
const ordinal = (number) => `${number}${["th", "st", "nd", "rd"][(number % 100 >> 3) ^ 1 && number % 10] ?? "th"}`;
const vote = (sample) => (sample.reason ? `dropped: ${sample.reason}` : sample.weight === 0 ? "not selected to vote"
  : sample.weight === 1 ? "voted" : `voted × ${short(sample.weight)}`);
const disclosed = (title, ...content) => h("details", {}, h("summary", {}, title), ...content);

const turn = ([role, text]) => h("div", { class: "turn" }, h("h4", {}, visible(role)), prose(text));
const prompt = (found) => h("section", { class: "prompt" }, h("h3", {}, "Prompt"), found.turns.map(turn),
  found.reference != null && turn(["reference answer", found.reference]),
  found.principles.length > 0 && turn(["principles to use", found.principles.join("\n")]));

const said = (sample, n) => {
  const text = sample.passages[n];
  const shown = sample.order.indexOf(n);
  return h("li", {}, h("p", { class: "muted" },
    h("b", { class: "score" }, short(sample.scores[n])), ` sample ${sample.name}, shown ${ordinal(shown + 1)} of ${sample.order.length}, ${vote(sample)}`),
    text ? prose(text) : h("p", { class: "muted" }, "No passage about this response was found in the critique; its whole text is below."));
};
const MOST_SAID = 2;
const response = (found, n) => {
  const one = found.responses[n];
  const judged = found.samples.filter((sample) => sample.scores?.[n] != null);
  const rewards = found.responses.map((other) => other.reward).filter((reward) => reward != null);
  const best = one.reward != null && one.reward === Math.max(...rewards) && rewards.length > 1;
  return h("article", { class: "response" },
    h("h3", {}, `Response ${place(n)}`, one.reward == null
      ? h("span", { class: "badge bad" }, "unscored", one.unscored && [": ", visible(one.unscored)])
      : h("span", { class: "given" }, `reward ${short(one.reward)}`), best && h("span", { class: "badge good" }, "highest"),
      one.truth && h("span", { class: "badge plain" }, one.truth)),
    h("div", { class: "beside" },
      h("div", {}, prose(one.text, "answer"), one.evidence && [h("h4", {}, "Evidence"), prose(one.evidence)]),
      h("div", {}, h("h4", {}, "What the judge said of it"),
        judged.length ? h("ul", { class: "said" }, judged.slice(0, MOST_SAID).map((sample) => said(sample, n))) : h("p", { class: "muted" }, "No sample scored it."),
        judged.length > MOST_SAID && disclosed(counted(judged.length - MOST_SAID, "further sample", "further samples"),
          h("ul", { class: "said" }, judged.slice(MOST_SAID).map((sample) => said(sample, n)))))));
};

const cell = (text, more) => h("td", more ?? {}, text);
const scored = (sample, n) => {
  const shown = sample.order.indexOf(n);
  return cell([short(sample.scores?.[n]), shown >= 0 && h("span", { class: "place", title: `shown ${ordinal(shown + 1)}` }, `@${shown + 1}`)], { class: "number" });
};
const byNumber = (samples) => [...samples].sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
const votes = (found) => {
  const rated = found.samples.some((sample) => sample.meta != null);
  const heads = ["sample", ...found.responses.map((_, n) => place(n)), rated && "meta-score", "vote", "order", "tokens", "seconds", "seed"].filter(Boolean);
  const row = (sample) => h("tr", { class: sample.weight ? null : "faint" }, h("th", { scope: "row" }, sample.name),
    found.responses.map((_, n) => scored(sample, n)), rated && cell(short(sample.meta, 2), { class: "number" }), cell(vote(sample)),
    cell(sample.order.map(place).join(" ")), cell(sample.tokens.join(" + "), { class: "number" }), cell(short(sample.seconds, 1), { class: "number" }), cell(sample.seed, { class: "number" }));
  return h("section", {}, h("h3", {}, "Votes"),
    h("p", { class: "muted" }, "Scores in points; @2 was shown second. Tokens: read + written."),
    h("div", { class: "scrolls", tabindex: "0", role: "group", "aria-label": "Votes" }, h("table", { class: "votes" },
      h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, byNumber(found.samples).map(row)))));
};

const principles = (found) => {
  const given = byNumber(found.samples).filter((sample) => sample.principles?.length);
  if (!given.length) return null;
  const row = (sample) => sample.principles.map(([text, weight], number) => h("tr", {},
    number === 0 && h("th", { scope: "row", rowspan: sample.principles.length }, sample.name), cell(weight ?? "–", { class: "number" }), cell(visible(text), { dir: "auto" })));
  return disclosed(`Principles of ${counted(given.length, "sample", "samples")}`, h("table", {},
    h("thead", {}, h("tr", {}, ["sample", "weight", "principle"].map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, given.flatMap(row))));
};

const END = 600;
const dropped = (sample) => h("li", {}, h("p", {}, h("span", { class: "badge bad" }, sample.reason), ` sample ${sample.name}: `, visible(sample.detail)),
  sample.text && [h("p", { class: "muted" }, "How its text ends:"), prose(sample.text.length > END ? `… ${sample.text.slice(-END)}` : sample.text)]);
const failures = (found) => {
  const lost = found.samples.filter((sample) => sample.reason);
  return lost.length > 0 && h("section", {}, h("h3", {}, "Dropped samples"), h("ul", { class: "said" }, lost.map(dropped)));
};
const whole = (sample) => disclosed(`Sample ${sample.name}, ${vote(sample)}`,
  h("p", { class: "muted" }, sample.order.map((n, at) => `its Response ${at + 1} is ${place(n)}`).join(", ")),
  sample.said.map((text, round) => [h("h4", {}, `Round ${round + 1}`), prose(text)]), prose(sample.text));
const texts = (found) => h("section", {}, h("h3", {}, "Whole texts of the judge"), byNumber(found.samples).filter((sample) => sample.text).map(whole));
const listing = (title, pairs) => pairs.length > 0 && disclosed(title, h("dl", { class: "pairs" }, pairs.map(([name, value]) => [h("dt", {}, visible(name)), h("dd", { dir: "auto" }, visible(value))])));

const shownVerdict = (found, row) => [
  found.unscored && h("p", { class: "alert" }, "No rewards: ", visible(found.unscored)),
  prompt(found), h("section", {}, found.responses.map((_, n) => response(found, n))), votes(found), failures(found), principles(found), texts(found),
  h("section", {}, h("h3", {}, "Cost and origin"), h("p", {}, found.cost), listing("Settings", found.origin), listing("Metadata", found.metadata)),
];

const bar = (given, row) => {
  const at = listed.findIndex((one) => one.number === row.number);
  const step = (to, text, label) => h("a", { class: "button", "aria-label": label, "aria-disabled": !listed[to] && "true",
    href: listed[to] ? address({ ...given, open: listed[to].number }) : null }, text);
  return h("header", {}, h("h2", { id: "verdict-title", tabindex: "-1" }, visible(row.id)), h("p", { class: "about" }, badges(row),
    row.step != null && h("span", { class: "badge plain" }, `step ${row.step}`), row.subset && h("span", { class: "badge plain" }, visible(row.subset))),
    h("nav", { "aria-label": "Verdicts" }, step(at - 1, "‹", "previous verdict"), h("span", { class: "muted" }, at < 0 ? "" : `${at + 1} of ${listed.length.toLocaleString("en")}`),
      step(at + 1, "›", "next verdict"), h("a", { class: "button", href: address(without(given, "open")) === "#" ? "#verdicts" : address(without(given, "open")) }, "Close")));
};

const open = async (given) => {
  const box = $("verdict");
  const row = rows[Number(given.open)];
  if (given.open == null || !row) { if (box.open) box.close(); return; }
  box.replaceChildren(bar(given, row), h("div", { class: "body" }, h("p", { class: "muted" }, "Loading …")));
  if (!box.open) box.showModal();
  const body = box.querySelector(".body");
  try {
    body.replaceChildren(...shownVerdict(await detailsOf(row.number), row).flat().filter(Boolean));
  } catch (error) {
    body.replaceChildren(h("p", { class: "alert" }, error.message));
  }
  box.scrollTop = 0;
  $("verdict-title")?.focus();
};
