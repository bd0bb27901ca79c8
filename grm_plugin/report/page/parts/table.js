// The filters above the list, and the list: fifty verdicts a page.
const A_PAGE = 50;
const has = (test) => rows.some(test);
const COLUMNS = [
  {
    head: "group",
    sort: "number",
    cell: (row) => [
      h("a", { href: opened(row), class: "open" }, visible(row.id)),
      badges(row),
      h("span", { class: "start", dir: "auto" }, visible(row.prompt)),
    ],
  },
  { head: "rewards", cell: (row) => strip(row.rewards ?? []), class: "strip" },
  { head: "highest", sort: "-best", cell: (row) => fixed(row.best), number: true },
  { head: "lowest", sort: "lowest", cell: (row) => fixed(row.lowest), number: true },
  { head: "spread", sort: "-spread", cell: (row) => fixed(row.spread), number: true },
  { head: "samples differ", sort: "-differ", cell: (row) => fixed(row.differ, 2), number: true },
  {
    head: "valid",
    sort: "-lost",
    cell: (row) => `${row.valid} of ${row.valid + row.lost}`,
    number: true,
  },
  {
    head: "step",
    sort: "step",
    cell: (row) => row.step ?? "–",
    number: true,
    shown: has((row) => row.step != null),
  },
  { head: "subset", cell: (row) => visible(row.subset), shown: has((row) => row.subset) },
].filter((column) => column.shown !== false);

const badges = (row) => [
  row.unscored && h("span", { class: "badge bad" }, "unscored: ", visible(row.unscored)),
  row.outcome &&
    row.outcome !== "unscored" &&
    h("span", { class: `badge ${row.outcome === "right" ? "good" : "bad"}` }, row.outcome),
  row.tied === "yes" && row.outcome !== "tie" && h("span", { class: "badge" }, "tied"),
  row.lost > 0 && h("span", { class: "badge" }, `${row.lost} dropped`),
  row.phase && h("span", { class: "badge plain" }, visible(row.phase)),
];

const LOW = Math.min(0, ...rows.slice(0, 5000).map((row) => row.lowest ?? 0));
const HIGH = rows.reduce((high, row) => Math.max(high, row.best ?? 0), 1);
const strip = (rewards) => {
  const known = rewards.filter((reward) => reward != null);
  const label = known.length
    ? `rewards ${known.map((reward) => short(reward)).join(", ")}`
    : "no rewards";
  const picture = svg(
    "svg",
    {
      viewBox: "0 0 120 16",
      preserveAspectRatio: "xMinYMid",
      class: "dots",
      role: "img",
      "aria-label": label,
    },
    svg("line", { x1: 4, x2: 116, y1: 8, y2: 8, class: "grid" }),
  );
  const x = (reward) => 4 + (112 * (reward - LOW)) / (HIGH - LOW || 1);
  for (const reward of known)
    picture.append(svg("circle", { cx: x(reward), cy: 8, r: 4, class: "dot" }));
  return picture;
};

const opened = (row) => address({ ...state(), open: row.number });
const field = (name, label, control) => {
  control.id = `filter-${name}`;
  return h("div", { class: `field ${name}` }, h("label", { for: control.id }, label), control);
};
const set = (name) => (event) =>
  go({ ...without(state(), "page", "open"), [name]: event.target.value.trim() });
const entry = (name, label, hint) =>
  field(
    name,
    label,
    h("input", { name, type: "search", placeholder: hint, change: set(name), autocomplete: "off" }),
  );
const choice = (name, label, options) =>
  field(
    name,
    label,
    h(
      "select",
      { name, change: set(name) },
      options.map(([value, text]) => h("option", { value }, visible(text))),
    ),
  );

const MOST_CHOICES = 300;
const values = (read) =>
  [...new Set(rows.flatMap(read))].filter(Boolean).sort().slice(0, MOST_CHOICES);
