#pragma once

// Debian 12 has Catch2 2.13, Debian 13 has Catch2 3: this is the only file that knows.
#if LEFT4ME_CATCH2_MAJOR >= 3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
