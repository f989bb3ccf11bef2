/** The files of the page at `/`: read when somebody first asks for them, then kept. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** A file as it is served. */
export interface PageFile {
  readonly type: string;
  read(): Buffer;
}

const types = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
} as const;

/** The page's own files, beside this one in source and build alike. */
const own: readonly string[] = [
  "page.css",
  "page.js",
  "stream.js",
  "format.js",
  "charts.js",
  "tables.js",
  "timeline.js",
  "controls.js",
  "report.js",
  "icon.svg",
];

/** Every file by the path under which the admin port serves it. */
export const pageFiles: ReadonlyMap<string, PageFile> = new Map([
  ["/", ownFile("index.html")],
  ...own.map((name): [string, PageFile] => [`/page/${name}`, ownFile(name)]),
  ["/page/uplot.js", packageFile("uplot/dist/uPlot.esm.js")],
  ["/page/uplot.css", packageFile("uplot/dist/uPlot.min.css")],
]);

function ownFile(name: string): PageFile {
  return file(name, () => readFileSync(new URL(`page/${name}`, import.meta.url)));
}

function packageFile(name: string): PageFile {
  return file(name, () => readFileSync(createRequire(import.meta.url).resolve(name)));
}

function file(name: string, load: () => Buffer): PageFile {
  let bytes: Buffer | undefined;
  return {
    type: types[name.slice(name.lastIndexOf(".") + 1) as keyof typeof types],
    read() {
      bytes ??= load();
      return bytes;
    },
  };
}
