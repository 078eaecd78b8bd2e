#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace left4me {

/// For node_exporter's textfile collector, which reads every *.prom in a directory: replaced atomically, so
/// that it never reads a partial file. User left4me must be able to write to the directory.
std::expected<void, std::string> write_textfile(const std::filesystem::path& path, const std::string& text);

}  // namespace left4me