const alternatives = (name, label, read, any = []) => {
  const found = values(read);
  return found.length
    ? choice(name, label, [["", "all"], ...any, ...found.map((value) => [value, value])])
    : null;
};
const filters = () => [
  entry("text", about.starts.length ? "Search ids and prompts" : "Search all texts", "words"),
  entry("reward", "Reward", "0.2..0.4"),
  entry("spread", "Spread", "0.3.."),
  has((row) => row.step != null) && entry("step", "Step", "10..20"),
  alternatives("phase", "Phase", (row) => row.phase),
  alternatives("subset", "Subset", (row) => row.subset),
  alternatives("outcome", "Outcome", (row) => row.outcome),
  alternatives("unscored", "Unscored", (row) => row.unscored, [["*", "any reason"]]),
  alternatives("dropped", "Dropped samples", (row) => Object.keys(row.dropped), [
    ["*", "any reason"],
  ]),
  choice(
    "sort",
    "Sort by",
    Object.entries(SORTS)
      .filter(([name]) => !name.endsWith("step") || has((row) => row.step != null))
      .map(([name, text]) => [name === "number" ? "" : name, text]),
  ),
];

const chips = (given) =>
  Object.entries(given)
    .filter(([name, text]) => text && Object.hasOwn(FILTERS, name))
    .map(([name, text]) =>
      h(
        "a",
        {
          class: "chip",
          href: address(without(given, name, "page", "open")),
          "aria-label": `remove the filter ${TOLD[name]} ${text}`,
        },
        visible(`${TOLD[name]} ${text === "*" ? "any" : text}`),
        " ×",
      ),
    );

const header = (given) =>
  h(
    "tr",
    {},
    COLUMNS.map((column) => {
      if (!column.sort) return h("th", { scope: "col" }, column.head);
      const by = given.sort ?? "number";
      const active = by.replace(/^-/, "") === column.sort.replace(/^-/, "");
      const turned = by.startsWith("-") ? by.slice(1) : `-${by}`;
      const next = active && column.sort !== "number" ? turned : column.sort;
      const order = by.startsWith("-") ? "descending" : "ascending";
      return h(
        "th",
        { scope: "col", "aria-sort": active ? order : "none" },
        h(
          "a",
          { href: address({ ...without(given, "page", "open"), sort: next }) },
          column.head,
          active && (order === "descending" ? " ▾" : " ▴"),
        ),
      );
    }),
  );

const line = (row) =>
  h(
    "tr",
    {
      click: (event) => {
        if (!event.target.closest("a")) go({ ...state(), open: row.number });
      },
    },
    COLUMNS.map((column) =>
      h(
        "td",
        {
          "data-head": column.head,
          class: [column.number && "number", column.class].filter(Boolean).join(" ") || null,
        },
        column.cell(row),
      ),
    ),
  );

const pager = (given, page, last) => {
  const link = (number, text, shown) =>
    shown && h("a", { href: address({ ...without(given, "open"), page: number }) }, text);
  return [
    link(1, "« first", page > 2),
    link(page - 1, "‹ previous", page > 1),
    h("span", {}, `page ${page} of ${last.toLocaleString("en")}`),
    link(page + 1, "next ›", page < last),
    link(last, "last »", page < last - 1),
  ];
};

const $ = (id) => document.getElementById(id);
let listed = [];
const draw = (given) => {
  listed = chosen(given);
  const last = Math.max(1, Math.ceil(listed.length / A_PAGE));
  const page = Math.min(last, Math.max(1, Number.parseInt(given.page, 10) || 1));
  const taken = listed.slice((page - 1) * A_PAGE, page * A_PAGE);
  $("shown").replaceChildren(
    `${counted(listed.length, "verdict", "verdicts")} of ${rows.length.toLocaleString("en")}`,
    ...chips(given),
  );
  $("list").replaceChildren(
    taken.length
      ? h(
          "table",
          { class: "verdicts" },
          h("thead", {}, header(given)),
          h("tbody", {}, taken.map(line)),
        )
      : h(
          "p",
          { class: "alert" },
          rows.length ? "No verdict passes these filters." : "There are no verdicts.",
        ),
  );
  $("pages").replaceChildren(...(last > 1 ? pager(given, page, last).filter(Boolean) : []));
  for (const control of $("filters").elements) control.value = given[control.name] ?? "";
};
