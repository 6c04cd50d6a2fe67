// Foreign text in GitHub's Markdown, where a name could turn into a heading, a table, HTML, a link, a mention or an issue.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// As a code span, in which no character has a special meaning. Longer text is cut at 160 bytes. In a table cell, bars are
// escaped too.
std::string code_span(std::string_view text, bool in_cell = false);

// A sentence in which every word that is not made of letters or of digits is set as code. Longer text is cut at 4,000 bytes.
std::string markdown_prose(std::string_view sentence);

// A fenced block; `language` may be empty.
std::string fenced(std::string_view text, std::string_view language);

}  // namespace gradscan
