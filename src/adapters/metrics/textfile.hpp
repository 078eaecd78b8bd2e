#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace left4me {

/// For node_exporter's textfile collector, which reads every *.prom of a directory: replaced at once, so that
/// it never reads half of it. User left4me must be allowed to write into the directory.
std::expected<void, std::string> write_textfile(const std::filesystem::path& path, const std::string& text);

}  // namespace left4me
