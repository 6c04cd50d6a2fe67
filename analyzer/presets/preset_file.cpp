#include "analyzer/presets/preset_file.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <tuple>

namespace gradscan {
namespace {

// A table whose keys must all be read.
class Fields {
 public:
  Fields(std::string_view file, const toml::table& table) : file_(file), table_(table) {}

  std::string text(std::string_view key) { return value<std::string>(key); }
  bool flag(std::string_view key) { return has(key) && value<bool>(key); }

  const toml::array& list(std::string_view key) {
    const toml::node* node = table_.get(key);
    if (!node || !node->is_array()) fail(key);
    read_.insert(key);
    return *node->as_array();
  }

  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> all;
    for (const toml::node& node : list(key)) {
      if (!node.is_string()) fail(key);
      all.push_back(node.as_string()->get());
    }
    return all;
  }

  bool has(std::string_view key) const { return table_.contains(key); }

  void check_all_read() const {
    for (const auto& [key, node] : table_)
      if (!read_.contains(key.str())) fail(key.str());
  }

  [[noreturn]] void fail(std::string_view key) const {
    throw std::runtime_error(fmt::format("preset {}: {} is missing, unknown or wrong", file_, key));
  }

 private:
  template <typename Type>
  Type value(std::string_view key) {
    const toml::node* node = table_.get(key);
    std::optional<Type> found = node ? node->value_exact<Type>() : std::nullopt;
    if (!found) fail(key);
    read_.insert(key);
    return *found;
  }

  std::string_view file_;
  const toml::table& table_;
  std::set<std::string_view> read_;
};

Kind kind_of(Fields& fields) {
  std::string kind = fields.text("kind");
  if (kind == "reentrant") return Kind::reentrant;
  if (kind != "non-reentrant") fields.fail("kind");
  return Kind::non_reentrant;
}

// "Beit.blocks.*" of a module: the class, and the path below it.
CheckpointedCall call_of(const std::string& module, const std::string& name, bool only_for_grad) {
  std::size_t dot = name.find('.');
  std::string path = dot == std::string::npos ? "" : name.substr(dot + 1);
  return {.owner = fmt::format("{}.{}", module, name.substr(0, dot)), .path = path, .only_for_grad = only_for_grad};
}

void add_calls(Fields row, std::vector<CheckpointedCall>& calls) {
  std::string module = row.text("module");
  bool only_for_grad = row.flag("only_for_grad");
  for (const std::string& name : row.texts("of")) calls.push_back(call_of(module, name, only_for_grad));
  if (row.has("outside")) row.texts("outside");  // for the reader of docs/presets.md
  row.check_all_read();
}

// A class whose calls run different things outside regions appears in several rows.
void sort_once(std::vector<CheckpointedCall>& calls) {
  auto key = [](const CheckpointedCall& call) { return std::tie(call.owner, call.path, call.only_for_grad); };
  std::sort(calls.begin(), calls.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  calls.erase(std::unique(calls.begin(), calls.end(), [&](const auto& a, const auto& b) { return key(a) == key(b); }),
              calls.end());
}

}  // namespace

Preset parse_preset(const PresetFile& file) {
  toml::table table = toml::parse(file.toml, file.name);
  Fields fields(file.name, table);
  Preset preset{.name = std::string(file.name),
                .library = fields.text("library"),
                .kind = kind_of(fields),
                .asked_by = fields.text("asked_by"),
                .remark = fields.text("remark"),
                .calls = {}};
  for (const toml::node& row : fields.list("calls")) {
    if (!row.is_table()) fields.fail("calls");
    add_calls(Fields(file.name, *row.as_table()), preset.calls);
  }
  fields.check_all_read();
  sort_once(preset.calls);
  return preset;
}

}  // namespace gradscan
