/** A headless Chromium that opens the admin page: the peer that nobody of this project has written. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const places: readonly string[] = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/**
 * Why there is no browser, to be given to `skip`: with `SLUICE_REQUIRE_PEERS=1` nothing is skipped, and a missing peer
 * makes the test fail.
 */
export function browserMissing(): string | false {
  if (process.env["SLUICE_REQUIRE_PEERS"] === "1" || found() !== undefined) return false;
  return "no Chromium here; on Debian: apt-get install chromium";
}

function found(): string | undefined {
  return places.find((path) => existsSync(path));
}

/** What a page did besides what it shows. */
export interface Watched {
  readonly page: Page;
  /** What it wrote to the console as error or warning, and errors that nobody caught. */
  readonly complaints: string[];
  /** The origins that it asked for anything. */
  readonly origins: Set<string>;
}

export interface BrowserOptions {
  /** Default: 1200 × 900. */
  readonly width?: number;
  readonly dark?: boolean;
}

/** Starts a browser with a profile of its own; it is ended with the test. */
export async function startBrowser(t: TestContext, options: BrowserOptions = {}): Promise<BrowserContext> {
  const executablePath = found();
  if (executablePath === undefined) throw new Error("SLUICE_REQUIRE_PEERS=1, but there is no Chromium");
  const profile = mkdtempSync(join(tmpdir(), "sluice-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: options.width ?? 1200, height: 900 },
    colorScheme: options.dark === true ? "dark" : "light",
    acceptDownloads: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return context;
}

/** Opens a page and watches what it does. */
export async function openPage(context: BrowserContext, url: string): Promise<Watched> {
  const page = await context.newPage();
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.goto(url);
  return { page, complaints, origins };
}
