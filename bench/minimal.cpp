// The least that a program can do to get a model's gradients: load the file, run forward and backward once. `bench/run`
// compares the time that gradscan takes with this.
//
//     minimal MODEL.pt N,C,H,W
#include <ATen/ops/zeros.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdint>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: minimal MODEL.pt N,C,H,W\n";
    return 2;
  }
  std::vector<std::int64_t> shape;
  std::istringstream sizes(argv[2]);
  for (std::string size; std::getline(sizes, size, ',');) shape.push_back(std::stoll(size));

  torch::jit::setGraphExecutorOptimize(false);  // as gradscan: otherwise the first run is spent on profiling
  auto model = torch::jit::load(argv[1]);
  model.train();
  model.forward({at::zeros(shape)}).toTensor().sum().backward();
  std::size_t gradients = 0;
  for (const auto& parameter : model.parameters()) gradients += parameter.grad().defined();
  std::cout << gradients << " gradients\n";
}
