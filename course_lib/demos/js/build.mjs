// Bundles the demos into ../static. A page loads the kit once and the views that stand on it:
// sbs.js and sbs.css (kit), sbs-VIEW.js and sbs-VIEW.css, in this order; JupyterLab loads
// widget-VIEW.js, which holds both. A view is views/VIEW.js and views/VIEW.css; its export has its
// name. Run by `make book` and `make test`; the bundles are not committed.
import { build } from "esbuild";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

// What nearly every view uses. Other shared files stand in the bundle of each view that wants them.
const KIT = ["core/state.js", "ui/choice.js", "ui/dom.js", "ui/exact.js", "ui/handle.js"];

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "..", "static");
const views = readdirSync(join(here, "views")).filter((file) => file.endsWith(".js")).map((file) => file.slice(0, -3));
const { $defs } = JSON.parse(readFileSync(join(here, "../schema.json"), "utf8"));

// The rules of one view's states, and those that they refer to. A page never changes what is fixed
// in a state and was checked by Python, and state.js takes every property as required and refuses
// all others: none of that is sent.
function rulesOf(view) {
  const found = {};
  const take = (name) => {
    if (found[name]) return;
    const rule = structuredClone($defs[name]);
    if (name === view) for (const key of ["v", "view", "name", "fixed"]) rule.properties[key] = {};
    found[name] = rule;
    JSON.stringify(rule, (key, value) => {
      if (key === "$ref") take(value.slice(8));
      return value;
    });
  };
  take(view);
  return JSON.stringify(found, (key, v) => (/^(required|additionalProperties)$/.test(key) ? undefined : v));
}

// schema.json is empty in every bundle; each view brings its rules.
const schema = {
  name: "schema",
  setup: (build) => build.onLoad({ filter: /schema\.json$/ }, () => ({ contents: '{"$defs":{}}', loader: "json" })),
};
// In a view's bundle, what the kit has is read from the kit.
const names = Object.fromEntries(await Promise.all(KIT.map(async (file) => [join(here, file), Object.keys(await import(join(here, file)))])));
const fromKit = {
  name: "kit",
  setup(build) {
    build.onLoad({ filter: /\.js$/ }, ({ path }) => names[path] && {
      contents: names[path].map((name) => `export const ${name} = sbs.${name};`).join(""),
    });
  },
};
const bundle = async (source, { plugins = [], loader = "js", ...options }) => {
  const { outputFiles } = await build({
    plugins: [...plugins, schema], stdin: { contents: source, resolveDir: here, loader }, bundle: true, write: false,
    minifySyntax: true, target: "es2022", charset: "utf8", legalComments: "none", logLevel: "warning", ...options,
  });
  return outputFiles[0].text;
};
// terser after esbuild: its names and its last passes save 5 % of the bytes on the wire.
const squeeze = async (code, module) =>
  (await minify(code, { ecma: 2020, module, compress: { passes: 5, ecma: 2020, pure_getters: true, unsafe_arrows: true, unsafe_methods: true, keep_fargs: false }, format: { ecma: 2020 } })).code;
const style = (file) => bundle(`@import "./${file}";`, { loader: "css", minify: true }); // a view's may import ui/*.css

mkdirSync(out, { recursive: true });
const written = new Set();
const write = (name, text) => {
  writeFileSync(join(out, name), text);
  written.add(name);
};

const imports = KIT.map((file) => `import { ${names[join(here, file)]} } from "./${file}";`).join("\n");
const kit = await bundle(`import { add, get, mount } from "./page.js";\n${imports}\nglobalThis.sbs = { add, get, mount, ${Object.values(names).flat()} };`, { format: "iife" });
const kitStyle = await style("sbs.css");
write("sbs.js", await squeeze(kit, false));
write("sbs.css", kitStyle);
for (const view of views) {
  const source = `import { ${view} } from "./views/${view}.js";\n`;
  const page = await bundle(`${source}sbs.add("${view}", ${view}, ${rulesOf(view)});`, { plugins: [fromKit], format: "iife" });
  const widget = await bundle(`${source}import { widget } from "./widget.js";\nexport default widget(${view}, ${rulesOf(view)});`, { format: "esm" });
  const viewStyle = await style(`views/${view}.css`);
  write(`sbs-${view}.js`, await squeeze(page, false));
  write(`sbs-${view}.css`, viewStyle);
  write(`widget-${view}.js`, await squeeze(widget, true));
  write(`widget-${view}.css`, kitStyle + viewStyle);
}
for (const file of readdirSync(out)) if (!written.has(file)) rmSync(join(out, file)); // of views that are gone
