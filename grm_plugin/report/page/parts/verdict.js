// One verdict: its parts, and the dialog that it stands in.
const END = 600;
const dropped = (sample) =>
  h(
    "li",
    {},
    h(
      "p",
      {},
      h("span", { class: "badge bad" }, sample.reason),
      ` sample ${sample.name}: `,
      visible(sample.detail),
    ),
    sample.text && [
      h("p", { class: "muted" }, "How its text ends:"),
      prose(sample.text.length > END ? `… ${sample.text.slice(-END)}` : sample.text),
    ],
  );
const failures = (found) => {
  const lost = found.samples.filter((sample) => sample.reason);
  return (
    lost.length > 0 &&
    h("section", {}, h("h3", {}, "Dropped samples"), h("ul", { class: "said" }, lost.map(dropped)))
  );
};
const whole = (sample) =>
  disclosed(
    `Sample ${sample.name}, ${vote(sample)}`,
    h(
      "p",
      { class: "muted" },
      sample.order.map((n, at) => `its Response ${at + 1} is ${place(n)}`).join(", "),
    ),
    sample.said.map((text, round) => [h("h4", {}, `Round ${round + 1}`), prose(text)]),
    prose(sample.text),
  );
const texts = (found) =>
  h(
    "section",
    {},
    h("h3", {}, "Whole texts of the judge"),
    byNumber(found.samples)
      .filter((sample) => sample.text)
      .map(whole),
  );
const listing = (title, pairs) =>
  pairs.length > 0 &&
  disclosed(
    title,
    h(
      "dl",
      { class: "pairs" },
      pairs.map(([name, value]) => [
        h("dt", {}, visible(name)),
        h("dd", { dir: "auto" }, visible(value)),
      ]),
    ),
  );

const shownVerdict = (found, row) => [
  found.unscored && h("p", { class: "alert" }, "No rewards: ", visible(found.unscored)),
  found.scalar && h("p", {}, found.scalar),
  prompt(found),
  h(
    "section",
    {},
    found.responses.map((_, n) => response(found, n)),
  ),
  (found.samples.length > 0 || !found.scalar) && votes(found),
  failures(found),
  principles(found),
  (found.samples.length > 0 || !found.scalar) && texts(found),
  h(
    "section",
    {},
    h("h3", {}, "Cost and origin"),
    h("p", {}, found.cost),
    listing("Settings", found.origin),
    listing("Metadata", found.metadata),
  ),
];

const bar = (given, row) => {
  const at = listed.findIndex((one) => one.number === row.number);
  const step = (to, text, label) =>
    h(
      "a",
      {
        class: "button",
        "aria-label": label,
        "aria-disabled": !listed[to] && "true",
        href: listed[to] ? address({ ...given, open: listed[to].number }) : null,
      },
      text,
    );
  return h(
    "header",
    {},
    h("h2", { id: "verdict-title", tabindex: "-1" }, visible(row.id)),
    h(
      "p",
      { class: "about" },
      badges(row),
      row.step != null && h("span", { class: "badge plain" }, `step ${row.step}`),
      row.subset && h("span", { class: "badge plain" }, visible(row.subset)),
    ),
    h(
      "nav",
      { "aria-label": "Verdicts" },
      step(at - 1, "‹", "previous verdict"),
      h(
        "span",
        { class: "muted" },
        at < 0 ? "" : `${at + 1} of ${listed.length.toLocaleString("en")}`,
      ),
      step(at + 1, "›", "next verdict"),
      h(
        "a",
        {
          class: "button",
          href:
            address(without(given, "open")) === "#" ? "#verdicts" : address(without(given, "open")),
        },
        "Close",
      ),
    ),
  );
};

const open = async (given) => {
  const box = $("verdict");
  const row = rows[Number(given.open)];
  if (given.open == null || !row) {
    if (box.open) box.close();
    return;
  }
  box.replaceChildren(
    bar(given, row),
    h("div", { class: "body" }, h("p", { class: "muted" }, "Loading …")),
  );
  if (!box.open) box.showModal();
  const body = box.querySelector(".body");
  try {
    body.replaceChildren(
      ...shownVerdict(await detailsOf(row), row)
        .flat()
        .filter(Boolean),
    );
  } catch (error) {
    body.replaceChildren(h("p", { class: "alert" }, error.message));
  }
  box.scrollTop = 0;
  $("verdict-title")?.focus();
};
