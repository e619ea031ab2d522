/** Light colouring of code: comments, strings, numbers and keywords of a few languages. */

import { h } from "./dom.js";

const STRING = String.raw`"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?`;
const CALL = String.raw`\b[A-Za-z_]\w*(?=\()`;
const NUMBER = String.raw`\b\d[\w.]*`;

const PYTHON_WORDS =
  "and as assert async await break case class continue def del elif else except False finally for from " +
  "global if import in is lambda match None nonlocal not or pass raise return self True try while with " +
  "yield";
const JS_WORDS =
  "async await break case catch class const continue default delete do else export extends false " +
  "finally for from function if import in instanceof interface let new null of return static super " +
  "switch this throw true try type typeof undefined var void while yield";
const BASH_WORDS =
  "case cd do done echo elif else esac exit export fi for function if in local read return set source " +
  "sudo then unset until while";

// Maps, not objects: a language is named by whoever wrote the message, and may be called "constructor".
const GRAMMARS = new Map(
  Object.entries({
    python: grammar({
      comment: "#.*",
      string: String.raw`"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|${STRING}`,
      words: PYTHON_WORDS,
    }),
    js: grammar({
      comment: String.raw`\/\/.*|\/\*[^]*?(?:\*\/|$)`,
      string: String.raw`${STRING}|\`(?:\\.|[^\`\\])*\`?`,
      words: JS_WORDS,
    }),
    json: grammar({ comment: String.raw`\/\/.*`, string: STRING, words: "true false null" }),
    bash: grammar({ comment: String.raw`(?<![\w$\{])#.*`, string: STRING, words: BASH_WORDS }),
  }),
);

const ALIASES = new Map(
  Object.entries({
    py: "python",
    python3: "python",
    javascript: "js",
    jsx: "js",
    ts: "js",
    typescript: "js",
    tsx: "js",
    jsonc: "json",
    sh: "bash",
    shell: "bash",
    console: "bash",
    zsh: "bash",
  }),
);

function grammar({ comment, string, words }) {
  const keyword = String.raw`\b(?:${words.split(" ").join("|")})\b`;
  return new RegExp(
    `(?<comment>${comment})|(?<string>${string})|(?<number>${NUMBER})|(?<keyword>${keyword})|(?<call>${CALL})`,
    "g",
  );
}

/** The nodes of `code`: plain text for a language not known here. */
export function highlight(code, language) {
  const name = language.toLowerCase();
  const pattern = GRAMMARS.get(ALIASES.get(name) ?? name);
  if (!pattern) return [code];
  const nodes = [];
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    const kind = Object.keys(match.groups).find((group) => match.groups[group] !== undefined);
    nodes.push(code.slice(end, match.index), h("span", { class: `code-${kind}` }, match[0]));
    end = match.index + match[0].length;
  }
  nodes.push(code.slice(end));
  return nodes;
}
