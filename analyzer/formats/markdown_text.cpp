#include "analyzer/formats/markdown_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "analyzer/text/foreign_text.h"

namespace gradscan {
namespace {

constexpr std::size_t span_bytes = 160, prose_bytes = 4000, word_length = 30;

// Cuts legible text after at most `most` bytes, between characters. (elided() counts columns, of which marks take none.)
std::string clipped(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (text[most] & 0xC0) == 0x80) --most;
  return text.substr(0, most) + "…";
}

// Enough backticks to enclose a text: more than any run in it.
std::string fence_around(std::string_view text, std::size_t least) {
  std::size_t longest = 0, run = 0;
  for (char byte : text) {
    run = byte == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return std::string(std::max(least, longest + 1), '`');
}

bool is_letter(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

// "parameters", "DDP's", "non-reentrant", "157", "23%": not a name, mention or link.
bool is_plain(std::string_view word) {
  if (word == "%" || word == "…") return true;
  if (word.size() > 1 && word.ends_with('%')) word.remove_suffix(1);
  if (word.size() > word_length) return false;
  bool digits = std::all_of(word.begin(), word.end(), is_digit);
  bool letters =
      std::all_of(word.begin(), word.end(), [](char byte) { return is_letter(byte) || byte == '\'' || byte == '-'; });
  return digits || (letters && (word.empty() || is_letter(word.front())));
}

struct Token {
  std::string before, core, after;  // "(", "index", "," of "(index,"
};

// A closing parenthesis belongs to the core if its opening parenthesis does.
Token taken_apart(std::string_view text) {
  Token word;
  while (!text.empty() && (text.front() == '(' || text.front() == '"')) {
    word.before += text.front();
    text.remove_prefix(1);
  }
  constexpr std::string_view closing = ".,:;)\"";
  std::size_t end = text.size();
  while (end > 0 && closing.find(text[end - 1]) != std::string_view::npos) {
    if (text[end - 1] == ')' && text.substr(0, end - 1).find('(') != std::string_view::npos) break;
    --end;
  }
  word.core = text.substr(0, end);
  word.after = text.substr(end);
  return word;
}

bool is_open(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of("(\""), text.size()));
  return std::count(text.begin(), text.end(), '(') > std::count(text.begin(), text.end(), ')');
}

// A call is one word, including the spaces between its arguments.
std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> words;
  while (!text.empty()) {
    std::size_t end = std::min(text.find(' '), text.size());
    while (end < text.size() && end < span_bytes && is_open(text.substr(0, end)))
      end = std::min(text.find(' ', end + 1), text.size());
    if (end > 0) words.push_back(taken_apart(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

std::string code_span(std::string_view foreign, bool in_cell) {
  std::string text = clipped(legible(foreign), span_bytes), shown;
  if (text.find_first_not_of(' ') == std::string::npos) return "(no name)";
  for (char byte : text) shown += in_cell && byte == '|' ? "\\|" : std::string(1, byte);
  std::string fence = fence_around(shown, 1);
  bool apart = shown.front() == '`' || shown.back() == '`' || shown.front() == ' ' || shown.back() == ' ';
  return fmt::format("{0}{1}{2}{1}{0}", fence, apart ? " " : "", shown);
}

std::string markdown_prose(std::string_view sentence) {
  std::vector<std::string> words;
  std::string legible_text = clipped(legible(sentence), prose_bytes);
  for (const Token& word : tokens_of(legible_text))
    words.push_back(word.before + (is_plain(word.core) ? word.core : code_span(word.core)) + word.after);
  return fmt::format("{}", fmt::join(words, " "));
}

std::string fenced(std::string_view foreign, std::string_view language) {
  std::string text;
  while (!foreign.empty()) {
    std::size_t end = std::min(foreign.find('\n'), foreign.size());
    text += legible(foreign.substr(0, end)) + "\n";
    foreign.remove_prefix(std::min(end + 1, foreign.size()));
  }
  std::string fence = fence_around(text, 3);
  return fmt::format("{0}{1}\n{2}{0}\n", fence, language, text);
}

}  // namespace gradscan
