#include "l4d2ctl/input.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "adapters/directory/source.hpp"
#include "adapters/files.hpp"

namespace left4me::ctl {

namespace fs = std::filesystem;

namespace {

/// Above any limit that a configuration may set; that one is checked when the bytes are parsed.
constexpr std::size_t most_bytes = std::size_t{64} << 20U;

Result<std::vector<SourceFile>> read_input(const std::string& name) {
    std::error_code ignored;
    if (name == "-") {
        auto text = read_descriptor(STDIN_FILENO, "<stdin>", most_bytes);
        if (!text) return fail(Exit::Invalid, text.error());
        return std::vector<SourceFile>{{"<stdin>", std::move(*text)}};
    }
    if (fs::is_directory(name, ignored)) {
        Limits limits;
        limits.file_bytes = most_bytes;
        auto files = read_manifests(name, limits);
        if (!files) return fail(Exit::Invalid, files.error());
        if (files->empty()) return fail(Exit::Invalid, name + ": holds no manifest (*.yaml)");
        return std::move(*files);
    }
    auto text = read_file(name, most_bytes, FileKind::Any);
    if (!text) return fail(fs::exists(name, ignored) ? Exit::Invalid : Exit::NotFound, text.error());
    return std::vector<SourceFile>{{name, std::move(*text)}};
}

}  // namespace

Result<std::vector<SourceFile>> read_inputs(const std::vector<std::string>& names) {
    std::vector<SourceFile> all;
    for (const std::string& name : names) {
        auto files = read_input(name);
        if (!files) return files;
        std::move(files->begin(), files->end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace left4me::ctl
