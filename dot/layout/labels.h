// Names from a model file, made fit for a picture.
//
// A name may hold anything: quotes, markup, control characters, bytes that are no UTF-8, Graphviz' own escapes (\N, \G, &amp;).
// legible() (analyzer/text/foreign_text.h) removes what is no text. In the SVG the rest is escaped as in any XML; in Graphviz source
// it goes through the parser of HTML-like labels and an SVG writer of Graphviz' own, and html() writes it so that all pass it
// on unchanged.
//
// Whoever looks at the picture chooses the font, so widths are those of the widest one: of each character in DejaVu Sans or in
// Arial (and Helvetica and Liberation Sans, which share Arial's widths), whichever is wider.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gradscan {

// Lines of at most `width`, broken at spaces (a longer word is elided). Takes and returns legible text.
std::vector<std::string> wrap(const std::string& text, double width, double points, bool bold);

// In the unit of `points`.
double text_width(std::string_view text, double points, bool bold);

// The inside of an HTML-like label that shows this legible text.
std::string html(std::string_view text);

// This legible text in an XML document, in an attribute's value too.
std::string xml(std::string_view text);

}  // namespace gradscan
