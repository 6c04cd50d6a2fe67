// For stylelint: mistakes in the page's style sheet. Its order of rules is that of the page, not of their weights.
export default {
  extends: "stylelint-config-recommended",
  rules: { "no-descending-specificity": null },
};
