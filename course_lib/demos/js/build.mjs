// Bundles the demos into ../static: sbs.js (pages), widget.js (anywidget), sbs.css.
// Run by `make book` and `make test`; the bundles are not committed.
import { build } from "esbuild";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static");
mkdirSync(out, { recursive: true });
const common = { bundle: true, minify: true, target: "es2022", charset: "utf8", legalComments: "none", logLevel: "warning" };

await build({ ...common, entryPoints: [join(here, "page.js")], outfile: join(out, "sbs.js"), format: "iife", globalName: "sbs" });
await build({ ...common, entryPoints: [join(here, "widget.js")], outfile: join(out, "widget.js"), format: "esm" });
await build({ ...common, entryPoints: [join(here, "sbs.css")], outfile: join(out, "sbs.css") });
