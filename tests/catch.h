// Catch2, whichever the system has: version 3 (several headers, a library with main) or 2 (one header).
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
