#include "analyzer/capture/sniff.h"

#include <sys/stat.h>
#include <zip.h>

#include <map>

#include "gradscan/error.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/unprivileged.h"

using namespace gradscan;
using namespace std::string_literals;

namespace {

const std::string export_it = ": export the model with gradscan.export or torch.jit.trace";

// The line that a file of this content gives, without its path in front; "accepted" if there is none.
std::string line_for(const tests::TemporaryFolder& folder) {
  std::string path = folder.path("model.pt");
  try {
    require_torchscript(path);
  } catch (const Error& error) {
    CHECK(error.failure() == Failure::not_a_model);
    std::string line = error.what();
    REQUIRE(line.starts_with(path + ": "));
    return line.substr(path.size() + 2);
  }
  return "accepted";
}

std::string line_for(const std::string& content) {
  tests::TemporaryFolder folder;
  folder.write("model.pt", content);
  return line_for(folder);
}

std::string zip_of(const std::map<std::string, std::string>& entries) {
  tests::TemporaryFolder folder;
  zip_t* archive = zip_open(folder.path("zip").c_str(), ZIP_CREATE, nullptr);
  REQUIRE(archive != nullptr);
  for (const auto& [name, content] : entries)
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, content.data(), content.size(), 0), ZIP_FL_ENC_UTF_8);
  REQUIRE(zip_close(archive) == 0);
  return folder.read("zip");
}

std::map<std::string, std::string> torchscript() {
  return {{"archive/data.pkl", "\x80\x02"s},
          {"archive/data/0", std::string(10'000, 'x')},
          {"archive/code/__torch__.py", "class Net(Module):"},
          {"archive/constants.pkl", "\x80\x02)."},
          {"archive/version", "3\n"}};
}

std::string line_for_pickle(const std::string& pickle) {
  return line_for(zip_of({{"sd/data.pkl", pickle}, {"sd/data/0", "xxxx"}, {"sd/version", "3\n"}}));
}

}  // namespace

TEST_CASE("A TorchScript archive is accepted, whatever its folder is called") {
  CHECK(line_for(zip_of(torchscript())) == "accepted");
  std::map<std::string, std::string> renamed;
  for (const auto& [name, content] : torchscript()) renamed["my model" + name.substr(7)] = content;
  CHECK(line_for(zip_of(renamed)) == "accepted");
}

TEST_CASE("A cut-short archive") {
  std::string whole = zip_of(torchscript());
  for (std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{100}, std::size_t{4}})
    CHECK(line_for(whole.substr(0, size)) == "is truncated or damaged (its zip directory cannot be read): copy the file again");
}

TEST_CASE("What torch.save writes") {
  CHECK(line_for_pickle("\x80\x02"s + "ccollections\nOrderedDict\nq\x00)Rq\x01"s) ==
        "contains a pickled state_dict, not TorchScript" + export_it);
  CHECK(line_for_pickle("\x80\x02}q"s + "\x00(X"s) == "contains a pickled state_dict, not TorchScript" + export_it);
  CHECK(line_for_pickle("\x80\x02"s + "c__main__\nNet\nq\x00)\x81"s) ==
        "contains a pickled object (__main__.Net), not TorchScript" + export_it);
  CHECK(line_for_pickle("\x80\x02"s + "ctorch._utils\n_rebuild_tensor_v2\nq"s) ==
        "contains a pickled tensor, not TorchScript" + export_it);
  for (const std::string& other : {"\x80\x02]q"s, "\x80\x04\x95"s, "\x80\x02"s, ""s, "\x80\x02"s + "cno end"s})
    CHECK(line_for_pickle(other) == "contains pickled Python objects, not TorchScript" + export_it);
}

TEST_CASE("What torch.save wrote before torch 1.6") {
  CHECK(line_for("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."s) ==
        "contains pickled Python objects (written by torch.save before torch 1.6), not TorchScript" + export_it);
  CHECK(line_for("\x80\x04\x95\x00"s) == "contains pickled Python objects, not TorchScript" + export_it);
}

TEST_CASE("What torch.export writes") {
  CHECK(line_for(zip_of({{"e/archive_format", "pt2"}, {"e/models/model.json", "{}"}})) ==
        "is a torch.export archive, not TorchScript" + export_it);
  CHECK(line_for(zip_of({{"serialized_exported_program.json", "{}"}})) ==
        "is a torch.export archive, not TorchScript" + export_it);
}

TEST_CASE("Another zip archive") {
  CHECK(line_for(zip_of({{"readme.txt", "hello"}})) == "is a zip archive without TorchScript: check that it is the right file");
}

TEST_CASE("ONNX") {
  std::string line =
      "is an ONNX model (protobuf), not TorchScript: export the original PyTorch model with "
      "gradscan.export or torch.jit.trace";
  CHECK(line_for("\x08\x08\x12\x07pytorch\x1a\x05"s + "2.1.0:"s) == line);
  CHECK(line_for("\x08\x0a:\x80\x01"s) == line);
}

TEST_CASE("safetensors") {
  std::string header = R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string content = std::string(1, static_cast<char>(header.size())) + std::string(7, '\0') + header + "xxxx";
  CHECK(line_for(content) == "contains safetensors, which are weights without a model" + export_it);
}

TEST_CASE("Web pages") {
  std::string line = "is a web page, not a model: download the file again; the page may say what went wrong";
  CHECK(line_for("<!DOCTYPE html><html>") == line);
  CHECK(line_for("\xEF\xBB\xBF\r\n  <HTML><head>") == line);
  CHECK(line_for("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>") == line);
}

TEST_CASE("A git-lfs pointer") {
  CHECK(line_for("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n") ==
        "is a git-lfs pointer, not the file itself: fetch it with git lfs pull");
}

TEST_CASE("JSON") {
  CHECK(line_for("{\"schema\": \"gradscan-capture/1\"") ==
        "is JSON, not TorchScript: if it is a capture, give it a name that ends in .capture.json");
}

TEST_CASE("Anything else") {
  CHECK(line_for("PK") == "is not a TorchScript file" + export_it);
  CHECK(line_for(std::string(1000, '\0')) == "is not a TorchScript file" + export_it);
  CHECK(line_for("hello") == "is not a TorchScript file" + export_it);
  CHECK(line_for(" ") == "is not a TorchScript file" + export_it);
}

TEST_CASE("What is no file to read") {
  tests::TemporaryFolder folder;
  CHECK(line_for(folder) == "does not exist: check the path");
  CHECK(line_for("") == "is empty: copy or export the file again");
  REQUIRE(::mkfifo(folder.path("model.pt").c_str(), 0600) == 0);
  CHECK(line_for(folder) == "is not a regular file: store the model in a file");
  std::filesystem::remove(folder.path("model.pt"));
  std::filesystem::create_directory(folder.path("model.pt"));
  CHECK(line_for(folder) == "is a folder: name a model file in it");
  CHECK_THROWS_WITH(require_torchscript(folder.write("file", "x") + "/x"),
                    Catch::Matchers::EndsWith("cannot be read (Not a directory): check the path"));
}

TEST_CASE("A file without read permission") {
  tests::Unprivileged root_too;
  tests::TemporaryFolder folder;
  REQUIRE(::chmod(folder.write("model.pt", "x").c_str(), 0200) == 0);
  CHECK(line_for(folder) == "cannot be read (Permission denied): check its permissions");
}
