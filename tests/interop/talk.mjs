// A program that talks with the test that started it: JSON, one value a line, either way.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** The next value that the test says; null when it has no more to say. */
export async function hear() {
  const { value, done } = await lines.next();
  return done ? null : JSON.parse(value);
}

export const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
