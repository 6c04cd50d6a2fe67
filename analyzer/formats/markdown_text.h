// Foreign text inside of GitHub's Markdown, where a name could be a heading, a table, HTML, a link, a mention or an issue.
#pragma once

#include <string>
#include <string_view>

namespace gradscan {

// As a code span, in which nothing is read as anything else. At most 160 characters of the text are shown. In a cell of a table
// the bars are escaped too.
std::string code_span(std::string_view text, bool in_cell = false);

// A sentence: every word that is not made of letters, or of digits, is set as code. Of longer text the first 4,000 bytes.
std::string markdown_prose(std::string_view sentence);

// A fenced block; `language` may be empty.
std::string fenced(std::string_view text, std::string_view language);

}  // namespace gradscan
