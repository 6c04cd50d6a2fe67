#include "tests/support/truth_cases.h"

#include <fstream>
#include <stdexcept>

namespace gradscan::tests {

// "like NAME" stands for the lines of an earlier case.
std::map<std::string, Training> truth_cases() {
  std::ifstream file("tests/truth/ddp_cases.txt");
  if (!file) throw std::runtime_error("tests/truth/ddp_cases.txt cannot be read: tests run in the source tree");
  std::map<std::string, std::string> texts;
  std::string* text = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("case "))
      text = &texts[line.substr(5)];
    else if (line.starts_with("like "))
      *text += texts.at(line.substr(5));
    else if (text)
      *text += line + '\n';
  }
  std::map<std::string, Training> cases;
  for (const auto& [name, lines] : texts) cases[name] = training_from_text(lines);
  return cases;
}

}  // namespace gradscan::tests
