#include "builder/script/script.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string>

#include "adapters/store/files.hpp"
#include "adapters/store/script_files.hpp"
#include "builder/archive/unpack.hpp"
#include "builder/script/output.hpp"
#include "builder/tree_writer.hpp"

namespace left4me::builder {

namespace {

namespace room_of = store::script_room;

/// What an entry takes in a tar archive beside its data: headers, and the rest of a block.
constexpr std::uint64_t entry_overhead = 2048;

/// systemd ignores MemoryMax= without a word where the kernel does not count memory, as in some containers.
void warn_of_missing_limit() {
    std::ifstream file("/sys/fs/cgroup/cgroup.controllers");
    std::string word;
    while (file >> word) {
        if (word == "memory") return;
    }
    (void)std::fprintf(
        stderr,
        "this host does not limit the memory of units: of a script's memory, only that of each "
        "process and its files are limited\n");
}

/// Tells the sandbox which network namespace it must not be in: this one, the host's.
Built<void> tell_network(int room) {
    std::string link(64, '\0');
    const ssize_t length = ::readlink("/proc/self/ns/net", link.data(), link.size());
    if (length < 0) return own_failure(errno, store::io_error("/proc/self/ns/net").error());
    link.resize(static_cast<std::size_t>(length));
    if (::unlinkat(room, room_of::network, 0) != 0 && errno != ENOENT)
        return own_failure(errno, store::io_error(room_of::network).error());
    if (auto wrote = store::write_new(room, room_of::network, link + "\n", 0644, 0755); !wrote)
        return own_failure(errno, wrote.error());
    return {};
}

}  // namespace

Built<Staged> stage_script(const ScriptSource& source, int build_directory, Staging& staging,
                           Progress& progress) {
    const std::string input = fingerprint(source);
    const Fd room = store::open_directory(build_directory, room_of::directory);
    if (!room) return own_failure(errno, store::io_error(room_of::directory).error());
    if (auto told = tell_network(room.get()); !told) return std::unexpected(told.error());
    warn_of_missing_limit();

    if (auto restarted = staging.restart(); !restarted) return std::unexpected(restarted.error());
    progress.begin(BuildPhase::Running, 0, 0, input);
    SourceLimits limits = source.limits;
    limits.bytes = std::min(limits.bytes, source.disk);
    const ScriptLimits run{source.timeout, limits.bytes + limits.entries * entry_overhead};
    const auto output = receive_output(room.get(), build_directory, run, progress);
    if (!output) return std::unexpected(output.error());
    struct stat status{};
    if (::fstat(output->get(), &status) != 0)
        return own_failure(errno, store::io_error("what the script left").error());
    const auto bytes = static_cast<std::uint64_t>(status.st_size);

    progress.begin(BuildPhase::Unpacking, bytes, 0, input);
    TreeWriter writer(staging.tree(), {}, limits);
    const auto of_script = [](BuildError error) {
        if (error.kind == BuildFailureKind::SourceUnavailable)
            error = {BuildFailureKind::ScriptFailed, "what the script left: " + error.message};
        return std::unexpected(std::move(error));
    };
    if (auto unpacked = unpack(output->get(), bytes, writer, progress); !unpacked)
        return of_script(unpacked.error());
    const auto digest = writer.finish("no file; it is to write them into the directory that it begins in");
    if (!digest) return of_script(digest.error());
    return Staged{*digest, input};
}

}  // namespace left4me::builder
