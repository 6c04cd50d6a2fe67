// A folder for one test: empty at its start, gone at its end.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace gradscan::tests {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(std::string_view name = "") const { return path_ / name; }

  // Writes a file into the folder and returns its path.
  std::string write(std::string_view name, std::string_view content) const;

  std::string read(std::string_view name) const;

  // The names in the folder, ascending.
  std::vector<std::string> names() const;

 private:
  std::filesystem::path path_;
};

}  // namespace gradscan::tests
