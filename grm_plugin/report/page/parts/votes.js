// The votes of all samples, and the principles they listed.
const cell = (text, more) => h("td", more ?? {}, text);
const scored = (sample, n) => {
  const shown = sample.order.indexOf(n);
  return cell(
    [
      short(sample.scores?.[n]),
      shown >= 0 &&
        h("span", { class: "place", title: `shown ${ordinal(shown + 1)}` }, `@${shown + 1}`),
    ],
    { class: "number" },
  );
};
const byNumber = (samples) =>
  [...samples].sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
const votes = (found) => {
  const rated = found.samples.some((sample) => sample.meta != null);
  const heads = [
    "sample",
    ...found.responses.map((_, n) => place(n)),
    rated && "meta-score",
    "vote",
    "order",
    "tokens",
    "seconds",
    "seed",
  ].filter(Boolean);
  const row = (sample) =>
    h(
      "tr",
      { class: sample.weight ? null : "faint" },
      h("th", { scope: "row" }, sample.name),
      found.responses.map((_, n) => scored(sample, n)),
      rated && cell(short(sample.meta, 2), { class: "number" }),
      cell(vote(sample)),
      cell(sample.order.map(place).join(" ")),
      cell(sample.tokens.join(" + "), { class: "number" }),
      cell(short(sample.seconds, 1), { class: "number" }),
      cell(sample.seed, { class: "number" }),
    );
  return h(
    "section",
    {},
    h("h3", {}, "Votes"),
    h("p", { class: "muted" }, "Scores in points; @2 was shown second. Tokens: read + written."),
    h(
      "div",
      { class: "scrolls", tabindex: "0", role: "group", "aria-label": "Votes" },
      h(
        "table",
        { class: "votes" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            heads.map((head) => h("th", { scope: "col" }, head)),
          ),
        ),
        h("tbody", {}, byNumber(found.samples).map(row)),
      ),
    ),
  );
};

const principles = (found) => {
  const given = byNumber(found.samples).filter((sample) => sample.principles?.length);
  if (!given.length) return null;
  const row = (sample) =>
    sample.principles.map(([text, weight], number) =>
      h(
        "tr",
        {},
        number === 0 && h("th", { scope: "row", rowspan: sample.principles.length }, sample.name),
        cell(weight ?? "–", { class: "number" }),
        cell(visible(text), { dir: "auto" }),
      ),
    );
  return disclosed(
    `Principles of ${counted(given.length, "sample", "samples")}`,
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ["sample", "weight", "principle"].map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h("tbody", {}, given.flatMap(row)),
    ),
  );
};
