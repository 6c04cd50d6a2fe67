// A TorchScript file is a zip archive; every name in it begins with the same folder, "archive/" or the file's first name. It
// contains code/ and constants.pkl, which the other archives that torch writes lack:
//
//     torch.save      data.pkl, the pickled object, and data/0, data/1, ..., its tensors
//     torch.export    archive_format and models/*.json, before torch 2.8 serialized_exported_program.json
//
// Before torch 1.6, torch.save wrote pickles one after another, without an archive.
#include "analyzer/capture/sniff.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "analyzer/base/files.h"
#include "gradscan/error.h"

namespace gradscan {
namespace {

constexpr std::size_t head_size = 512;  // bytes examined at the start of a file, or of a pickle in an archive
constexpr const char* export_it = "export the model with gradscan.export or torch.jit.trace";

Error not_torchscript(const std::string& path, const std::string& what, const std::string& remedy) {
  return Error(Failure::not_a_model, path, what, remedy);
}

// ---- The archive ----

using Archive = std::unique_ptr<zip_t, decltype([](zip_t* archive) { zip_discard(archive); })>;

// The names, without the folder that they all begin with.
std::vector<std::string> names_in(zip_t* archive) {
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    const char* name = zip_get_name(archive, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    std::string_view whole = name ? name : "";
    names.emplace_back(whole.substr(whole.find('/') + 1));
  }
  return names;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_folder(const std::vector<std::string>& names, std::string_view folder) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return name.starts_with(folder); });
}

std::string head_of_entry(zip_t* archive, std::size_t index) {
  std::unique_ptr<zip_file_t, decltype([](zip_file_t* file) { zip_fclose(file); })> file(zip_fopen_index(archive, index, 0));
  std::string head(head_size, '\0');
  zip_int64_t size = file ? zip_fread(file.get(), head.data(), head.size()) : 0;
  head.resize(static_cast<std::size_t>(std::max<zip_int64_t>(size, 0)));
  return head;
}

// torch.save writes pickle protocol 2: the object itself begins after two bytes. "}" is a dict; "c" and two lines name a class
// or function: state_dict() returns an OrderedDict, and torch's own function creates a single tensor.
std::string pickled_object(std::string_view pickle) {
  if (!pickle.starts_with("\x80\x02")) return "pickled Python objects";
  pickle.remove_prefix(2);
  if (pickle.starts_with("}") || pickle.starts_with("ccollections\nOrderedDict\n")) return "a pickled state_dict";
  if (pickle.starts_with("ctorch._utils\n")) return "a pickled tensor";
  std::size_t middle = pickle.find('\n'), end = pickle.find('\n', std::min(middle, pickle.size() - 1) + 1);
  if (!pickle.starts_with("c") || end == std::string::npos) return "pickled Python objects";
  return fmt::format("a pickled object ({}.{})", pickle.substr(1, middle - 1), pickle.substr(middle + 1, end - middle - 1));
}

void require_torchscript_archive(const std::string& path) {
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, nullptr));
  if (!archive)
    throw not_torchscript(path, "is truncated or damaged (its zip directory cannot be read)", "copy the file again");
  std::vector<std::string> names = names_in(archive.get());
  if (has(names, "constants.pkl") && has_folder(names, "code/")) return;
  if (has(names, "archive_format") || has(names, "serialized_exported_program.json"))
    throw not_torchscript(path, "is a torch.export archive, not TorchScript", export_it);
  auto pickle = std::find(names.begin(), names.end(), "data.pkl");
  if (pickle == names.end())
    throw not_torchscript(path, "is a zip archive without TorchScript", "check that it is the right file");
  std::string head = head_of_entry(archive.get(), static_cast<std::size_t>(pickle - names.begin()));
  throw not_torchscript(path, fmt::format("contains {}, not TorchScript", pickled_object(head)), export_it);
}

// ---- Files that are not archives ----

bool starts_like(std::string_view head, std::string_view lower_case) {
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n\xEF\xBB\xBF"), head.size()));
  return head.size() >= lower_case.size() && std::equal(lower_case.begin(), lower_case.end(), head.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

// Eight bytes hold the length of the header, little-endian; then comes the header, which is JSON.
bool is_safetensors(std::string_view head, std::uint64_t file_size) {
  if (head.size() < 9 || head[8] != '{') return false;
  std::uint64_t header_size = 0;
  for (int byte = 7; byte >= 0; --byte) header_size = header_size << 8 | static_cast<unsigned char>(head[byte]);
  return header_size >= 2 && header_size <= file_size - 8;
}

// A protobuf without a magic number: field 1 is the version of the format, a small number; the next field is one of the model's
// other fields 2 to 8 (the producer's name, the graph, ...), all of wire type 0 or 2.
bool is_onnx(std::string_view head) {
  constexpr std::string_view next_fields = "\x12\x1a\x22\x28\x32\x3a\x42";
  return head.size() > 3 && head[0] == 0x08 && head[1] > 0 && head[1] < 64 && next_fields.find(head[2]) != std::string::npos;
}

[[noreturn]] void reject(const std::string& path, std::string_view head, std::uint64_t file_size) {
  if (head.starts_with("version https://git-lfs"))
    throw not_torchscript(path, "is a git-lfs pointer, not the file itself", "fetch it with git lfs pull");
  if (starts_like(head, "<!doctype") || starts_like(head, "<html") || starts_like(head, "<?xml"))
    throw not_torchscript(path, "is a web page, not a model", "download the file again; the page may say what went wrong");
  if (is_safetensors(head, file_size))
    throw not_torchscript(path, "contains safetensors, which are weights without a model", export_it);
  if (head.starts_with("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"))
    throw not_torchscript(path, "contains pickled Python objects (written by torch.save before torch 1.6), not TorchScript",
                          export_it);
  if (head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    throw not_torchscript(path, "contains pickled Python objects, not TorchScript", export_it);
  if (is_onnx(head))
    throw not_torchscript(path, "is an ONNX model (protobuf), not TorchScript",
                          "export the original PyTorch model with gradscan.export or torch.jit.trace");
  if (starts_like(head, "{"))
    throw not_torchscript(path, "is JSON, not TorchScript", "if it is a capture, give it a name that ends in .capture.json");
  throw not_torchscript(path, "is not a TorchScript file", export_it);
}

std::string head_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(head_size, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

}  // namespace

void require_torchscript(const std::string& path) {
  require_readable(path);
  std::string head = head_of(path);
  if (head.starts_with("PK\x03\x04")) return require_torchscript_archive(path);
  reject(path, head, std::filesystem::file_size(path));
}

}  // namespace gradscan
