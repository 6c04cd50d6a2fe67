// How a page says that something is wrong: always by a sign, a word and a class that the style sheet colours.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "gradscan/report.h"

namespace gradscan::page {

std::string class_of(Severity severity);                             // "error", "silent", "note", "pass"
std::string class_of(const Finding& finding);                        // of its level; "note" if a baseline accepts it
std::string class_of(const Report& report, const Verdict& verdict);  // or "pass"

// Markup: the sign of such a class. It is hidden from who listens, since a word stands behind it.
std::string sign(std::string_view of_class);

// "Error", "Silent failure", "Note"
std::string in_words(Severity severity);

// Markup: sign, level and a few words: "error ready twice".
std::string badge(const Report& report, const Verdict& verdict);

// Markup: "Error: layer4.2.bn3.weight (index 157) is marked ready twice in iteration 0", and for which reason it is accepted.
std::string headline(const Finding& finding);

// Markup: where there are only notes.
std::string good_news();

// Markup: the headlines of all that is wrong in the setup asked, or the good news.
std::string lead(const Report& report);

// Markup.
std::string header_cells(std::initializer_list<std::string_view> titles);

// A table in a box of its own that scrolls sideways where the window is narrow.
std::string scrolling(std::string_view title, const std::string& table);

}  // namespace gradscan::page
