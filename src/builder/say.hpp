#pragma once

#include <cstdio>
#include <string>

namespace left4me::builder {

/// One line for the unit's journal. Texts of strangers must have passed printable_line().
inline void say(const std::string& line) { (void)std::fprintf(stderr, "%s\n", line.c_str()); }

}  // namespace left4me::builder
