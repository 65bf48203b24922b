// Formulas in, HTML out: one JSON object a line, until the input ends. Used by mathematics.py.
// The same npm package supplies the style sheet and fonts, so the two cannot differ in version.
import { createInterface } from "node:readline";
import katex from "katex";

function render({ latex, display }) {
  const complaints = [];
  const strict = (code, message) => {
    complaints.push(message);
    return "ignore";
  };
  try {
    const html = katex.renderToString(latex, { displayMode: display, strict });
    return { html, complaints };
  } catch (error) {
    const html = katex.renderToString(latex, { displayMode: display, throwOnError: false });
    return { html, complaints: [error.message] };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(render(JSON.parse(line))) + "\n");
}
