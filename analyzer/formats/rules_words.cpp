#include "analyzer/formats/rules_words.h"

#include <fmt/format.h>

#include "analyzer/data/rules.h"
#include "analyzer/formats/terminal.h"

namespace gradscan {

std::string findings_in_words(int width) {
  TerminalText out({.width = width});
  for (const Rule& rule : rules()) {
    if (&rule != rules().data()) out.blank();
    out.prose(fmt::format("{} ({})", rule.id, severity_words(rule.severity).name));
    out.prose(fmt::format("{}.", rule.title), 2);
    out.prose(rule.help, 2);
    out.item("to do", rule.remedy, 2, 9);
  }
  return out.take();
}

}  // namespace gradscan
