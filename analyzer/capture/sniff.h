// What a file is that is not TorchScript, told from its first bytes and from the names in its zip archive.
#pragma once

#include <string>

namespace gradscan {

// Throws Error (not_a_model), with a remedy for what the file is instead, unless the file is an archive that torch.jit.load
// would try to load. Runs nothing of the file.
void require_torchscript(const std::string& path);

}  // namespace gradscan
