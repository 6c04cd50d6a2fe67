#include "bench/synthetic.h"

#include <string>
#include <utility>
#include <vector>

namespace gradscan {
namespace {

constexpr int width = 64;

class Transformer {
 public:
  explicit Transformer(int blocks) {
    capture_.model = "transformer-" + std::to_string(blocks);
    GradEdge hidden = add(Role::leaf, {});
    for (int block = 0; block < blocks; ++block) hidden = add_block("blocks." + std::to_string(block), hidden);
    Output output;
    output.path = "output";
    output.dtype = "float32";
    output.shape = {1, width};
    output.edge = hidden;
    output.in_loss = true;
    capture_.outputs = {output};
  }

  Capture take() { return std::move(capture_); }

 private:
  GradEdge add(Role role, std::vector<GradEdge> next) {
    Node node;
    node.role = role;
    node.next = std::move(next);
    node.module = module_;
    capture_.nodes.push_back(std::move(node));
    return {static_cast<int>(capture_.nodes.size()) - 1, 0};
  }

  GradEdge operation(const std::string& op, std::vector<GradEdge> next, bool saves_tensors = false) {
    GradEdge edge = add(Role::operation, std::move(next));
    capture_.nodes.back().op = op;
    capture_.nodes.back().saves_tensors = saves_tensors;
    return edge;
  }

  GradEdge parameter(const std::string& name, std::vector<std::int64_t> shape) {
    GradEdge edge = add(Role::parameter, {});
    capture_.nodes.back().parameter = static_cast<int>(capture_.parameters.size());
    Parameter parameter;
    parameter.name = module_ + "." + name;
    parameter.shape = std::move(shape);
    capture_.parameters.push_back(std::move(parameter));
    return edge;
  }

  GradEdge norm(const std::string& name, GradEdge x) {
    GradEdge weight = parameter(name + ".weight", {width}), bias = parameter(name + ".bias", {width});
    return operation("NativeLayerNormBackward0", {x, weight, bias}, true);
  }

  GradEdge linear(const std::string& name, GradEdge x, int outputs, int inputs) {
    GradEdge weight = parameter(name + ".weight", {outputs, inputs}), bias = parameter(name + ".bias", {outputs});
    return operation("AddmmBackward0", {bias, x, operation("TBackward0", {weight})}, true);
  }

  GradEdge attention(GradEdge qkv) {
    GradEdge split = operation("SplitBackward0", {operation("ViewBackward0", {qkv})});
    std::vector<GradEdge> heads;
    for (int slot = 0; slot < 3; ++slot) heads.push_back(operation("TransposeBackward0", {{split.node, slot}}));
    GradEdge mixed = operation("ScaledDotProductFlashAttentionForCpuBackward0", heads, true);
    return operation("ViewBackward0", {operation("TransposeBackward0", {mixed})});
  }

  GradEdge add_block(const std::string& name, GradEdge hidden) {
    module_ = name;
    int region = static_cast<int>(capture_.regions.size());
    capture_.regions.emplace_back().name = name;
    GradEdge x = add(Role::region_begin, {hidden});
    GradEdge qkv = linear("qkv", operation("ViewBackward0", {norm("norm1", x)}), 3 * width, width);
    GradEdge projected = operation("ViewBackward0", {linear("proj", attention(qkv), width, width)});
    GradEdge middle = operation("AddBackward0", {x, projected});
    GradEdge wide = linear("fc1", operation("ViewBackward0", {norm("norm2", middle)}), 4 * width, width);
    GradEdge narrow = linear("fc2", operation("GeluBackward0", {wide}, true), width, 4 * width);
    GradEdge end = add(Role::region_end, {operation("AddBackward0", {middle, narrow})});
    capture_.regions[region].begin = x.node;
    capture_.regions[region].end = end.node;
    return end;
  }

  Capture capture_;
  std::string module_;
};

}  // namespace

Capture transformer(int blocks) {
  return Transformer(blocks).take();
}

}  // namespace gradscan
