#include "l4d2ctl/input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "adapters/files.hpp"
#include "l4d2ctl/caller.hpp"
#include "operations/edit.hpp"

namespace left4me::ctl {

namespace fs = std::filesystem;

namespace {

/// Above any limit that a configuration may set; that limit is checked when the bytes are parsed.
constexpr std::size_t max_bytes = std::size_t{64} << 20U;

Result<std::vector<SourceFile>> read_input(const std::string& name) {
    std::error_code ignored;
    // The path would be opened again, which another user may not be allowed to do.
    if (name == "-" || name == "/dev/stdin") {
        auto text = read_descriptor(STDIN_FILENO, "<stdin>", max_bytes);
        if (!text) return fail(Exit::Invalid, text.error());
        return std::vector<SourceFile>{{"<stdin>", std::move(*text)}};
    }
    if (fs::is_directory(name, ignored)) {
        auto files = operations::read_manifest_files(name, max_bytes);
        if (!files) return std::unexpected(files.error());
        return std::move(*files);
    }
    auto text = read_file(name, max_bytes, FileKind::Any);
    if (!text) return fail(fs::exists(name, ignored) ? Exit::Invalid : Exit::NotFound, text.error());
    return std::vector<SourceFile>{{name, std::move(*text)}};
}

}  // namespace

Result<std::vector<SourceFile>> read_inputs(const std::vector<std::string>& names) {
    std::vector<SourceFile> all;
    Result<void> read;
    bool denied = false;
    // sudo may allow a person only l4d2ctl: no message may quote a file that they may not read themselves.
    const auto allowed = with_rights_of_caller([&] {
        for (const std::string& name : names) {
            auto files = read_input(name);
            if (!files) {
                read = std::unexpected(files.error());
                denied = ::faccessat(AT_FDCWD, name.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES;
                return;
            }
            std::move(files->begin(), files->end(), std::back_inserter(all));
        }
    });
    if (!allowed) return std::unexpected(allowed.error());
    if (read) return all;
    // Also in a root shell started by sudo.
    if (const std::string who = denied ? whose_rights() : ""; !who.empty()) {
        return fail(
            read.error().code,
            fmt::format("{}\n  files are opened with the permissions of {}, who called sudo; -f - <FILE "
                        "reads what this shell may read",
                        read.error().message, who));
    }
    return std::unexpected(read.error());
}

}  // namespace left4me::ctl
