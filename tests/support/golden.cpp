#include "tests/support/golden.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/catch.h"

namespace gradscan::tests {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool approving() {
  const char* value = std::getenv("GRADSCAN_APPROVE");
  return value != nullptr && std::string(value) == "1";
}

}  // namespace

void check_golden(const std::string& name, const std::string& actual) {
  check_approved("tests/golden/" + name, actual);
}

void check_approved(const std::string& path, const std::string& actual) {
  if (approving()) std::ofstream(path, std::ios::binary) << actual;
  INFO(path << " (scripts/approve rewrites it)");
  CHECK(content(path) == actual);
}

}  // namespace gradscan::tests
