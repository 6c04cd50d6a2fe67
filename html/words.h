// How a page shows that something is wrong: always with a sign, a word, and a class that the style sheet colours.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "gradscan/report.h"

namespace gradscan::page {

std::string class_of(Severity severity);                             // "error", "silent", "note", "pass"
std::string class_of(const Finding& finding);                        // of its severity; "note" if a baseline accepts it
std::string class_of(const Report& report, const Verdict& verdict);  // or "pass"

// Markup: the sign for such a class. Hidden from screen readers, because a word follows it.
std::string sign(std::string_view of_class);

// "Error", "Silent failure", "Note"
std::string in_words(Severity severity);

// Markup: sign, level and a few words: "error ready twice".
std::string badge(const Report& report, const Verdict& verdict);

// Markup: "Error: layer4.2.bn3.weight (index 157) is marked ready twice in iteration 0", and why it is accepted, if it is.
std::string headline(const Finding& finding);

// Markup: shown if there are only notes.
std::string good_news(const Report& report);

// Markup: the headlines of everything wrong in the requested setup, or the good news.
std::string lead(const Report& report);

// Markup.
std::string header_cells(std::initializer_list<std::string_view> titles);

// A table in a box that scrolls sideways if the window is narrow.
std::string scrolling(std::string_view title, const std::string& table);

}  // namespace gradscan::page
