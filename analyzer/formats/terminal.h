// Builds text for a terminal: printable lines, wrapped, some of them coloured.
#pragma once

#include <string>
#include <string_view>

#include "gradscan/verdict.h"
#include "gradscan/writers.h"

namespace gradscan {

enum class Paint { plain, bold, bad, warn, good, dim };

Paint paint_of(Severity severity);

class TerminalText {
 public:
  explicit TerminalText(const TextOptions& options) : options_(options) {}

  // Wrapped prose. All text passed in is made printable, except by raw().
  void prose(std::string_view text, int indent = 0, Paint paint = Paint::plain);

  // A term in a column of its own, and text beside it, wrapped: "loss      output".
  void item(std::string_view term, std::string_view text, int indent = 2, int column = 14);

  // Text that is already broken into lines; each is wrapped behind `prefix`.
  void quote(std::string_view text, std::string_view prefix);

  void heading(std::string_view text, Paint paint = Paint::bold);
  void blank() { text_ += '\n'; }

  // Verbatim: `text` must be printable.
  void raw(std::string_view text) { text_ += text; }

  std::string painted(std::string_view text, Paint paint) const;
  int width() const { return options_.width; }
  std::string take() { return std::move(text_); }

 private:
  TextOptions options_;
  std::string text_;
};

}  // namespace gradscan
