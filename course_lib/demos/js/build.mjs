// Bundles the demos into ../static: sbs.js (pages), widget.js (anywidget), sbs.css.
// Run by `make book` and `make test`; the bundles are not committed.
import { build } from "esbuild";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static");
mkdirSync(out, { recursive: true });
// A page never changes what is fixed in a state and was checked by Python: those rules stay here.
const schema = {
  name: "schema",
  setup(build) {
    build.onLoad({ filter: /schema\.json$/ }, ({ path }) => {
      const { $defs } = JSON.parse(readFileSync(path, "utf8"));
      for (const unused of ["name", "label", "labels", "text", "goals", "question"]) delete $defs[unused];
      for (const { properties } of Object.values($defs)) {
        if (properties) for (const key of ["v", "view", "name", "fixed"]) properties[key] = {};
      }
      // state.js takes every property as required and refuses all others.
      const text = JSON.stringify({ $defs }, (key, v) => (/^(required|additionalProperties)$/.test(key) ? undefined : v));
      return { contents: text, loader: "json" };
    });
  },
};
const bundle = async (entry, options) => {
  const { outputFiles } = await build({
    plugins: [schema], bundle: true, write: false, minifySyntax: true, target: "es2022", charset: "utf8",
    legalComments: "none", logLevel: "warning", entryPoints: [join(here, entry)], ...options,
  });
  return outputFiles[0].text;
};
// terser after esbuild: its names and its last passes save 5 % of the bytes on the wire.
const squeeze = async (code, module) =>
  (await minify(code, { ecma: 2020, module, compress: { passes: 5, ecma: 2020, pure_getters: true, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false }, format: { ecma: 2020 } })).code;

const page = await bundle("page.js", { format: "iife", globalName: "sbs" });
const widget = await bundle("widget.js", { format: "esm" });
writeFileSync(join(out, "sbs.js"), await squeeze(page, false));
writeFileSync(join(out, "widget.js"), await squeeze(widget, true));
writeFileSync(join(out, "sbs.css"), await bundle("sbs.css", { minify: true }));
