// A text report while it is written: lines of harmless text, wrapped, some of them coloured.
#pragma once

#include <string>
#include <string_view>

#include "gradscan/writers.h"

namespace gradscan {

enum class Paint { plain, bold, bad, warn, good, dim };

class TerminalText {
 public:
  explicit TerminalText(const TextOptions& options) : options_(options) {}

  // Wrapped prose. Everything a TerminalText is given is made printable.
  void prose(std::string_view text, int indent = 0, Paint paint = Paint::plain);

  // A line (or several, wrapped below each other) behind a word that stands in a column of its own: "loss      output".
  void item(std::string_view term, std::string_view text, int indent = 2, int column = 14);

  // Text that already has its lines; each is wrapped behind `prefix`.
  void quote(std::string_view text, std::string_view prefix);

  void heading(std::string_view text, Paint paint = Paint::bold);
  void blank() { text_ += '\n'; }

  // As it is: `text` must be printable.
  void raw(std::string_view text) { text_ += text; }

  std::string painted(std::string_view text, Paint paint) const;
  int width() const { return options_.width; }
  std::string take() { return std::move(text_); }

 private:
  TextOptions options_;
  std::string text_;
};

}  // namespace gradscan
