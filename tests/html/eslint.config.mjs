// For eslint: the page's script, and the tests of the page in a browser.
import js from "@eslint/js";
import globals from "globals";

const strict = {
  eqeqeq: "error",
  "no-shadow": "error",
  "no-var": "error",
  "prefer-const": "error",
};

export default [
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["html/page.js"],
    languageOptions: { sourceType: "script", globals: globals.browser },
    rules: { ...js.configs.recommended.rules, ...strict },
  },
  {
    files: ["tests/html/*.mjs"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: { ...js.configs.recommended.rules, ...strict },
  },
];
