// What is filtered, sorted and open stands in the address, so that links, Back and bookmarks work.
const about = data("about");
const rows = data("rows").map((values, number) => {
  const row = Object.fromEntries(about.fields.map((name, place) => [name, values[place]]));
  const known = (row.rewards ?? []).filter((reward) => reward != null);
  row.number = number;
  row.best = known.length ? Math.max(...known) : null;
  row.lowest = known.length ? Math.min(...known) : null;
  row.tied = row.tied ? "yes" : "no";
  row.lost = Object.values(row.dropped).reduce((sum, count) => sum + count, 0);
  return row;
});

const within = (text) => {
  const match = /^(-?[\d.eE+-]*)\.\.(<?)(-?[\d.eE+-]*)$/.exec(text);
  if (!match)
    return text !== "" && Number.isFinite(Number(text)) ? (value) => value === Number(text) : null;
  const low = match[1] === "" ? -Infinity : Number(match[1]);
  const high = match[3] === "" ? Infinity : Number(match[3]);
  const almost = 1e-9;
  return (value) =>
    value != null &&
    value >= low - almost &&
    (match[2] ? value < high - almost : value <= high + almost);
};
const ranged = (values) => (text) => {
  const inside = within(text) ?? (() => false);
  return (row) => values(row).some(inside);
};
const named = (name) => (text) => (row) =>
  String(row[name]) === text || (text === "*" && row[name] !== "");

const FILTERS = {
  text: (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return (row) => {
      const all = searched(row);
      return words.every((word) => all.includes(word));
    };
  },
  reward: ranged((row) => row.rewards ?? []),
  spread: ranged((row) => [row.spread]),
  differ: ranged((row) => [row.differ]),
  step: ranged((row) => [row.step]),
  id: named("id"),
  phase: named("phase"),
  subset: named("subset"),
  outcome: named("outcome"),
  unscored: named("unscored"),
  place: named("place"),
  tied: named("tied"),
  dropped: (reason) => (row) =>
    reason === "*" ? row.lost > 0 : Object.hasOwn(row.dropped, reason),
};
const TOLD = {
  text: "with",
  id: "group",
  reward: "a reward in",
  spread: "spread in",
  differ: "samples differ by",
  step: "step",
  phase: "phase",
  subset: "subset",
  outcome: "outcome",
  unscored: "unscored:",
  place: "highest at place",
  tied: "tied for the top:",
  dropped: "dropped:",
};
const SORTS = {
  number: "as recorded",
  "-best": "highest reward",
  lowest: "lowest reward",
  "-spread": "widest spread",
  spread: "least spread",
  "-differ": "samples differ most",
  "-lost": "most samples dropped",
  step: "first step",
  "-step": "last step",
};

// In a page that holds all details, every text of a verdict is searched; else its id and the start of its prompt.
const inline = data("details");
const searched = (row) => {
  row.text ??= (
    inline[row.number]
      ? JSON.stringify(Object.values(inline[row.number])).replaceAll("\\n", " ")
      : `${row.id} ${row.prompt}`
  ).toLowerCase();
  return row.text;
};

const state = () => {
  const given = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  return Object.fromEntries(given);
};
const address = (values) => {
  const kept = Object.entries(values).filter(([, value]) => value !== "" && value != null);
  return "#" + new URLSearchParams(kept).toString();
};
const go = (values) => {
  location.hash = address(values) === "#" ? "#verdicts" : address(values);
};
const without = (values, ...names) =>
  Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));

const chosen = (values) => {
  const passes = Object.entries(values)
    .filter(([name, text]) => text !== "" && Object.hasOwn(FILTERS, name))
    .map(([name, text]) => FILTERS[name](text));
  return sorted(
    rows.filter((row) => passes.every((pass) => pass(row))),
    values.sort ?? "number",
  );
};
const sorted = (found, by) => {
  const name = by.replace(/^-/, "");
  const sign = by.startsWith("-") ? -1 : 1;
  if (!found.length || !(name in found[0])) return found;
  const order = (one, other) => {
    const [a, b] = [one[name], other[name]];
    if (a == null || b == null) return (a == null) - (b == null);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  };
  return name === "number" && sign === 1 ? found : found.sort(order);
};
