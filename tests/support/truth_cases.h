// The models in training of tests/truth/cases.py as captures, by name: tests/truth/ddp_cases.txt. Tests run in the project's
// root folder.
#pragma once

#include <map>
#include <string>

#include "tests/support/capture_text.h"

namespace gradscan::tests {

std::map<std::string, Training> truth_cases();

}  // namespace gradscan::tests
