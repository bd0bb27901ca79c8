// One response beside what the judge said of it, and the prompt.
const place = (n) => `#${n + 1}`;
const ORDINAL = new Intl.PluralRules("en", { type: "ordinal" });
const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinal = (number) => `${number}${ENDINGS[ORDINAL.select(number)]}`;
const vote = (sample) =>
  sample.reason
    ? `dropped: ${sample.reason}`
    : sample.weight === 0
      ? "not selected to vote"
      : sample.weight === 1
        ? "voted"
        : `voted × ${short(sample.weight)}`;
const disclosed = (title, ...content) => h("details", {}, h("summary", {}, title), ...content);

const turn = ([role, text]) => h("div", { class: "turn" }, h("h4", {}, visible(role)), prose(text));
const prompt = (found) =>
  h(
    "section",
    { class: "prompt" },
    h("h3", {}, "Prompt"),
    found.turns.map(turn),
    found.reference != null && turn(["reference answer", found.reference]),
    found.principles.length > 0 && turn(["principles to use", found.principles.join("\n")]),
  );

const said = (sample, n) => {
  const text = sample.passages?.[n];
  const shown = sample.order.indexOf(n);
  return h(
    "li",
    {},
    h(
      "p",
      { class: "muted" },
      h("b", { class: "score" }, short(sample.scores[n])),
      ` sample ${sample.name}, shown ${ordinal(shown + 1)} of ${sample.order.length}, ${vote(sample)}`,
    ),
    text
      ? prose(text)
      : h(
          "p",
          { class: "muted" },
          sample.passages
            ? "No passage about this response was found in the critique; its whole text is below."
            : "Its whole text is below.",
        ),
  );
};
const response = (found, n) => {
  const one = found.responses[n];
  const judged = found.samples.filter((sample) => sample.scores?.[n] != null);
  const rewards = found.responses.map((other) => other.reward).filter((reward) => reward != null);
  const best = one.reward != null && one.reward === Math.max(...rewards) && rewards.length > 1;
  return h(
    "article",
    { class: "response" },
    h(
      "h3",
      {},
      `Response ${place(n)}`,
      one.reward == null
        ? h(
            "span",
            { class: "badge bad" },
            "unscored",
            one.unscored && [": ", visible(one.unscored)],
          )
        : h("span", { class: "given" }, `reward ${short(one.reward)}`),
      best && h("span", { class: "badge good" }, "highest"),
      one.scalar && h("span", { class: "badge plain" }, one.scalar),
      one.truth && h("span", { class: "badge plain" }, one.truth),
    ),
    h(
      "div",
      { class: "beside" },
      h(
        "div",
        {},
        prose(one.text, "answer"),
        one.evidence && [h("h4", {}, "Evidence"), prose(one.evidence)],
      ),
      h(
        "div",
        {},
        h("h4", {}, "What the judge said of it"),
        judged.length
          ? h(
              "ul",
              { class: "said" },
              judged.slice(0, about.said).map((sample) => said(sample, n)),
            )
          : h(
              "p",
              { class: "muted" },
              found.scalar && !found.samples.length
                ? "The judge was not asked."
                : "No sample scored it.",
            ),
        judged.length > about.said &&
          disclosed(
            counted(judged.length - about.said, "further sample", "further samples"),
            h(
              "ul",
              { class: "said" },
              judged.slice(about.said).map((sample) => said(sample, n)),
            ),
          ),
      ),
    ),
  );
};
