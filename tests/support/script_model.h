// TorchScript files for tests, made from a few lines of TorchScript.
#pragma once

#include <string>
#include <vector>

namespace gradscan::tests {

struct ScriptModel {
  std::string methods = "def forward(self, x: Tensor) -> Tensor:\n  return x @ self.weight\n";
  std::vector<std::string> parameters{"weight"};  // each a float32[2,2] of zeros
  bool requires_grad = true;
  std::string metadata;  // its gradscan.json; empty: there is none
};

void save(const ScriptModel& model, const std::string& path);

}  // namespace gradscan::tests
