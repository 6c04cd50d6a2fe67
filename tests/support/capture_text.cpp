#include "tests/support/capture_text.h"

#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace gradscan::tests {
namespace {

using Words = std::vector<std::string>;
using Scope = std::map<std::string, GradEdge>;

Words words_of(const std::string& line) {
  std::istringstream stream(line);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Kind kind_of(const std::string& word) {
  for (Kind kind : {Kind::reentrant, Kind::non_reentrant, Kind::off})
    if (to_string(kind) == word) return kind;
  throw std::invalid_argument("unknown kind " + word);
}

class Parser {
 public:
  Capture parse(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) statement(line.substr(0, line.find('#')));
    if (!open_.empty()) throw std::invalid_argument("region without end");
    capture_.torch = "2.13.0";
    capture_.model = "text";
    validate(capture_, "text");
    return std::move(capture_);
  }

 private:
  struct OpenRegion {
    int region;
    std::map<std::string, std::optional<GradEdge>> outer;  // what the names that are bound inside mean outside, if anything
  };

  void statement(const std::string& line) {
    Words words = words_of(line);
    if (words.empty()) return;
    std::string first = words.front();
    Words rest(words.begin() + 1, words.end());
    if (first == "parameter") return parameters(rest, true);
    if (first == "frozen") return parameters(rest, false);
    if (first == "alias") return alias(rest);
    if (first == "input") return inputs(rest, true);
    if (first == "data") return inputs(rest, false);
    if (first == "region") return region(rest);
    if (first == "end") return end(rest);
    if (first == "output") return output(rest);
    operation(words, line);
  }

  int add(Node node) {
    capture_.nodes.push_back(std::move(node));
    return static_cast<int>(capture_.nodes.size()) - 1;
  }

  void bind(const std::string& name, GradEdge edge) {
    auto found = scope_.find(name);
    if (!open_.empty())
      open_.back().outer.try_emplace(name, found == scope_.end() ? std::nullopt : std::optional(found->second));
    scope_[name] = edge;
  }

  void restore(const OpenRegion& closed) {
    for (const auto& [name, edge] : closed.outer) {
      scope_.erase(name);
      if (edge) scope_[name] = *edge;
    }
  }

  GradEdge edge(const std::string& name) const {
    if (name == "-") return {};
    auto found = scope_.find(name);
    if (found == scope_.end()) throw std::invalid_argument("unknown name " + name);
    return found->second;
  }

  std::vector<GradEdge> edges(const Words& names) const {
    std::vector<GradEdge> result;
    for (const std::string& name : names) result.push_back(edge(name));
    return result;
  }

  void parameters(const Words& names, bool requires_grad) {
    for (const std::string& name : names) {
      bool weight = name.ends_with("weight");
      capture_.parameters.push_back(
          {name, {}, weight ? std::vector<std::int64_t>{20, 20} : std::vector<std::int64_t>{20}, "float32", requires_grad});
      int parameter = static_cast<int>(capture_.parameters.size()) - 1;
      bind(name, requires_grad ? GradEdge{add({.role = Role::parameter, .parameter = parameter}), 0} : GradEdge{});
    }
  }

  void alias(const Words& words) {
    for (Parameter& parameter : capture_.parameters)
      if (parameter.name == words.at(0)) parameter.aliases.push_back(words.at(1));
    bind(words.at(1), edge(words.at(0)));
  }

  void inputs(const Words& names, bool require_grad) {
    for (const std::string& name : names) {
      capture_.inputs.push_back({name, "float32", {8, 20}, require_grad, InputOrigin::traced});
      bind(name, require_grad ? GradEdge{add({.role = Role::leaf}), 0} : GradEdge{});
    }
  }

  void operation(const Words& words, const std::string& line) {
    std::size_t equals = 0;
    while (equals < words.size() && words[equals] != "=") ++equals;
    if (equals == 0 || equals + 1 >= words.size()) throw std::invalid_argument("not a statement: " + line);
    Words results(words.begin(), words.begin() + equals), arguments(words.begin() + equals + 2, words.end());
    const std::string& op = words[equals + 1];
    if (op == "detach") {
      bind(results.front(), {});
    } else if (op == "linear") {
      linear(results.front(), arguments.at(0), arguments.at(1));
    } else {
      int node = operation(op, edges(arguments));
      for (std::size_t slot = 0; slot < results.size(); ++slot) bind(results[slot], {node, static_cast<int>(slot)});
    }
  }

  int operation(const std::string& op, std::vector<GradEdge> next) {
    static const std::set<std::string> saves_nothing{"t", "add", "sum", "view", "cat"};
    return add({.op = op, .next = std::move(next), .saves_tensors = !saves_nothing.contains(op)});
  }

  // As torch: a matrix product without any input that requires grad has no node.
  void linear(const std::string& result, const std::string& x, const std::string& layer) {
    GradEdge weight = edge(layer + ".weight"), bias = edge(layer + ".bias");
    GradEdge transposed = weight.node == none ? GradEdge{} : GradEdge{operation("t", {weight}), 0};
    bool any = transposed.node != none || bias.node != none || edge(x).node != none;
    bind(result, any ? GradEdge{operation("addmm", {bias, edge(x), transposed}), 0} : GradEdge{});
  }

  void region(const Words& words) {
    Words arguments(words.begin() + 2, words.end());
    int parent = open_.empty() ? none : open_.back().region;
    int begin = add({.role = Role::region_begin, .next = edges(arguments)});
    capture_.regions.push_back({words[0], kind_of(words.at(1)), parent, begin, none, {}, "", RegionOrigin::marker});
    open_.push_back({static_cast<int>(capture_.regions.size()) - 1, {}});
    for (std::size_t slot = 0; slot < arguments.size(); ++slot)
      if (arguments[slot] != "-")
        bind(arguments[slot], edge(arguments[slot]).node == none ? GradEdge{} : GradEdge{begin, static_cast<int>(slot)});
  }

  void end(const Words& words) {
    if (open_.empty()) throw std::invalid_argument("end without region");
    OpenRegion open = std::move(open_.back());
    open_.pop_back();
    Region& region = capture_.regions[open.region];
    Words names;
    for (const std::string& word : words) {
      bool nested = word.starts_with('{');
      if (nested) region.nested_outputs.push_back(static_cast<int>(names.size()));
      names.push_back(nested ? word.substr(1, word.size() - 2) : word);
    }
    region.end = add({.role = Role::region_end, .next = edges(names)});
    restore(open);
    for (std::size_t slot = 0; slot < names.size(); ++slot) bind(names[slot], {region.end, static_cast<int>(slot)});
  }

  void output(const Words& words) {
    Output output{words.at(0), "float32", {8, 20}, edge(words.at(0)), true, true};
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "unused") output.in_loss = false;
      if (words[i] == "hidden") output.found_by_ddp = output.behind_sink = output.direct = false;
      if (words[i] == "dataclass") output.behind_sink = output.direct = false;
    }
    std::erase_if(capture_.outputs, [&](const Output& before) { return before.path == output.path; });
    capture_.outputs.push_back(output);
  }

  Capture capture_;
  Scope scope_;
  std::vector<OpenRegion> open_;
};

