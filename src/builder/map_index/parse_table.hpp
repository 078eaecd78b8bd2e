#pragma once

#include <cstddef>

namespace left4me::builder {

/// The longest file that is read, in bytes. An index of 1000 maps has about 150 KB.
inline constexpr std::size_t max_table_bytes = 1U << 20U;
/// The longest line: a name, three fields and a URL as long as manifests may have.
inline constexpr std::size_t max_line_bytes = 4096;

/// Reads the table that `file` is open at and sends its rows as Messages to `pipe`, with End or Failed as the
/// last one. Fields are separated by `;` and may be in double quotes, RFC 4180; blanks around them, empty
/// lines, a byte order mark and the CR of CRLF are dropped. What the fields mean is not looked at. Run it in
/// a process that can do nothing else, Confinement::ParseOnly.
void parse_table(int file, int pipe);

}  // namespace left4me::builder
