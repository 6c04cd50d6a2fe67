// Recognises files that are not TorchScript by their first bytes and by the names in their zip archive.
#pragma once

#include <string>

namespace gradscan {

// Throws Error (not_a_model), saying what the file is instead and what to do about it, unless it is an archive that
// torch.jit.load would try to load. Runs nothing from the file.
void require_torchscript(const std::string& path);

}  // namespace gradscan
