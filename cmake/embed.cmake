# Writes OUTPUT, a C++ source with the texts of files:
#
#   cmake -DOUTPUT=assets.cpp -DHEADER=html/assets.h -DNAMESPACE=gradscan::page "-DFILES=style=page.css;script=page.js"
#         [-DSHA256=script] [-DLIST=PresetFile\ preset_files] -P embed.cmake
#
# defines const std::string_view style and script; with SHA256 script_sha256 too, in base64; with LIST an array of this type and
# name in place of these, each of whose elements is made from a name and a text.

# Three hexadecimal digits are two of base64. SHA-256 has 64 of the former: two zeros are put behind, and of the latter the
# last, which stands for nothing but zeros, is the padding.
function(sha256_in_base64 file result)
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  file(SHA256 ${file} hash)
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
  set(${result} "${base64}=" PARENT_SCOPE)
endfunction()

set(constants "")
set(elements "")
foreach(entry IN LISTS FILES)
  string(REGEX MATCH "^([^=]*)=(.*)$" entry "${entry}")
  set(name ${CMAKE_MATCH_1})
  set(file ${CMAKE_MATCH_2})
  file(READ ${file} text)
  if("${text}" MATCHES "\\)text\"")
    message(FATAL_ERROR "${file} ends its own string: )text\"")
  endif()
  string(APPEND constants "const std::string_view ${name} = R\"text(${text})text\";\n")
  string(APPEND elements "    {\"${name}\", R\"text(${text})text\"},\n")
  if(name STREQUAL "${SHA256}")
    sha256_in_base64(${file} base64)
    string(APPEND constants "const std::string_view ${name}_sha256 = \"${base64}\";\n")
  endif()
endforeach()
if(LIST)
  string(REGEX MATCH "^([^ ]*) (.*)$" list "${LIST}")
  set(type ${CMAKE_MATCH_1})
  set(constants "namespace {\nconstexpr ${type} list[] = {\n${elements}};\n}\n\nconst std::span<const ${type}> ${CMAKE_MATCH_2} = list;\n")
endif()

file(WRITE ${OUTPUT} "#include \"${HEADER}\"

namespace ${NAMESPACE} {

${constants}
}  // namespace ${NAMESPACE}
")
