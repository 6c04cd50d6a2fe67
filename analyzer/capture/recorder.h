// What is recorded while forward runs: which module each autograd node was created in, where in the source, what its forward
// costs, and where checkpoint regions begin and end.
//
// The instrumented model (instrument.h) reports module calls and regions here. Autograd numbers its nodes on each thread in
// order of creation, so an interval of sequence numbers identifies the nodes that an operation created.
//
// A region boundary is an autograd node of our own. Every tensor that crosses the boundary becomes an alias whose gradient
// function is the boundary, so the graph that forward leaves behind contains the region's arguments and outputs, even unused
// ones.
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

// What is known about a region before it runs.
struct RegionStart {
  std::string label;  // tells open regions apart: the marker's number, the module's path
  std::string name;
  Kind kind = Kind::reentrant;
  std::string source;
  RegionOrigin origin = RegionOrigin::unknown;
  std::string place{};
};

struct RecordedRegion {
  RegionStart start;
  int parent = none;
  int module = 0;  // number of the module that was running
  NodePtr begin, end;
  std::vector<at::Tensor> arguments;   // the direct tensor arguments, kept alive so that their storages are not reused
  std::vector<at::Tensor> inside;      // the arguments as the region's inside sees them
  std::vector<std::int64_t> versions;  // their version counters, which count in-place changes, when the region began
  std::vector<int> nested_outputs;
};

// What one operation of forward created: the autograd nodes with first <= sequence number < last.
struct RecordedOperation {
  std::uint64_t first = 0, last = 0;
  int module = 0;
  std::string source;
};

struct RecordedFlops {
  std::uint64_t first = 0, last = 0;  // equal if it created no node
  OperationFlops flops;
  int region = none;  // the innermost open region
};

struct RecordedModule {
  std::string path;
  std::optional<RegionStart> region;  // if set, each call is a checkpoint region
  bool only_for_grad = false;         // ... unless none of its direct tensor arguments requires grad
  // For a region: the parameters and buffers of the module and of those below. A trace passes shared ones as if they were
  // arguments.
  std::unordered_set<const at::TensorImpl*> own;
};

class Recorder {
 public:
  using Modules = std::unordered_map<const c10::ivalue::Object*, RecordedModule>;

  explicit Recorder(Modules modules);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // The recorder of the capture that runs on this thread; nullptr outside a capture.
  static Recorder* current();

  // A module is called with these arguments, or returns this result. Both are changed if the module is a region.
  void enter_module(const c10::ivalue::Object* module, c10::ArrayRef<c10::IValue*> arguments);
  void leave_module(c10::IValue& result);

  // `wanted` may be empty; else it says for each tensor whether it required grad when the file was written, which the tracer
  // does not keep. Returns the tensors as the region's inside sees them.
  std::vector<at::Tensor> begin_region(RegionStart start, std::vector<at::Tensor> arguments,
                                       const std::vector<bool>& wanted = {});
  // Returns the outputs as the outside sees them. `nested` is like Region::nested_outputs.
  std::vector<at::Tensor> end_region(const std::string& label, std::vector<at::Tensor> outputs, std::vector<int> nested);

  // The innermost open region, except those that stand for mere module calls; nullptr if there is none.
  const RecordedRegion* open_region() const;

  // What tensor.requires_grad_() turns it into.
  static at::Tensor require_grad(const at::Tensor& tensor);

  // An error raised while the model runs; the interpreter would turn it into its own.
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
  int depth_ = 0;          // nesting of operations that operations call
  bool counting_ = false;  // an operation whose FLOPs are counted is running
  std::unique_ptr<OperationObserver> observer_;
};

}  // namespace gradscan
