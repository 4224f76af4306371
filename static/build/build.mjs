// Writes static/vendor/: the libraries, their licences, and README.md with versions and checksums.
import { createHash } from "node:crypto";
import { copyFileSync, readFileSync, rmSync, mkdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const VENDOR = new URL("../vendor/", import.meta.url);
const MODULES = new URL("./node_modules/", import.meta.url);

const LIBRARIES = [
  { name: "weui", file: "weui.min.css", source: "weui/dist/style/weui.min.css", licences: ["weui/LICENSE.txt"], used: "member pages" },
  { name: "htmx.org", file: "htmx.min.js", source: "htmx.org/dist/htmx.min.js", licences: ["htmx.org/LICENSE"], used: "member pages" },
  { name: "echarts", file: "echarts.min.js", source: null, licences: ["echarts/NOTICE", "echarts/LICENSE", "zrender/LICENSE"],
    used: "charts (custom build: `build/echarts.js`)" },
];

rmSync(VENDOR, { recursive: true, force: true });
mkdirSync(new URL("licences/", VENDOR), { recursive: true });

await build({
  entryPoints: [new URL("./echarts.js", import.meta.url).pathname],
  outfile: new URL("echarts.min.js", VENDOR).pathname,
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "echarts",
  target: "es2019",
  legalComments: "none", // the licences stand beside, whole
});

const rows = LIBRARIES.map((library) => {
  const { version, license } = JSON.parse(readFileSync(new URL(`${library.name}/package.json`, MODULES)));
  if (library.source) copyFileSync(new URL(library.source, MODULES), new URL(library.file, VENDOR));
  const licences = library.licences.map((path) => readFileSync(new URL(path, MODULES), "utf8"));
  writeFileSync(new URL(`licences/${library.name}.txt`, VENDOR), licences.join("\n\n"));
  const bytes = readFileSync(new URL(library.file, VENDOR));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const kilobytes = Math.round(gzipSync(bytes).length / 1024);
  return `| \`${library.file}\` | ${library.name} ${version} | ${license} | ${library.used} | ${kilobytes} KB | \`${sha256}\` |`;
});

writeFileSync(new URL("README.md", VENDOR), `# Vendored libraries

Served as they are: no CDN, no Node at run time. Licences stand whole in \`licences/\`.
This folder is written by \`static/build/\`; to change a version edit its package.json, then

    cd static/build && npm install --no-package-lock && npm run build && rm -r node_modules

| file | library | licence | used for | gzipped | sha256 |
|---|---|---|---|---|---|
${rows.join("\n")}
`);
