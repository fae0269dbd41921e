// Words that a page holds for its module: <span data-word="name">…</span>, in the reader's language.

/** The words of a name. */
export function word(name) {
  return document.querySelector(`[data-word="${name}"]`).textContent;
}
