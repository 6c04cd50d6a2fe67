#include "analyzer/capture/devices.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <vector>

namespace gradscan {
namespace {

using torch::jit::Block;
using torch::jit::Graph;

const c10::Device cpu(c10::kCPU);
const c10::Symbol cuda = c10::Symbol::aten("cuda");  // x.cuda()

void replace_device(Graph& graph, torch::jit::Node* node) {
  if (node->kind() == c10::prim::Constant && node->output()->type()->kind() == c10::TypeKind::DeviceObjType) {
    node->s_(c10::attr::value, cpu.str());
  } else if (node->kind() == c10::aten::device) {
    torch::jit::WithInsertPoint before(node);
    node->output()->replaceAllUsesWith(graph.insertConstant(cpu));
    node->destroy();
  } else if (node->kind() == cuda) {
    node->output()->replaceAllUsesWith(node->input(0));
    node->destroy();
  }
}

// In a graph's blocks and in the graphs that it runs in other threads.
void replace_devices(Graph& graph) {
  std::vector<Block*> blocks{graph.block()};
  while (!blocks.empty()) {
    Block* block = blocks.back();
    blocks.pop_back();
    std::vector<torch::jit::Node*> nodes(block->nodes().begin(), block->nodes().end());
    for (torch::jit::Node* node : nodes) {
      blocks.insert(blocks.end(), node->blocks().begin(), node->blocks().end());
      if (node->hasAttribute(c10::attr::Subgraph)) blocks.push_back(node->g(c10::attr::Subgraph)->block());
      replace_device(*block->owningGraph(), node);
    }
  }
}

void replace_devices(c10::ivalue::Object& object) {
  for (std::size_t k = 0; k < object.slots().size(); ++k)
    if (object.getSlot(k).isDevice()) object.setSlot(k, cpu);
}

}  // namespace

void replace_devices(const torch::jit::Module& model) {
  for (torch::jit::Function* function : model._ivalue()->compilation_unit()->get_functions())
    if (auto* with_graph = torch::jit::tryToGraphFunction(*function)) replace_devices(*with_graph->graph());
  for (const torch::jit::Module& module : model.modules()) replace_devices(*module._ivalue());
}

}  // namespace gradscan
