#include "cases.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace left4me::test {

namespace fs = std::filesystem;

std::optional<std::string> read_text(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return std::nullopt;
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

std::vector<Case> list_cases(const fs::path& directory) {
    std::vector<Case> cases;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        const fs::path& path = entry.path();
        if (!entry.is_directory() && path.extension() != ".yaml") continue;
        const std::string name = path.stem().string();
        cases.push_back({name, path, directory / (name + ".expected")});
    }
    std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.name < b.name; });
    return cases;
}

std::vector<SourceFile> read_case(const Case& set) {
    std::vector<SourceFile> files;
    if (!fs::is_directory(set.input)) {
        files.push_back({set.input.filename().string(), read_text(set.input).value_or("")});
        return files;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(set.input)) {
        files.push_back({entry.path().filename().string(), read_text(entry.path()).value_or("")});
    }
    std::sort(files.begin(), files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
    return files;
}

}  // namespace left4me::test
