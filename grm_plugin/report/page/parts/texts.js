// Elements from values. Texts of verdicts come in through `textContent` alone, never as markup.
const h = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child != null && child !== false));
  return element;
};

const SVG = "http://www.w3.org/2000/svg";
const svg = (tag, attributes, ...children) => {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

// Characters that are not seen, or turn the text around them: shown by their code.
const HIDDEN =
  /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff])/u;
const code = (character) =>
  "U+" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
const visible = (text) =>
  String(text)
    .replaceAll("\r\n", "\n")
    .split(HIDDEN)
    .map((part, index) =>
      index % 2
        ? h("span", { class: "code", title: "a character that is not seen" }, code(part))
        : part,
    );

const prose = (text, more = "") =>
  h("div", { class: `prose ${more}`, dir: "auto" }, text ? visible(text) : h("em", {}, "(empty)"));
const short = (value, digits = 3) =>
  value == null ? "–" : Number(value.toFixed(digits)).toString();
const fixed = (value, digits = 3) => (value == null ? "–" : value.toFixed(digits));
const counted = (number, one, many) =>
  `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const data = (id) => JSON.parse(document.getElementById(id).textContent);
