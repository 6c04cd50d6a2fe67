// The HTML page in a real browser: clicks, keys, search, deep links, phones, and ten thousand parameters.
//
//     npm ci                                             # once, in tests/
//     PAGES=FOLDER node --test page.test.mjs             # of the pages that html_pages has written there
//
// CHROMIUM is the browser's path, if it is none of the usual ones. With SHOTS=FOLDER it leaves screenshots to look at.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const pages = process.env.PAGES ?? ".";
const executablePath =
  process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
after(() => browser.close());

const wide = { width: 1280, height: 900 },
  phone = { width: 360, height: 780 };

// Opens a page that may neither fail nor load anything.
async function open(name, { fragment = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: wide, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") page.problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith("file:")) page.problems.push(request.url());
  });
  page.on("dialog", (dialog) => page.problems.push(dialog.message()));
  await page.goto(pathToFileURL(`${pages}/${name}.html`) + fragment);
  return page;
}

async function close(page) {
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

const selected = (page) => page.locator(".parameters tr[aria-current] th a").textContent();
const names = (page) => page.locator(".parameters tbody th a").allTextContents();
const setup = (page) => page.locator("details.setup.current > summary").textContent();

test("the verdict comes first, and the requested setup is shown", async () => {
  const page = await open("resnet50");
  const lead = page.locator(".lead");
  assert.match(await lead.textContent(), /Error: marked-ready-twice/);
  assert.ok((await lead.boundingBox()).y < 120);
  assert.match(await setup(page), /find_unused_parameters=True.*this setup/);
  assert.equal(await page.locator("details.setup:visible").count(), 1);
  assert.equal(await page.getByText("DDP's message", { exact: true }).evaluate((summary) => summary.parentElement.open), false);
  await close(page);
});

test("a click on a setup shows its verdict, picture and parameters", async () => {
  const page = await open("resnet50");
  await page.locator(".setups tbody tr").nth(1).locator("a").nth(1).click();
  assert.match(await setup(page), /non-reentrant/);
  assert.match(await page.locator("details.setup.current").textContent(), /Nothing is wrong/);
  assert.ok(await page.locator("details.setup.current svg").isVisible());
  assert.equal(await page.locator(".parameters td.error").count(), 0);
  assert.match(page.url(), /#setup=non_reentrant,find_unused_parameters$/);
  await page.goBack();
  assert.match(await setup(page), /this setup/);
  assert.equal(await page.locator(".parameters td.error").count(), 156);
  await close(page);
});

test("setups of which only the verdict is known show that", async () => {
  const page = await open("verdicts", { fragment: "#setup=off,static_graph" });
  assert.match(await setup(page), /static_graph=True/);
  assert.match(await page.locator("details.setup.current").textContent(), /pass/);
  assert.equal(await page.locator("details.setup.current figure").count(), 0);
  await close(page);
});

test("setups can be chosen with the keyboard", async () => {
  const page = await open("resnet50");
  await page.locator(".setups a").last().focus();
  await page.keyboard.press("Enter");
  assert.match(await setup(page), /static_graph=True.*checkpointing off/s);
  assert.equal(await page.locator(".setups a[aria-current]").count(), 1);
  await close(page);
});

test("a search finds names, indices and outcomes", async () => {
  const page = await open("resnet50");
  const search = page.getByLabel("Search parameters");
  await search.fill("Layer4 bn3");
  assert.deepEqual(
    await names(page),
    [0, 1, 2].flatMap((block) => ["weight", "bias"].map((part) => `layer4.${block}.bn3.${part}`)),
  );
  await search.fill("#157");
  assert.deepEqual(await names(page), ["layer4.2.bn3.weight"]);
  await search.fill("named");
  assert.deepEqual(await names(page), ["layer4.2.bn3.weight"]);
  await search.fill("nothing like it");
  assert.deepEqual(await names(page), []);
  await search.fill("");
  await page.getByLabel("Which parameters").selectOption("affected");
  assert.equal(await page.locator(".search output").textContent(), "156 of 161");
  await close(page);
});

test("columns sort both ways, numbers as numbers", async () => {
  const page = await open("resnet50");
  const name = page.getByRole("button", { name: "name" });
  await name.click();
  assert.equal((await names(page))[0], "bn1.bias");
  assert.equal(await page.locator("th[aria-sort]").getAttribute("aria-sort"), "ascending");
  await name.click();
  assert.equal(await page.locator("th[aria-sort]").getAttribute("aria-sort"), "descending");
  assert.equal((await names(page)).at(-1), "bn1.bias");
  const marks = page.getByRole("button", { name: "find_unused" });
  await marks.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  assert.equal((await names(page))[0], "layer1.0.conv1.weight");
  await close(page);
});

test("a row is framed in the picture, and what is clicked there is a row", async () => {
  const page = await open("resnet50");
  const frames = page.locator("details.setup.current svg .page-focus");
  await page.locator("[id='layer4.2.bn3.weight']").click();
  assert.equal(await selected(page), "layer4.2.bn3.weight");
  assert.ok((await frames.count()) > 0);
  await page.getByRole("button", { name: "show in picture" }).click();
  const frame = await frames.first().boundingBox(),
    canvas = await page.locator(".current .canvas").boundingBox();
  assert.ok(frame.y >= canvas.y && frame.y + frame.height <= canvas.y + canvas.height && canvas.y >= 0);
  assert.ok(
    await page
      .getByRole("button", { name: "show in picture" })
      .evaluate((button) => getComputedStyle(button).borderStyle === "solid"),
  );
  await page.locator("[id='fc.bias']").click();
  await page.locator("details.setup.current svg [data-parameter='157']").first().click();
  assert.equal(await selected(page), "layer4.2.bn3.weight");
  assert.match(page.url(), /#layer4\.2\.bn3\.weight$/);
  await page.locator("[id='layer3.2.bn1.bias']").click();
  assert.equal(await frames.count(), 1, "a parameter without a box of its own is in a fold");
  await close(page);
});

test("a region in the picture leads to the line that calls checkpoint", async () => {
  const page = await open("resnet50");
  await page.locator("details.setup.current svg [data-region='15']").getByText("layer4.2", { exact: true }).click();
  assert.match(page.url(), /#region=15$/);
  assert.match(await page.locator("tr:target").textContent(), /layer4\.2.*resnet\.py:88/);
  await close(page);
});

test("the picture zooms by buttons, keys and wheel, and drags", async () => {
  const page = await open("resnet50");
  const canvas = page.locator(".current .canvas"),
    svg = page.locator(".current svg");
  const width = async () => (await svg.boundingBox()).width;
  const start = await width();
  await canvas.scrollIntoViewIfNeeded();
  await canvas.hover();
  await page.mouse.wheel(0, -200);
  await page.waitForTimeout(100);
  assert.equal(await width(), start, "the wheel is the page's until the picture has the focus");
  await canvas.focus();
  await page.mouse.wheel(0, -200);
  await page.waitForFunction(
    (least) => document.querySelector(".current .canvas").shadowRoot.querySelector("svg").getBoundingClientRect().width > least,
    start,
  );
  await page.keyboard.press("0");
  assert.equal(await width(), start);
  await page.keyboard.press("+");
  await page.getByRole("button", { name: "Zoom in" }).click();
  assert.ok((await width()) > 1.5 * start);
  const drawn = await svg.boundingBox(),
    box = await canvas.boundingBox();
  await page.mouse.move(box.x + 200, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x + 150, box.y + 120, { steps: 4 });
  await page.mouse.up();
  assert.ok((await svg.boundingBox()).y < drawn.y);
  await page.getByRole("button", { name: "Show the whole picture" }).click();
  assert.ok((await svg.boundingBox()).height <= box.height + 1);
  await close(page);
});

test("two fingers zoom", async () => {
  const page = await open("resnet50", { viewport: phone, hasTouch: true, isMobile: true });
  const canvas = page.locator(".current .canvas"),
    svg = page.locator(".current svg");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox(),
    start = (await svg.boundingBox()).width;
  const session = await page.context().newCDPSession(page);
  const touch = (type, ...xs) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: xs.map((x, id) => ({ x, y: box.y + 100, id })) });
  await touch("touchStart", box.x + 120, box.x + 180);
  for (let by = 10; by <= 60; by += 10) await touch("touchMove", box.x + 120 - by, box.x + 180 + by);
  await touch("touchEnd");
  assert.ok((await svg.boundingBox()).width > 1.5 * start);
  await close(page);
});

test("deep links lead to parameters and setups, by name and by index", async () => {
  for (const fragment of ["#layer4.2.bn3.weight", "#157"]) {
    const page = await open("resnet50", { fragment });
    assert.equal(await selected(page), "layer4.2.bn3.weight");
    await page.waitForFunction(() => {
      const { top, bottom } = document.querySelector("tr[aria-current]").getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    });
    await close(page);
  }
  const page = await open("resnet50", { fragment: "#setup=off" });
  assert.match(await setup(page), /checkpointing off/);
  await close(page);
});

test("arrow keys go from row to row", async () => {
  const page = await open("resnet50", { fragment: "#fc.weight" });
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await selected(page), "fc.bias");
  assert.equal(await page.locator(".parameters th a[tabindex='0']").count(), 1, "Tab stops at one row");
  await close(page);
});

test("several files: a link to each, and deep links into each", async () => {
  const page = await open("several");
  assert.equal(await page.locator(".files tbody tr").count(), 4);
  await page.locator(".files a").nth(2).click();
  assert.match(page.url(), /#3\/file=$/);
  await page.goto(page.url().replace(/#.*/, "#4/layer4.2.bn3.weight"));
  assert.equal(await selected(page), "layer4.2.bn3.weight");
  await close(page);
});

test("without a script everything is there, and links lead to it", async () => {
  const page = await open("resnet50", { javaScriptEnabled: false, fragment: "#layer4.2.bn3.weight" });
  assert.equal(await page.locator(".parameters tbody tr:visible").count(), 161);
  assert.equal(await page.locator("details.setup:visible").count(), 9);
  assert.ok(await page.locator("details.setup[open] svg").isVisible());
  assert.ok((await page.locator("[id='layer4.2.bn3.weight']").boundingBox()).y < 900);
  await close(page);
});

test("nothing is wider than a phone but what scrolls by itself", async () => {
  for (const name of ["resnet50", "several", "hostile", "silent"])
    for (const javaScriptEnabled of [true, false]) {
      const page = await open(name, { viewport: phone, javaScriptEnabled });
      const right = await page.locator("main").evaluate((main) => main.scrollWidth);
      assert.ok(right <= phone.width, `${name}: ${right}`);
      await close(page);
    }
});

test("hostile names are text", async () => {
  const page = await open("hostile");
  assert.ok((await names(page)).every((name) => name === "</script><img src=x onerror=alert(1)>'\"&amp;"));
  assert.equal(await page.locator("img").count(), 0);
  await close(page);
});

// The ratio of luminances that WCAG 2 asks to be 4.5 for text (AA).
function contrast(one, other) {
  const luminance = (colour) => {
    const [r, g, b] = colour
      .match(/[\d.]+/g)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

test("text has contrast on what is behind it, in light and in dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await open("resnet50", { colorScheme, fragment: "#layer4.2.bn3.weight" });
    const found = await page.evaluate(() => {
      const behind = (element) => {
        for (; element; element = element.parentElement) {
          const colour = getComputedStyle(element).backgroundColor;
          if (!/, 0\)$/.test(colour) && colour !== "transparent") return colour;
        }
        return "rgb(255, 255, 255)";
      };
      const texts = Array.from(document.body.querySelectorAll("*")).filter((element) =>
        Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim()),
      );
      return texts.map((element) => [getComputedStyle(element).color, behind(element), element.textContent.slice(0, 40)]);
    });
    assert.ok(found.length > 500);
    for (const [colour, background, text] of found)
      assert.ok(contrast(colour, background) >= 4.5, `${colorScheme}: ${colour} on ${background}: ${text}`);
    await close(page);
  }
});

test("ten thousand parameters come, and are searched and sorted, at once", async (t) => {
  const page = await open("large");
  const loaded = await page.evaluate(() => {
    const { domInteractive, domContentLoadedEventEnd, responseEnd } = performance.getEntriesByType("navigation")[0];
    return { parsed: domInteractive - responseEnd, script: domContentLoadedEventEnd - domInteractive };
  });
  const timed = (act) =>
    page.evaluate(async (source) => {
      const start = performance.now();
      new Function(source)();
      document.body.getBoundingClientRect();
      return performance.now() - start;
    }, act);
  const type = (text) =>
    timed(
      `const input = document.querySelector(".search input"); input.value = "${text}"; input.dispatchEvent(new Event("input"))`,
    );
  const first = await type("layers.83"),
    second = await type("layers.833");
  assert.equal((await names(page)).length, 4);
  await type("");
  const sorted = await timed(`document.querySelectorAll(".parameters th button")[1].click()`);
  t.diagnostic(JSON.stringify({ ...loaded, first, second, sorted }));
  assert.ok(loaded.parsed + loaded.script < 5000 && first < 1000 && second < 500 && sorted < 2000);
  assert.ok((await page.locator(".parameters tbody tr").count()) < 1000);
  await page.goto(page.url() + "#encoder.layers.832.weight15");
  await page.goto(page.url().replace(/#.*/, "#9999"));
  assert.equal(await selected(page), "encoder.layers.833.weight3");
  await close(page);
});

test("screenshots", { skip: !process.env.SHOTS }, async () => {
  for (const name of ["resnet50", "several", "silent"])
    for (const colorScheme of ["light", "dark"])
      for (const viewport of [wide, phone]) {
        const page = await open(name, { colorScheme, viewport });
        await page.screenshot({
          path: `${process.env.SHOTS}/${name}-${colorScheme}-${viewport.width}.png`,
          clip: { x: 0, y: 0, width: viewport.width, height: 2400 },
          fullPage: true,
        });
        await close(page);
      }
});
