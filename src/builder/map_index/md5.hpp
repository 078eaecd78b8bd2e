#pragma once

#include <expected>
#include <string>

namespace left4me::builder {

/// The 32 digits that `md5sum` prints for an open file. `errno` is the cause of an error. MD5 is what indexes
/// of maps publish: it finds damaged files. Against whoever can forge files for it, it is the index's server
/// and its certificate that count.
std::expected<std::string, std::string> md5_of(int file, const std::string& shown);

}  // namespace left4me::builder
