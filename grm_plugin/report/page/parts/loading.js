// Details that are not in the page: scripts are all that a page opened from disk may load.
const files = new Map();
const KEPT_FILES = 4;
const fileOf = (number) => about.starts.findLastIndex((start) => start <= number);

// The files beside the page call this.
window.grmDetails = (number, list) => files.get(number)?.resolve(list);

const deferred = () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const load = (file) => {
  const number = file + 1;
  if (!files.has(number)) {
    const waiting = deferred();
    const name = `${about.folder}/${about.start}${String(number).padStart(4, "0")}.js`;
    const script = h("script", {
      src: name.split("/").map(encodeURIComponent).join("/"),
      load: () => script.remove(),
      error: () => {
        files.delete(number);
        waiting.reject(
          new Error(
            `${name} can not be read: keep the folder ${about.folder} beside this page, and load ` +
              "the page again if it was written again since",
          ),
        );
      },
    });
    files.set(number, waiting);
    if (files.size > KEPT_FILES) files.delete(files.keys().next().value);
    document.head.append(script);
  }
  return files.get(number).promise;
};
const detailsOf = async ({ number, id }) => {
  if (!about.starts.length) return inline[number];
  const file = fileOf(number);
  const found = (await load(file))[number - about.starts[file]];
  if (found?.id === id) return found;
  throw new Error(`the folder ${about.folder} holds other details than those of this verdict`);
};
