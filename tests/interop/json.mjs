// JSON as the protocol reads it: no member twice, no number but a whole one that is written as one.

const NUMBER = /^-?(0|[1-9][0-9]*)$/;
const TOKEN = /[ \t\r\n]*("(?:[^"\\\u0000-\u001f]|\\.)*"|[{}[\],:]|[^ \t\r\n{}[\],:"]+)/y;

export class Malformed extends Error {}

export function parse(text) {
  const tokens = tokensOf(text);
  const value = read(tokens, 0);
  if (tokens.length) throw new Malformed("more after the end");
  return value;
}

function tokensOf(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text);
    if (match === null) throw new Malformed("no token");
    found.push(match[1]);
  }
  return found.reverse();
}

function read(tokens, depth) {
  if (depth > 16) throw new Malformed("too deep");
  const token = tokens.pop();
  if (token === "{") return members(tokens, depth);
  if (token === "[") return items(tokens, depth);
  if (token === undefined || "}],:".includes(token)) throw new Malformed("no value");
  return scalar(token);
}

function scalar(token) {
  if (["true", "false", "null"].includes(token) || token.startsWith('"')) return JSON.parse(token);
  if (!NUMBER.test(token) || !Number.isSafeInteger(Number(token))) throw new Malformed("no whole number");
  return Number(token);
}

function members(tokens, depth) {
  const value = Object.create(null);
  for (let first = true; ; first = false) {
    let token = tokens.pop();
    if (token === "}" && first) return value;
    if (!token?.startsWith('"') || tokens.pop() !== ":") throw new Malformed("no member");
    const name = JSON.parse(token);
    if (name in value) throw new Malformed("a member twice");
    value[name] = read(tokens, depth + 1);
    token = tokens.pop();
    if (token === "}") return value;
    if (token !== ",") throw new Malformed("no end");
  }
}

function items(tokens, depth) {
  const value = [];
  if (tokens.at(-1) === "]") return tokens.pop() && value;
  for (;;) {
    value.push(read(tokens, depth + 1));
    const token = tokens.pop();
    if (token === "]") return value;
    if (token !== ",") throw new Malformed("no end");
  }
}
