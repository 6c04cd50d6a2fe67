#include "analyzer/base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "analyzer/base/descriptor.h"
#include "gradscan/error.h"
#include "gradscan/files.h"

namespace gradscan {
namespace {

Error cannot_write(const std::string& path, int code) {
  bool full = code == ENOSPC || code == EDQUOT;
  return Error(Failure::output, path, fmt::format("cannot be written ({})", std::generic_category().message(code)),
               full ? "make room or choose another path" : "choose another path");
}

// The mode of the file; none if it does not exist.
std::optional<mode_t> mode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status.st_mode;
  if (errno == ENOENT) return {};
  throw cannot_write(path, errno);
}

// /dev/stdout, /dev/stderr and /dev/fd/N are files that are already open: if a regular file behind them were opened again by
// name, it would be overwritten from its start.
std::optional<int> open_already(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  constexpr std::string_view folder = "/dev/fd/";
  if (!path.starts_with(folder)) return {};
  int number = 0;
  auto [end, error] = std::from_chars(path.data() + folder.size(), path.data() + path.size(), number);
  if (error != std::errc{} || end != path.data() + path.size()) return {};
  return number;
}

// Devices, pipes and sockets can only be written to, not replaced.
bool is_stream(const std::string& path) {
  std::optional<mode_t> mode = mode_of(path);
  return open_already(path) || (mode && !S_ISREG(*mode) && !S_ISDIR(*mode));
}

void write_stream(const std::string& path, std::string_view content) {
  std::optional<int> number = open_already(path);
  Descriptor file(number ? ::dup(*number) : ::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0) throw cannot_write(path, errno);
  if (int code = write_all(file.get(), content)) throw cannot_write(path, code);
}

// A file beside the target. keep() puts it in the target's place; otherwise it is removed at the end of the scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& target) : target_(target) {
    std::string stem = std::filesystem::path(target).parent_path() / fmt::format(".gradscan-{}-", ::getpid());
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      path_ = stem + std::to_string(attempt);
      descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (descriptor_ < 0 && errno != EEXIST) throw cannot_write(target, errno);
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  void write(std::string_view content, std::optional<mode_t> mode) {
    Descriptor file(descriptor_);
    int code = write_all(file.get(), content);
    if (code == 0 && mode && ::fchmod(file.get(), *mode & 07777) != 0) code = errno;
    if (code == 0) code = file.close();
    if (code != 0) throw cannot_write(target_, code);
  }

  void keep() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) throw cannot_write(target_, errno);
    path_.clear();
  }

 private:
  std::string target_, path_;
  int descriptor_ = -1;
};

Error unreadable(const std::string& path, const std::string& what, const std::string& remedy) {
  return Error(Failure::not_a_model, path, what, remedy);
}

}  // namespace

int write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

void require_readable(const std::string& path) {
  auto reason = [] { return std::generic_category().message(errno); };
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) throw unreadable(path, "does not exist", "check the path");
    throw unreadable(path, fmt::format("cannot be read ({})", reason()), "check the path");
  }
  if (S_ISDIR(status.st_mode)) throw unreadable(path, "is a folder", "name a model file in it");
  if (!S_ISREG(status.st_mode)) throw unreadable(path, "is not a regular file", "store the model in a file");
  if (::access(path.c_str(), R_OK) != 0)
    throw unreadable(path, fmt::format("cannot be read ({})", reason()), "check its permissions");
  if (status.st_size == 0) throw unreadable(path, "is empty", "copy or export the file again");
}

std::string read_file(const std::string& path) {
  require_readable(path);
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string resolved(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path whole = std::filesystem::absolute(path, ignored);
  std::filesystem::path target = std::filesystem::weakly_canonical(whole, ignored);
  return target.empty() ? whole.lexically_normal() : target;
}

void check_writable(const std::string& path) {
  if (path.empty()) throw Error(Failure::output, "", "the name of an output is empty", "name a file");
  std::string target = is_stream(path) ? path : resolved(path);
  std::optional<mode_t> mode = mode_of(target);
  if ((mode && S_ISDIR(*mode)) || path.back() == '/')
    throw Error(Failure::output, path, "is a folder", "add the name of a file");
  if (mode && ::access(target.c_str(), W_OK) != 0) throw cannot_write(path, errno);
  if (is_stream(path)) return;
  std::string folder = std::filesystem::path(target).parent_path();
  std::optional<mode_t> folder_mode = mode_of(folder);
  if (!folder_mode) throw Error(Failure::output, path, "its folder does not exist", "create it or choose another path");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) throw cannot_write(path, errno);
}

void write_file(const std::string& path, std::string_view content) {
  check_writable(path);
  if (is_stream(path)) return write_stream(path, content);
  std::string target = resolved(path);
  TemporaryFile file(target);
  file.write(content, mode_of(target));
  file.keep();
}

}  // namespace gradscan
