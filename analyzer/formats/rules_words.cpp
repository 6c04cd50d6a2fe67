#include "analyzer/formats/rules_words.h"

#include "analyzer/data/rules.h"
#include "analyzer/formats/page.h"

namespace gradscan {

std::string findings_in_words(int width) {
  Page page({.width = width});
  for (const Rule& rule : rules()) {
    if (&rule != rules().data()) page.blank();
    page.prose(std::string(rule.id) + " (" + std::string(severity_words(rule.severity).name) + ")");
    page.prose(std::string(rule.title) + ".", 2);
    page.prose(rule.help, 2);
    page.item("to do", rule.remedy, 2, 9);
  }
  return page.take();
}

}  // namespace gradscan
