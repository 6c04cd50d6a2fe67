// Prepares names from a model file for a picture.
//
// A name may contain anything: quotes, markup, control characters, invalid UTF-8, Graphviz escapes (\N, \G, &amp;). legible()
// (analyzer/text/foreign_text.h) removes what is not text. In the SVG the rest is escaped as in any XML. In Graphviz source it
// passes through the parser for HTML-like labels and Graphviz' own SVG writer; html() escapes it so that both keep it
// unchanged.
//
// The viewer's system chooses the font, so widths are those of the widest candidate: for each character, DejaVu Sans or Arial
// (whose widths Helvetica and Liberation Sans share), whichever is wider.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

// Lines of at most `width`, broken at spaces (a longer word is elided). Takes and returns legible text.
std::vector<std::string> wrap(const std::string& text, double width, double points, bool bold);

// In the same unit as `points`.
double text_width(std::string_view text, double points, bool bold);

// Escapes legible text for an HTML-like label.
std::string html(std::string_view text);

// Escapes legible text for XML, including attribute values.
std::string xml(std::string_view text);

}  // namespace gradscan
