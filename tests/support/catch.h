// Catch2, whichever the system has: version 3 (several headers, a library with main) or 2 (one header).
#pragma once
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
namespace gradscan::tests {
inline auto contains(const std::string& part) {
  return Catch::Matchers::ContainsSubstring(part);
}
}  // namespace gradscan::tests
#else
#include <catch2/catch.hpp>
namespace gradscan::tests {
inline auto contains(const std::string& part) {
  return Catch::Matchers::Contains(part);
}
}  // namespace gradscan::tests
#endif
