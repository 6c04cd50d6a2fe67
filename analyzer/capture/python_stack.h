// The Python stack that torch.jit.trace stores with every operation, as text: one frame per line, the innermost first.
//
//     model.py(17): forward
//     /usr/lib/python3/site-packages/torch/nn/modules/module.py(1768): _slow_forward
//     train.py(40): <module>
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

struct Frame {
  std::string_view file;
  std::string_view line;
  std::string_view function;

  // "model.py:17"
  std::string where() const;
  bool in_user_code() const;     // neither torch's own Python code nor gradscan.export's code between it and the user's
  bool calls_module() const;     // torch.nn.Module calling its forward under the tracer: one frame per module call
  bool in_module_call() const;   // that code of torch.nn.Module, or what calls it
  bool runs_checkpoint() const;  // torch.utils.checkpoint.checkpoint running the checkpointed function
};

// The frames refer to `text`. Empty if the text is not such a stack.
std::vector<Frame> parse_stack(std::string_view text);

// The innermost frame of the user's code; nullptr if there is none. And its place; empty if there is none.
const Frame* user_frame(const std::vector<Frame>& frames);
std::string user_line(const std::vector<Frame>& frames);

// Like Region::place: the innermost frame of the user's code outside installed packages, with its whole path; if there is none,
// the innermost frame of the user's code.
std::string own_line(const std::vector<Frame>& frames);

}  // namespace gradscan
