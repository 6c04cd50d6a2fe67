// What is noted while forward runs: which module each autograd node was made in, where in the source, what its forward
// costs, and where checkpoint regions begin and end.
//
// The instrumented model (instrument.h) reports module calls and regions here. Autograd numbers its nodes on each thread in the
// order of their creation, so an interval of sequence numbers says which nodes an operation made.
//
// A region boundary is an autograd node of our own. Every tensor that crosses the boundary leaves it as an alias of which the
// boundary is the gradient function, so the graph that forward leaves behind holds the region's arguments and outputs, also
// those that nothing uses.
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyzer/capture/flops.h"
#include "analyzer/torch/torch_adapter.h"
#include "gradscan/capture.h"

namespace gradscan {

// The origin of a region that stands for a mere module call, see CaptureOptions::every_module.
inline constexpr const char* module_origin = "module";
// Likewise, but of one that cannot be checkpointed: it changes an argument in place, of which recomputation would find the
// changed values.
inline constexpr const char* changing_module_origin = "module that changes an argument";

// What is known of a region before it runs.
struct RegionStart {
  std::string label;  // tells open regions apart: the marker's number, the module's path
  std::string name;
  Kind kind = Kind::reentrant;
  std::string source;
  std::string origin;
  std::string place{};
};

struct RecordedRegion {
  RegionStart start;
  int parent = none;
  int module = 0;  // number of the module that was running
  NodePtr begin, end;
  std::vector<at::Tensor> arguments;   // the direct tensor arguments, kept so that their storages stay theirs
  std::vector<at::Tensor> inside;      // as the region's inside sees them
  std::vector<std::int64_t> versions;  // of these, which count changes in place, when the region began
  std::vector<int> nested_outputs;
};

// What one operation of forward made: the autograd nodes with first <= sequence number < last.
struct RecordedOperation {
  std::uint64_t first = 0, last = 0;
  int module = 0;
  std::string source;
};

struct RecordedFlops {
  std::uint64_t first = 0, last = 0;  // equal: it has made no node
  OperationFlops flops;
  int region = none;  // the innermost one that is open
};

struct RecordedModule {
  std::string path;
  std::optional<RegionStart> region;  // set: each call is a checkpoint region
  bool only_for_grad = false;         // but for a call none of whose direct tensor arguments requires grad
  // Set for a region: the parameters and buffers of the module and those below. A trace hands a shared one over as if it were
  // an argument.
  std::unordered_set<const at::TensorImpl*> own;
};

class Recorder {
 public:
  using Modules = std::unordered_map<const c10::ivalue::Object*, RecordedModule>;

  explicit Recorder(Modules modules);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // The recorder of the capture that runs on this thread; nullptr outside of a capture.
  static Recorder* current();

  // A module is called with these arguments, or returns this result; both are changed where the module is a region.
  void enter_module(const c10::ivalue::Object* module, c10::ArrayRef<c10::IValue*> arguments);
  void leave_module(c10::IValue& result);

  // `wanted` may be empty; else it says for each tensor whether it required grad where the file was written, which the tracer
  // does not keep. Returns the tensors as the region's inside sees them.
  std::vector<at::Tensor> begin_region(RegionStart start, std::vector<at::Tensor> arguments,
                                       const std::vector<bool>& wanted = {});
  // Returns the outputs as the outside sees them. `nested` as Region::nested_outputs.
  std::vector<at::Tensor> end_region(const std::string& label, std::vector<at::Tensor> outputs, std::vector<int> nested);

  // The innermost but for those that stand for mere module calls; nullptr outside of all.
  const RecordedRegion* open_region() const;

  // What tensor.requires_grad_() makes of it.
  static at::Tensor require_grad(const at::Tensor& tensor);

  // An error raised while the model runs; the interpreter would turn it into one of its own.
  std::exception_ptr failure;

  const std::vector<RecordedRegion>& regions() const { return regions_; }
  const RecordedOperation* operation_of(std::uint64_t sequence_number) const;
  const std::string& module_path(int module) const { return module_paths_[module]; }
  const RecordedFlops* flops_of(std::uint64_t sequence_number) const;
  const std::vector<RecordedFlops>& flops() const { return flops_; }

 private:
  struct Call {
    int module = 0;
    bool is_region = false;
  };
  class OperationObserver;

  int module_number(const c10::ivalue::Object* module);

  Modules modules_;
  std::vector<std::string> module_paths_;
  std::unordered_map<const c10::ivalue::Object*, int> module_numbers_;
  std::vector<Call> calls_;
  std::vector<int> open_;  // regions
  std::vector<RecordedRegion> regions_;
  std::vector<RecordedOperation> operations_;
  std::vector<RecordedFlops> flops_;
  int depth_ = 0;          // of operations that operations call
  bool counting_ = false;  // an operation whose flops are counted is running
  std::unique_ptr<OperationObserver> observer_;
};

}  // namespace gradscan
