// How a page says that something is wrong: always by a sign, a word and a class that the style sheet colours.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "gradscan/report.h"

namespace gradscan::page {

std::string class_of(Level level);                                   // "error", "silent", "note"
std::string class_of(const Report& report, const Verdict& verdict);  // or "pass"

// Markup: the sign of such a class. It is hidden from who listens, since a word stands behind it.
std::string sign(std::string_view of_class);

// "Error", "Silent failure", "Note"
std::string in_words(Level level);

// Markup: sign, level and a few words: "error ready twice".
std::string badge(const Report& report, const Verdict& verdict);

inline constexpr std::string_view good_news =
    "Nothing is wrong: four iterations pass, and all gradients are averaged over the ranks";

// Markup: a line for each thing that is wrong in the setup asked, or the good news.
std::string lead(const Report& report);

// Markup.
std::string header_cells(std::initializer_list<std::string_view> titles);

// A table in a box of its own that scrolls sideways where the window is narrow.
std::string scrolling(std::string_view title, const std::string& table);

}  // namespace gradscan::page
