// Drives a client in a real browser: opens a page of another origin than the server's, and hands it each request.
//
// usage: node browser_driver.mjs PAGE, where PAGE is one of the page_*.mjs beside this file.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join, normalize, sep } from "node:path";
import { chromium } from "playwright-core";
import { serve } from "./driver.mjs";

const here = import.meta.dirname;
const page = process.argv[2];
const modules = "/node_modules/";
const web = `${modules}@openfeature/ofrep-web-provider/`;
const imports = {
  flagsmith: `${modules}flagsmith/index.mjs`,
  "@openfeature/core": `${modules}@openfeature/core/dist/esm/index.js`,
  "@openfeature/web-sdk": `${modules}@openfeature/web-sdk/dist/esm/index.js`,
  "@openfeature/ofrep-web-provider": `${web}index.esm.js`,
  "@openfeature/ofrep-core": `${web}node_modules/@openfeature/ofrep-core/index.esm.js`,
};
const html = `<!doctype html>
<link rel="icon" href="data:,">
<script>window.offshoot = ${JSON.stringify(process.env.OFFSHOOT_URL)}</script>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="/${page}"></script>`;

async function answer(request, response) {
  const path = normalize(new URL(request.url, "http://page").pathname);
  if (path === sep) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
    return;
  }
  try {
    response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(join(here, path)));
  } catch {
    response.writeHead(404).end();
  }
}

const files = createServer(answer);
await new Promise((resolve) => files.listen(0, "127.0.0.1", resolve));
const browser = await chromium.launch({ executablePath: process.env.BROWSER, args: ["--no-sandbox"] });
const opened = await browser.newPage();
// What the page says is for whoever reads the log of a test that failed.
opened.on("console", (message) => console.error(message.text()));
opened.on("pageerror", (error) => console.error(error));
// `localhost` is another origin than `127.0.0.1`, whatever the port.
await opened.goto(`http://localhost:${files.address().port}/`);
await opened.waitForFunction(() => window.driver);

// Errors do not keep their names on the way out of a page.
const hand = (method) => (request) =>
  opened.evaluate(([method, request]) => window.told(() => window.driver[method](request)), [method, request]);

/** What a module prints; runs in the page. */
async function printedBy(code) {
  const printed = [];
  const { log } = console;
  console.log = (...values) => printed.push(values.join(" "));
  try {
    await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
  } finally {
    console.log = log;
  }
  return { value: printed.join("\n") };
}

await serve({
  open: hand("open"),
  evaluate: hand("evaluate"),
  wait_for: hand("wait_for"),
  close: hand("close"),
  run: ({ code }) => opened.evaluate(printedBy, code),
  async end() {
    await browser.close();
    files.close();
  },
});
