// Names from a model file, made fit for a picture.
//
// A name may hold anything: quotes, markup, control characters, bytes that are no UTF-8, Graphviz' own escapes (\N, \G, &amp;).
// It goes through three readers one after the other: the DOT writer, the parser of HTML-like labels and the SVG writer.
// legible() (analyzer/foreign_text.h) removes what is no text, html() writes the rest so that all three pass it on unchanged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

// At most `most` characters: the middle of a longer text becomes an ellipsis. Takes and returns legible text.
std::string elide(const std::string& text, int most);

// Lines of at most `most` characters, broken at spaces (a longer word is elided). Takes and returns legible text.
std::vector<std::string> wrap(const std::string& text, int most);

// Width in points, on the wide side: that of DejaVu Sans, the widest of the sans-serif fonts that browsers fall back to.
double text_width(std::string_view text, double points, bool bold);

// The inside of an HTML-like label that shows this legible text.
std::string html(std::string_view text);

}  // namespace gradscan
