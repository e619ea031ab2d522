/** Files to go with a message: by button, paste or drop. */

import { formatSize } from "./embeds.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";

const MOST = 10;

/** Wire the button, paste and drop; answers `{files(), clear()}`. */
export function attachFiles({ form, field, tray, button }) {
  let files = [];
  const draw = () => {
    tray.hidden = files.length === 0;
    fill(
      tray,
      files.map((file) =>
        h(
          "li",
          {},
          icon("file"),
          h("span", { class: "attachment-name" }, file.name),
          h("span", { class: "attachment-size" }, formatSize(file.size)),
          h(
            "button",
            {
              type: "button",
              class: "icon-button",
              "aria-label": `Remove ${file.name}`,
              onclick: () => {
                set(files.filter((other) => other !== file));
                field.focus();
              },
            },
            icon("close"),
          ),
        ),
      ),
    );
  };
  const set = (next) => {
    if (next.length > MOST) toast(`A message takes at most ${MOST} files.`);
    files = next.slice(0, MOST);
    draw();
  };
  const add = (list) => {
    set([...files, ...list]);
    field.focus();
  };
  const input = h("input", {
    type: "file",
    multiple: true,
    hidden: true,
    tabindex: "-1",
    "aria-label": "Files to attach",
  });
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  form.append(input);
  button.addEventListener("click", () => input.click());
  field.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    add([...event.clipboardData.files]);
  });
  acceptDrops(add);
  return { files: () => files, clear: () => set([]) };
}

function acceptDrops(add) {
  const mark = (on) => document.body.classList.toggle("dropping", on);
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    mark(false);
    add([...event.dataTransfer.files]);
  });
}
