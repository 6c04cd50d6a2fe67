#include "analyzer/command/man_page.h"

#include "analyzer/command/exit_codes.h"
#include "analyzer/command/manual.h"
#include "gradscan/version.h"

namespace gradscan {
namespace {

// As text of a line: a hyphen stays what has to be typed, and no line begins with roff's control characters.
std::string escaped(std::string_view text) {
  std::string roff;
  for (char c : text) {
    if (c == '\\')
      roff += "\\e";
    else if (c == '-')
      roff += "\\-";
    else if (c == '\'')
      roff += "\\(aq";
    else
      roff += c;
  }
  return (roff.starts_with('.') ? "\\&" : "") + roff;
}

std::string bold(std::string_view text) {
  return "\\fB" + escaped(text) + "\\fR";
}

// "\fB-o\fR, \fB--output\fR \fIFILE\fR"
std::string tag(const Option& option) {
  std::string text;
  for (const std::string& spelling : spellings(option)) text += (text.empty() ? "" : ", ") + bold(spelling);
  return text + (option.value.metavar.empty() ? "" : " \\fI" + escaped(option.value.metavar) + "\\fR");
}

std::string paragraph(const std::string& tag, std::string_view text) {
  return ".TP\n" + tag + '\n' + escaped(text) + '\n';
}

std::string section(std::string_view title) {
  return ".SH " + std::string(title) + '\n';
}

std::string subsection(const OptionGroup& group) {
  std::string text = ".SS \"" + escaped(group.title) + "\"\n";
  for (const Option& option : group.options) text += paragraph(tag(option), full_help(option));
  return text;
}

}  // namespace

std::string man_page(const OptionTable& table) {
  std::string page = ".TH GRADSCAN 1 \"\" \"gradscan " + std::string(version) + "\" \"User Commands\"\n";
  page += section("NAME") + "gradscan \\- what DistributedDataParallel will do with a checkpointed model\n";
  page += section("SYNOPSIS") + ".B " + escaped(manual::usage) + '\n';
  page += section("DESCRIPTION") + escaped(manual::about) + "\n.PP\n" + escaped(manual::project) + '\n';
  page += section("OPTIONS");
  for (const OptionGroup& group : table) page += subsection(group);
  page += section("\"EXIT STATUS\"") + escaped(manual::exit_codes_title) + ":\n";
  for (auto [code, meaning] : exit_codes()) page += paragraph(bold(std::to_string(code)), meaning);
  page += section("EXAMPLES") + ".nf\n";
  for (std::string_view example : manual::examples) page += escaped(example) + '\n';
  return page + ".fi\n";
}

}  // namespace gradscan
