#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "specs/load.hpp"

namespace left4me::test {

/// One set of manifests under test/cases: NAME.yaml, or a directory NAME with several files. For invalid
/// sets, NAME.expected holds the messages as `l4d2ctl validate` prints them. File names in messages are
/// relative.
struct Case {
    std::string name;
    std::filesystem::path input;
    std::filesystem::path expected;
};

std::vector<Case> list_cases(const std::filesystem::path& directory);
std::vector<SourceFile> read_case(const Case& set);
/// nullopt if there is no such file.
std::optional<std::string> read_text(const std::filesystem::path& path);

}  // namespace left4me::test
