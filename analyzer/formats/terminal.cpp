#include "analyzer/formats/terminal.h"

#include <algorithm>

#include "analyzer/text/foreign_text.h"
#include "analyzer/text/prose.h"
#include "analyzer/text/width.h"

namespace gradscan {
namespace {

const char* code(Paint paint) {
  switch (paint) {
    case Paint::bold:
      return "\x1b[1m";
    case Paint::bad:
      return "\x1b[1;31m";
    case Paint::warn:
      return "\x1b[1;33m";
    case Paint::good:
      return "\x1b[32m";
    case Paint::dim:
      return "\x1b[2m";
    case Paint::plain:
      break;
  }
  return "";
}

std::string spaces(int number) {
  return std::string(static_cast<std::size_t>(std::max(number, 0)), ' ');
}

}  // namespace

Paint paint_of(Severity severity) {
  switch (severity) {
    case Severity::failed:
    case Severity::error:
      return Paint::bad;
    case Severity::silent:
    case Severity::unknown:
      return Paint::warn;
    default:
      return Paint::good;
  }
}

void TerminalText::prose(std::string_view text, int indent, Paint paint) {
  std::string lines = wrap(printable(text), width(), spaces(indent), spaces(indent));
  if (!lines.empty()) lines.pop_back();
  text_ += painted(lines, paint) + "\n";
}

void TerminalText::item(std::string_view term, std::string_view text, int indent, int column) {
  std::string first = spaces(indent) + printable(term);
  int missing = column - static_cast<int>(columns(first));
  text_ +=
      wrap(printable(text), width(), first + spaces(missing > 0 ? missing - 1 : 1) + (missing > 0 ? " " : ""), spaces(column));
}

void TerminalText::quote(std::string_view text, std::string_view prefix) {
  while (!text.empty()) {
    std::size_t end = std::min(text.find('\n'), text.size());
    text_ += wrap(printable(text.substr(0, end)), width(), prefix, prefix);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void TerminalText::heading(std::string_view text, Paint paint) {
  blank();
  prose(text, 0, paint);
}

std::string TerminalText::painted(std::string_view text, Paint paint) const {
  if (!options_.color || paint == Paint::plain) return std::string(text);
  return code(paint) + std::string(text) + "\x1b[0m";
}

}  // namespace gradscan