bool declares(const std::string& word) {
  static const std::set<std::string> declarations{"parameter", "frozen", "alias", "input", "data"};
  return declarations.contains(word);
}

void set_member(TrainingStep& step, const Words& words) {
  const std::string &member = words.at(1), &value = words.at(2);
  if (member == "forwards")
    step.forwards = std::stoi(value);
  else if (member == "backwards")
    step.backwards = std::stoi(value);
  else if (member == "no_sync")
    step.no_sync = std::stoi(value);
  else if (member == "used_outside")
    step.used_outside.assign(words.begin() + 2, words.end());
  else if (member == "zero_times")
    step.zero_times.assign(words.begin() + 2, words.end());
  else if (member == "checkpoint_around")
    step.checkpoint_around = kind_of(value);
  else
    throw std::invalid_argument("unknown member " + member);
}

}  // namespace

Capture capture_from_text(const std::string& text) {
  return Parser().parse(text);
}

Training training_from_text(const std::string& text) {
  Training training;
  std::istringstream lines(text);
  std::string declarations, capture;
  for (std::string line; std::getline(lines, line);) {
    Words words = words_of(line);
    if (words.empty()) continue;
    if (training.in_turn.empty() && declares(words[0])) declarations += line + '\n';
    if (words[0] == "step") {
      set_member(training.step, words);
    } else if (words[0] == "then") {
      training.in_turn.push_back(capture_from_text(capture));
      capture = declarations;
    } else {
      capture += line + '\n';
    }
  }
  training.in_turn.push_back(capture_from_text(capture));
  return training;
}

}  // namespace gradscan::tests
