#include "analyzer/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "gradscan/error.h"
#include "gradscan/files.h"
#include "gradscan/writers.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/unprivileged.h"

using namespace gradscan;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Names = std::vector<std::string>;

namespace {

mode_t permissions(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

// What somebody reads from the pipe while `write` runs.
template <typename Write>
std::string read_fifo(const std::string& path, const Write& write) {
  std::string content;
  std::thread reader([&] {
    std::ifstream pipe(path, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(pipe), {});
  });
  write();
  reader.join();
  return content;
}

}  // namespace

TEST_CASE("write_file creates and replaces a file and leaves nothing else behind") {
  tests::TemporaryFolder folder;
  std::string content(3'000'000, '\0');
  write_file(folder.path("a b\nc"), "first");
  write_file(folder.path("a b\nc"), content);
  CHECK(folder.read("a b\nc") == content);
  CHECK(folder.names() == Names{"a b\nc"});
}

TEST_CASE("A new file respects the umask, a replaced one keeps its permissions") {
  tests::TemporaryFolder folder;
  mode_t before = ::umask(027);
  write_file(folder.path("new"), "x");
  ::umask(before);
  CHECK(permissions(folder.path("new")) == 0640);
  REQUIRE(::chmod(folder.path("new").c_str(), 0604) == 0);
  write_file(folder.path("new"), "y");
  CHECK(permissions(folder.path("new")) == 0604);
}

TEST_CASE("A symbolic link stays one: the file behind it is replaced") {
  tests::TemporaryFolder folder;
  std::string file = folder.write("file", "old");
  std::filesystem::create_symlink(file, folder.path("link"));
  write_file(folder.path("link"), "new");
  CHECK(std::filesystem::is_symlink(folder.path("link")));
  CHECK(folder.read("file") == "new");
  CHECK(resolved(folder.path("link")) == resolved(folder.path("./file")));
}

TEST_CASE("A reader of the old file is not disturbed") {
  tests::TemporaryFolder folder;
  std::ifstream old(folder.write("file", "old"));
  write_file(folder.path("file"), "new");
  std::string word;
  old >> word;
  CHECK(word == "old");
}

TEST_CASE("Pipes and devices are written to, not replaced") {
  tests::TemporaryFolder folder;
  std::string pipe = folder.path("pipe");
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_fifo(pipe, [&] { write_file(pipe, "through"); }) == "through");
  CHECK(std::filesystem::is_fifo(pipe));
  write_file("/dev/null", "x");
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK_THROWS_WITH(write_file("/dev/full", "x"),
                    "/dev/full: cannot be written (No space left on device): make room or choose "
                    "another path");
}

TEST_CASE("/dev/fd/N continues the open file") {
  tests::TemporaryFolder folder;
  int file = ::open(folder.path("file").c_str(), O_WRONLY | O_CREAT, 0600);
  REQUIRE(write_all(file, "one ") == 0);
  write_file("/dev/fd/" + std::to_string(file), "two ");
  REQUIRE(write_all(file, "three") == 0);
  ::close(file);
  CHECK(folder.read("file") == "one two three");
}

TEST_CASE("What cannot be written is known before") {
  tests::TemporaryFolder folder;
  CHECK_THROWS_WITH(check_writable(folder.path("missing/file")),
                    EndsWith("missing/file: its folder does not exist: create it or choose another path"));
  CHECK_THROWS_WITH(check_writable(folder.path()), EndsWith("is a folder: add the name of a file"));
  CHECK_THROWS_WITH(check_writable(folder.path("name/")), EndsWith("is a folder: add the name of a file"));
  CHECK_THROWS_WITH(check_writable(folder.write("file", "") + "/x"), Contains("cannot be written (Not a directory)"));
  CHECK_THROWS_WITH(check_writable(folder.path(std::string(300, 'x'))), Contains("cannot be written (File name too long)"));
  CHECK_THROWS_WITH(check_writable(""), Contains("is empty"));
  CHECK_NOTHROW(check_writable(folder.path("new")));
  CHECK_NOTHROW(check_writable(folder.path("file")));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("A relative path without a folder is written beside") {
  tests::TemporaryFolder folder;
  auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file("report.svg", "x");
  std::filesystem::current_path(before);
  CHECK(folder.names() == Names{"report.svg"});
}

TEST_CASE("Write-protected files and folders are refused") {
  tests::Unprivileged root_too;
  tests::TemporaryFolder folder;
  REQUIRE(::chmod(folder.write("file", "x").c_str(), 0400) == 0);
  CHECK_THROWS_WITH(check_writable(folder.path("file")), Contains("cannot be written (Permission denied)"));
  REQUIRE(::chmod(folder.path().c_str(), 0500) == 0);
  CHECK_THROWS_WITH(check_writable(folder.path("new")), Contains("cannot be written (Permission denied)"));
  ::chmod(folder.path().c_str(), 0700);
}
