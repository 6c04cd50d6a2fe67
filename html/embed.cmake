# Writes OUTPUT, the source of html/assets.h, from the files STYLE and SCRIPT.
foreach(name STYLE SCRIPT)
  file(READ ${${name}} ${name}_text)
  if("${${name}_text}" MATCHES "\\)page\"")
    message(FATAL_ERROR "${${name}} ends its own string: )page\"")
  endif()
endforeach()

# Three hexadecimal digits are two of base64. SHA-256 has 64 of the former: two zeros are put behind, and of the latter the
# last, which stands for nothing but zeros, is the padding.
set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
file(SHA256 ${SCRIPT} hash)
set(base64 "")
foreach(at RANGE 0 63 3)
  string(SUBSTRING "${hash}00" ${at} 3 three)
  math(EXPR high "0x${three} / 64")
  math(EXPR low "0x${three} % 64")
  string(SUBSTRING ${digits} ${high} 1 high)
  string(SUBSTRING ${digits} ${low} 1 low)
  string(APPEND base64 "${high}${low}")
endforeach()
string(SUBSTRING "${base64}" 0 43 base64)

file(WRITE ${OUTPUT} "#include \"html/assets.h\"

namespace gradscan::page {

const std::string_view style = R\"page(${STYLE_text})page\";
const std::string_view script = R\"page(${SCRIPT_text})page\";
const std::string_view script_sha256 = \"${base64}=\";

}  // namespace gradscan::page
")
