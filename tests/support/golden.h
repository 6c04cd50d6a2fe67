// Approved outputs: files in tests/golden/ that people have read and found good. scripts/approve rewrites them.
#pragma once

#include <string>

namespace gradscan::tests {

// Checks that tests/golden/NAME holds exactly `actual`. With GRADSCAN_APPROVE=1 in the environment it writes the file instead.
void check_golden(const std::string& name, const std::string& actual);

// Likewise the file at that path from the root of the repository.
void check_approved(const std::string& path, const std::string& actual);

}  // namespace gradscan::tests
